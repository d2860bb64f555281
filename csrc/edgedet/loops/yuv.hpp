#pragma once

#if !defined(EDGEDET_SCALAR) && defined(__AVX2__)
#include <immintrin.h>
#elif !defined(EDGEDET_SCALAR) && defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "edgedet/vector_loops.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

// BT.601, limited range, in units of 2^-20 (OpenCV's numbers).
constexpr int kShift = 20;
constexpr std::int32_t kLuma = 1220542, kBlueU = 2116026, kGreenU = -409993, kGreenV = -852492, kRedV = 1673527;
constexpr std::int32_t kHalf = 1 << (kShift - 1);

static inline std::uint8_t to_byte(std::int32_t sum) {
    const std::int32_t value = sum >> kShift;
    return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

/// From pixel `x` on, which is even.
static inline void plain_yuv_to_planes(const std::uint8_t* luma, const std::uint8_t* chroma, bool u_first,
                                       std::size_t x, std::size_t width, std::uint8_t* const* planes) {
    for (; x < width; ++x) {
        const std::int32_t first = chroma[x / 2 * 2] - 128, second = chroma[x / 2 * 2 + 1] - 128;
        const std::int32_t u = u_first ? first : second, v = u_first ? second : first;
        const std::int32_t y = (luma[x] < 16 ? 0 : luma[x] - 16) * kLuma + kHalf;
        planes[0][x] = to_byte(y + kBlueU * u);
        planes[1][x] = to_byte(y + kGreenU * u + kGreenV * v);
        planes[2][x] = to_byte(y + kRedV * v);
    }
}

#if !defined(EDGEDET_SCALAR) && (defined(__AVX2__) || defined(__SSE2__))
#if defined(__AVX2__)
using Lanes = __m256i;
static inline Lanes every16(std::int16_t value) { return _mm256_set1_epi16(value); }
static inline Lanes every32(std::int32_t value) { return _mm256_set1_epi32(value); }
static inline Lanes read(const std::uint8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const Lanes*>(from)); }
static inline void write(std::uint8_t* to, Lanes value) { _mm256_storeu_si256(reinterpret_cast<Lanes*>(to), value); }
static inline Lanes low8(Lanes a, Lanes b) { return _mm256_unpacklo_epi8(a, b); }
static inline Lanes high8(Lanes a, Lanes b) { return _mm256_unpackhi_epi8(a, b); }
static inline Lanes low16(Lanes a, Lanes b) { return _mm256_unpacklo_epi16(a, b); }
static inline Lanes high16(Lanes a, Lanes b) { return _mm256_unpackhi_epi16(a, b); }
static inline Lanes low32(Lanes a, Lanes b) { return _mm256_unpacklo_epi32(a, b); }
static inline Lanes high32(Lanes a, Lanes b) { return _mm256_unpackhi_epi32(a, b); }
static inline Lanes less16(Lanes a, Lanes b) { return _mm256_sub_epi16(a, b); }
static inline Lanes less8(Lanes a, Lanes b) { return _mm256_subs_epu8(a, b); }
static inline Lanes plus(Lanes a, Lanes b) { return _mm256_add_epi32(a, b); }
static inline Lanes products(Lanes a, Lanes b) { return _mm256_madd_epi16(a, b); }
static inline Lanes times128(Lanes a) { return _mm256_slli_epi16(a, 7); }
static inline Lanes upper8(Lanes a) { return _mm256_srli_epi16(a, 8); }
static inline Lanes lower8(Lanes a) { return _mm256_and_si256(a, every16(255)); }
static inline Lanes whole(Lanes a) { return _mm256_srai_epi32(a, kShift); }
static inline Lanes packed32(Lanes a, Lanes b) { return _mm256_packs_epi32(a, b); }
static inline Lanes packed16(Lanes a, Lanes b) { return _mm256_packus_epi16(a, b); }
#else
using Lanes = __m128i;
static inline Lanes every16(std::int16_t value) { return _mm_set1_epi16(value); }
static inline Lanes every32(std::int32_t value) { return _mm_set1_epi32(value); }
static inline Lanes read(const std::uint8_t* from) { return _mm_loadu_si128(reinterpret_cast<const Lanes*>(from)); }
static inline void write(std::uint8_t* to, Lanes value) { _mm_storeu_si128(reinterpret_cast<Lanes*>(to), value); }
static inline Lanes low8(Lanes a, Lanes b) { return _mm_unpacklo_epi8(a, b); }
static inline Lanes high8(Lanes a, Lanes b) { return _mm_unpackhi_epi8(a, b); }
static inline Lanes low16(Lanes a, Lanes b) { return _mm_unpacklo_epi16(a, b); }
static inline Lanes high16(Lanes a, Lanes b) { return _mm_unpackhi_epi16(a, b); }
static inline Lanes low32(Lanes a, Lanes b) { return _mm_unpacklo_epi32(a, b); }
static inline Lanes high32(Lanes a, Lanes b) { return _mm_unpackhi_epi32(a, b); }
static inline Lanes less16(Lanes a, Lanes b) { return _mm_sub_epi16(a, b); }
static inline Lanes less8(Lanes a, Lanes b) { return _mm_subs_epu8(a, b); }
static inline Lanes plus(Lanes a, Lanes b) { return _mm_add_epi32(a, b); }
static inline Lanes products(Lanes a, Lanes b) { return _mm_madd_epi16(a, b); }
static inline Lanes times128(Lanes a) { return _mm_slli_epi16(a, 7); }
static inline Lanes upper8(Lanes a) { return _mm_srli_epi16(a, 8); }
static inline Lanes lower8(Lanes a) { return _mm_and_si128(a, every16(255)); }
static inline Lanes whole(Lanes a) { return _mm_srai_epi32(a, kShift); }
static inline Lanes packed32(Lanes a, Lanes b) { return _mm_packs_epi32(a, b); }
static inline Lanes packed16(Lanes a, Lanes b) { return _mm_packus_epi16(a, b); }
#endif

