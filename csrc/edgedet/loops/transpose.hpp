#pragma once

#include <utility>

#include "edgedet/loops/vector.hpp"
#include "edgedet/vector_loops.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

// Four rows are turned into columns of four. Of the compilers' own vectors, so that it is a few shuffles everywhere;
// of the plain loop they would make loads and stores of single numbers.
#if !defined(EDGEDET_SCALAR) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define EDGEDET_SHUFFLES
#endif
#endif

#ifdef EDGEDET_SHUFFLES

template <class T>
constexpr std::size_t kTurned = kVectorBytes / sizeof(T);  ///< columns of four rows that are turned at once

/// Runs of `unit` numbers of a and b by turns, within each 16 bytes: of their first halves or of their second.
template <class T, std::size_t unit, bool second, std::size_t... i>
static inline typename VectorOf<T>::Type weave(typename VectorOf<T>::Type a, typename VectorOf<T>::Type b,
                                               std::index_sequence<i...>) {
    constexpr std::size_t kLane = 16 / sizeof(T), kHalf = second ? kLane / 2 : 0;
    return __builtin_shufflevector(a, b,
                                   static_cast<int>(i / kLane * kLane + kHalf + i % kLane / (2 * unit) * unit +
                                                    i % unit + (i / unit % 2 != 0 ? kTurned<T> : 0))...);
}

template <class T, std::size_t unit, bool second>
static inline typename VectorOf<T>::Type weave(typename VectorOf<T>::Type a, typename VectorOf<T>::Type b) {
    return weave<T, unit, second>(a, b, std::make_index_sequence<kTurned<T>>());
}

template <class T>
static inline void turn_four(const T* in, std::size_t in_stride, T* out, std::size_t out_stride) {
    using Vector = typename VectorOf<T>::Type;
    const Vector a = load<Vector>(in), b = load<Vector>(in + in_stride);
    const Vector c = load<Vector>(in + 2 * in_stride), d = load<Vector>(in + 3 * in_stride);
    const Vector ab[2] = {weave<T, 1, false>(a, b), weave<T, 1, true>(a, b)};
    const Vector cd[2] = {weave<T, 1, false>(c, d), weave<T, 1, true>(c, d)};
    const Vector turned[4] = {weave<T, 2, false>(ab[0], cd[0]), weave<T, 2, true>(ab[0], cd[0]),
                              weave<T, 2, false>(ab[1], cd[1]), weave<T, 2, true>(ab[1], cd[1])};
    constexpr std::size_t kLane = 16 / sizeof(T), kEach = kLane / 4;  // columns in a lane, and in a lane of a vector
    for (std::size_t column = 0; column < kTurned<T>; ++column) {
        const std::size_t lane = column / kLane, which = column % kLane / kEach, place = column % kEach;
        const char* from = reinterpret_cast<const char*>(&turned[which]) + lane * 16 + place * 4 * sizeof(T);
        __builtin_memcpy(out + column * out_stride, from, 4 * sizeof(T));
    }
}

#else

template <class T>
constexpr std::size_t kTurned = 4;

template <class T>
static inline void turn_four(const T* in, std::size_t in_stride, T* out, std::size_t out_stride) {
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
            out[i * out_stride + j] = in[j * in_stride + i];
        }
    }
}

#endif

/// out (columns, rows) = in (rows, columns), with distances between rows.
template <class T>
static void transpose(const T* in, std::size_t in_stride, std::size_t rows, std::size_t columns, T* out,
                      std::size_t out_stride) {
    std::size_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        std::size_t column = 0;
        for (; column + kTurned<T> <= columns; column += kTurned<T>) {
            turn_four(in + row * in_stride + column, in_stride, out + column * out_stride + row, out_stride);
        }
        for (; column < columns; ++column) {
            for (std::size_t i = row; i < row + 4; ++i) {
                out[column * out_stride + i] = in[i * in_stride + column];
            }
        }
    }
    for (; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
            out[column * out_stride + row] = in[row * in_stride + column];
        }
    }
}

}  // namespace edgedet::EDGEDET_LEVEL
