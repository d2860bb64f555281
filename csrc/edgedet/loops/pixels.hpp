#pragma once

#if !defined(EDGEDET_SCALAR) && defined(__AVX2__)
#include <immintrin.h>
#elif !defined(EDGEDET_SCALAR) && defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "edgedet/vector_loops.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

#if !defined(EDGEDET_SCALAR) && defined(__AVX2__)
/// The same 16 bytes in both halves of a vector: 0xFF at every third from `first` on.
static inline __m256i every_third(int first) {
    const auto at = [first](int i) { return static_cast<char>(i % 3 == first ? -1 : 0); };
    return _mm256_broadcastsi128_si256(_mm_setr_epi8(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8),
                                                     at(9), at(10), at(11), at(12), at(13), at(14), at(15)));
}

/// Of three vectors the bytes of one channel, put in order: the byte of pixel i of 16 is at (3 i + shift) % 16.
static inline void put_channel(__m256i a, __m256i b, __m256i c, int shift, std::uint8_t* out) {
    const auto at = [shift](int i) { return static_cast<char>((3 * i + shift) % 16); };
    const __m256i order =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9),
                                                  at(10), at(11), at(12), at(13), at(14), at(15)));
    const __m256i mixed = _mm256_blendv_epi8(_mm256_blendv_epi8(a, b, every_third(1)), c, every_third(2));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_shuffle_epi8(mixed, order));
}

static inline __m256i two_halves(const std::uint8_t* low, const std::uint8_t* high) {
    const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(low));
    const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(high));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
}
#elif !defined(EDGEDET_SCALAR) && defined(__SSE2__)
/// Of 48 bytes the first, the 25th, the second, the 26th and so on: four times, and each third byte lies together.
static inline void shuffle_48(__m128i& a, __m128i& b, __m128i& c) {
    const __m128i first = _mm_unpacklo_epi8(a, _mm_unpackhi_epi64(b, b));
    const __m128i second = _mm_unpacklo_epi8(_mm_unpackhi_epi64(a, a), c);
    c = _mm_unpacklo_epi8(b, _mm_unpackhi_epi64(c, c));
    a = first;
    b = second;
}
#endif

static void split_pixels(const std::uint8_t* pixels, std::size_t width, std::uint8_t* const* planes) {
    std::uint8_t *a = planes[0], *b = planes[1], *c = planes[2];
    std::size_t x = 0;
#if !defined(EDGEDET_SCALAR) && defined(__AVX2__)
    for (; x + 32 <= width; x += 32) {
        const std::uint8_t* from = pixels + 3 * x;
        const __m256i one = two_halves(from, from + 48), two = two_halves(from + 16, from + 64);
        const __m256i three = two_halves(from + 32, from + 80);
        put_channel(one, three, two, 0, a + x);
        put_channel(two, one, three, 1, b + x);
        put_channel(three, two, one, 2, c + x);
    }
#elif !defined(EDGEDET_SCALAR) && defined(__SSE2__)
    for (; x + 16 <= width; x += 16) {
        __m128i parts[3];
        __builtin_memcpy(parts, pixels + 3 * x, sizeof parts);
        for (int round = 0; round < 4; ++round) {
            shuffle_48(parts[0], parts[1], parts[2]);
        }
        __builtin_memcpy(a + x, &parts[0], sizeof parts[0]);
        __builtin_memcpy(b + x, &parts[1], sizeof parts[1]);
        __builtin_memcpy(c + x, &parts[2], sizeof parts[2]);
    }
#endif
    for (; x < width; ++x) {
        a[x] = pixels[3 * x];
        b[x] = pixels[3 * x + 1];
        c[x] = pixels[3 * x + 2];
    }
}

static void merge_pixels(const std::uint8_t* const* planes, std::size_t width, std::uint8_t* pixels) {
    const std::uint8_t *a = planes[0], *b = planes[1], *c = planes[2];
    for (std::size_t x = 0; x < width; ++x) {
        pixels[3 * x] = a[x];
        pixels[3 * x + 1] = b[x];
        pixels[3 * x + 2] = c[x];
    }
}

static void normalize_run(const std::uint8_t* values, std::size_t count, const float* mean, const float* std,
                          float* out) {
    // Means and deviations repeat with a period that is whole vectors and whole pixels.
    std::size_t i = 0;
    for (; i + kPeriod <= count; i += kPeriod) {
        for (std::size_t k = 0; k < kPeriod; ++k) {
            out[i + k] = (static_cast<float>(values[i + k]) - mean[k]) / std[k];
        }
    }
    for (std::size_t k = 0; i < count; ++i, ++k) {
        out[i] = (static_cast<float>(values[i]) - mean[k]) / std[k];
    }
}

}  // namespace edgedet::EDGEDET_LEVEL