/// A factor of 22 bits as two of 16: for (128 a, a), whose products the machine adds up.
static inline Lanes split_factor(std::int32_t factor) {
    const std::int32_t upper = factor / 128, lower = factor % 128;
    return every32(static_cast<std::int32_t>((static_cast<std::uint32_t>(lower) << 16) |
                                             (static_cast<std::uint32_t>(upper) & 0xFFFF)));
}

/// Two lists of int32, of which the second goes on where the first ends.
struct Both {
    Lanes low, high;
};

static inline Both scaled(Lanes values, Lanes factor) {
    const Lanes large = times128(values);
    return {products(low16(large, values), factor), products(high16(large, values), factor)};
}

static inline Both sums(Both a, Both b) { return {plus(a.low, b.low), plus(a.high, b.high)}; }

/// 16 (or 32) bytes of a plane: luma, and chroma of which each serves two pixels.
static inline void put(const Both& near, const Both& far, const Both& chroma, std::uint8_t* out) {
    const Lanes a = packed32(whole(plus(near.low, low32(chroma.low, chroma.low))),
                             whole(plus(near.high, high32(chroma.low, chroma.low))));
    const Lanes b = packed32(whole(plus(far.low, low32(chroma.high, chroma.high))),
                             whole(plus(far.high, high32(chroma.high, chroma.high))));
    write(out, packed16(a, b));
}
#endif

static void split_pairs(const std::uint8_t* pairs, std::size_t count, std::uint8_t* first, std::uint8_t* second) {
    for (std::size_t i = 0; i < count; ++i) {
        first[i] = pairs[2 * i];
        second[i] = pairs[2 * i + 1];
    }
}

static void merge_pairs(const std::uint8_t* first, const std::uint8_t* second, std::size_t count, std::uint8_t* pairs) {
    for (std::size_t i = 0; i < count; ++i) {
        pairs[2 * i] = first[i];
        pairs[2 * i + 1] = second[i];
    }
}

static void yuv_to_planes(const std::uint8_t* luma, const std::uint8_t* chroma, bool u_first, std::size_t width,
                          std::uint8_t* const* planes) {
    std::size_t x = 0;
#if !defined(EDGEDET_SCALAR) && (defined(__AVX2__) || defined(__SSE2__))
    const Lanes zero = every16(0), half = every32(kHalf);
    for (; x + sizeof(Lanes) <= width; x += sizeof(Lanes)) {
        const Lanes pairs = read(chroma + x), y = less8(read(luma + x), every32(0x10101010));
        const Lanes first = less16(lower8(pairs), every16(128)), second = less16(upper8(pairs), every16(128));
        const Lanes u = u_first ? first : second, v = u_first ? second : first;
        Both near = scaled(low8(y, zero), split_factor(kLuma)), far = scaled(high8(y, zero), split_factor(kLuma));
        near = sums(near, {half, half});
        far = sums(far, {half, half});
        put(near, far, scaled(u, split_factor(kBlueU)), planes[0] + x);
        put(near, far, sums(scaled(u, split_factor(kGreenU)), scaled(v, split_factor(kGreenV))), planes[1] + x);
        put(near, far, scaled(v, split_factor(kRedV)), planes[2] + x);
    }
#endif
    plain_yuv_to_planes(luma, chroma, u_first, x, width, planes);
}

}  // namespace edgedet::EDGEDET_LEVEL
