#pragma once

#include <cstdint>

#if defined(__SSE2__) && !defined(EDGEDET_SCALAR)
#include <immintrin.h>
#endif

#include "edgedet/loops/vector.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

#if defined(__AVX512F__) && !defined(EDGEDET_SCALAR)
static inline void stream_vector(void* to, const void* from) {
    _mm512_stream_si512(static_cast<__m512i*>(to), _mm512_loadu_si512(from));
}
#elif defined(__AVX2__) && !defined(EDGEDET_SCALAR)
static inline void stream_vector(void* to, const void* from) {
    _mm256_stream_si256(static_cast<__m256i*>(to), _mm256_loadu_si256(static_cast<const __m256i*>(from)));
}
#elif defined(__SSE2__) && !defined(EDGEDET_SCALAR)
static inline void stream_vector(void* to, const void* from) {
    _mm_stream_si128(static_cast<__m128i*>(to), _mm_loadu_si128(static_cast<const __m128i*>(from)));
}
#else
static inline void stream_vector(void* to, const void* from) { __builtin_memcpy(to, from, kVectorBytes); }
#endif

/// Copies a run. A long one goes past the caches: nobody reads it soon, and so its lines need not be read before they
/// are written, which is half of the traffic.
template <class T>
static inline void stream(const T* from, std::size_t count, T* to) {
    constexpr std::size_t kSize = kVectorBytes / sizeof(T);
    std::size_t i = 0;
    for (; i < count && reinterpret_cast<std::uintptr_t>(to + i) % kVectorBytes != 0; ++i) {
        to[i] = from[i];
    }
    for (; i + kSize <= count; i += kSize) {
        stream_vector(to + i, from + i);
    }
    for (; i < count; ++i) {
        to[i] = from[i];
    }
}

}  // namespace edgedet::EDGEDET_LEVEL
