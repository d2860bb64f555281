#pragma once

#if !defined(EDGEDET_SCALAR) && defined(__AVX2__)
#include <immintrin.h>
#elif !defined(EDGEDET_SCALAR) && defined(__SSE2__)
#include <emmintrin.h>
#elif !defined(EDGEDET_SCALAR) && defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "edgedet/loops/pixels.hpp"
#include "edgedet/vector_loops.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

#if !defined(EDGEDET_SCALAR) && defined(__AVX2__)
#define EDGEDET_WINDOWS
constexpr std::size_t kBlocks = 2;  // that are worked on at once
using Bytes = __m256i;

static inline Bytes chosen(const std::uint8_t* samples, const std::uint32_t* starts, const std::uint8_t* indices) {
    const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(samples + starts[0]));
    const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(samples + starts[1]));
    const __m256i windows = _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
    return _mm256_shuffle_epi8(windows, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(indices)));
}

static inline Bytes either(Bytes a, Bytes b) { return _mm256_or_si256(a, b); }

/// The weighted sums of 4 pairs of each block.
static inline __m256i sums_of(__m256i pairs, const std::int16_t* weights) {
    const __m256i by = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
    return _mm256_srli_epi32(_mm256_madd_epi16(pairs, by), 4);
}

static inline void weigh(Bytes pairs, const std::int16_t* low, const std::int16_t* high, std::int16_t* out) {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i sums = _mm256_packs_epi32(sums_of(_mm256_unpacklo_epi8(pairs, zero), low),
                                            sums_of(_mm256_unpackhi_epi8(pairs, zero), high));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), sums);
}
#elif !defined(EDGEDET_SCALAR) && defined(__aarch64__)
#define EDGEDET_WINDOWS
constexpr std::size_t kBlocks = 1;
using Bytes = uint8x16_t;

static inline Bytes chosen(const std::uint8_t* samples, const std::uint32_t* starts, const std::uint8_t* indices) {
    return vqtbl1q_u8(vld1q_u8(samples + starts[0]), vld1q_u8(indices));
}

static inline Bytes either(Bytes a, Bytes b) { return vorrq_u8(a, b); }

static inline int16x4_t sums_of(uint8x8_t pairs, const std::int16_t* weights) {
    const int16x8_t values = vreinterpretq_s16_u16(vmovl_u8(pairs)), by = vld1q_s16(weights);
    const int32x4_t low = vmull_s16(vget_low_s16(values), vget_low_s16(by));
    return vshrn_n_s32(vpaddq_s32(low, vmull_high_s16(values, by)), 4);
}

static inline void weigh(Bytes pairs, const std::int16_t* low, const std::int16_t* high, std::int16_t* out) {
    vst1q_s16(out, vcombine_s16(sums_of(vget_low_u8(pairs), low), sums_of(vget_high_u8(pairs), high)));
}
#elif !defined(EDGEDET_SCALAR) && defined(__SSE2__)
#define EDGEDET_PAIRS
constexpr std::size_t kBlocks = 1;
using Bytes = __m128i;

static inline Bytes pairs_of(const std::uint8_t* samples, const std::uint32_t* left) {
    const auto pair = [=](std::size_t i) {
        std::uint16_t both;
        __builtin_memcpy(&both, samples + left[i], sizeof both);
        return static_cast<std::int16_t>(both);
    };
    return _mm_setr_epi16(pair(0), pair(1), pair(2), pair(3), pair(4), pair(5), pair(6), pair(7));
}

static inline __m128i sums_of(__m128i pairs, const std::int16_t* weights) {
    const __m128i by = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights));
    return _mm_srli_epi32(_mm_madd_epi16(pairs, by), 4);
}

static inline void weigh(Bytes pairs, const std::int16_t* low, const std::int16_t* high, std::int16_t* out) {
    const __m128i zero = _mm_setzero_si128();
    const __m128i sums =
        _mm_packs_epi32(sums_of(_mm_unpacklo_epi8(pairs, zero), low), sums_of(_mm_unpackhi_epi8(pairs, zero), high));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), sums);
}
#endif

static void blend_columns(const std::uint8_t* samples, const ColumnTaps& taps, std::int16_t* out) {
#if defined(EDGEDET_WINDOWS) || defined(EDGEDET_PAIRS)
    const ColumnTaps of = taps;  // which writing to `out` does not change
    for (std::size_t block = 0; block < of.blocks; block += kBlocks) {
#ifdef EDGEDET_WINDOWS
        Bytes pairs = chosen(samples, of.starts + block, of.indices + 16 * block);
        for (std::size_t at = of.blocks + block; at < of.windows * of.blocks; at += of.blocks) {
            pairs = either(pairs, chosen(samples, of.starts + at, of.indices + 16 * at));
        }
#else
        const Bytes pairs = pairs_of(samples, of.left + 8 * block);
#endif
        weigh(pairs, of.low_weights + 8 * block, of.high_weights + 8 * block, out + 8 * block);
    }
#else
    for (std::size_t i = 0; i < 8 * taps.blocks; ++i) {
        const std::int16_t* weights = (i % 8 < 4 ? taps.low_weights : taps.high_weights) + i / 8 * 8 + i % 4 * 2;
        const std::uint8_t* pair = samples + taps.left[i];
        out[i] = static_cast<std::int16_t>((pair[0] * weights[0] + pair[1] * weights[1]) >> 4);
    }
#endif
}

static inline std::uint8_t blended(std::int16_t top, std::int16_t bottom, std::int16_t top_weight,
                                   std::int16_t bottom_weight) {
    // The compilers know the upper half of a product of two int16.
    const auto a = static_cast<std::int16_t>((top * top_weight) >> 16);
    const auto b = static_cast<std::int16_t>((bottom * bottom_weight) >> 16);
    return static_cast<std::uint8_t>(static_cast<std::uint16_t>(a + b + 2) >> 2);
}

static void blend_rows(const std::int16_t* top, const std::int16_t* bottom, std::int16_t top_weight,
                       std::int16_t bottom_weight, std::size_t count, std::uint8_t* out) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = blended(top[i], bottom[i], top_weight, bottom_weight);
    }
}

static void blend_normalized(const std::int16_t* top, const std::int16_t* bottom, std::int16_t top_weight,
                             std::int16_t bottom_weight, std::size_t count, float mean, float std, float* out) {
    constexpr std::size_t kChunk = 64;
    std::uint8_t values[kChunk];
    std::size_t i = 0;
    for (; i + kChunk <= count; i += kChunk) {
        for (std::size_t k = 0; k < kChunk; ++k) {
            values[k] = blended(top[i + k], bottom[i + k], top_weight, bottom_weight);
        }
        for (std::size_t k = 0; k < kChunk; ++k) {
            out[i + k] = (static_cast<float>(values[k]) - mean) / std;
        }
    }
    for (; i < count; ++i) {
        out[i] = (static_cast<float>(blended(top[i], bottom[i], top_weight, bottom_weight)) - mean) / std;
    }
}

}  // namespace edgedet::EDGEDET_LEVEL
