#pragma once

#include <cstddef>

// The compilers' own vectors, which every machine has in some size. See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

#if defined(EDGEDET_SCALAR)
constexpr std::size_t kVectorBytes = 4;
#elif defined(__AVX512F__)
constexpr std::size_t kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr std::size_t kVectorBytes = 32;
#else
constexpr std::size_t kVectorBytes = 16;
#endif

template <class T>
struct VectorOf {
    typedef T Type __attribute__((vector_size(kVectorBytes)));
};

template <class Vector, class T>
static inline Vector load(const T* from) {
    Vector value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

template <class Vector, class T>
static inline void store(T* to, const Vector& value) {
    __builtin_memcpy(to, &value, sizeof value);
}

}  // namespace edgedet::EDGEDET_LEVEL
