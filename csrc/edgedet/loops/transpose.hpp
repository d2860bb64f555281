#pragma once

#include "edgedet/vector_loops.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

template <class T>
static inline void transpose_4x4(const T* in, std::size_t in_stride, T* out, std::size_t out_stride) {
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
            out[i * out_stride + j] = in[j * in_stride + i];
        }
    }
}

#if defined(__has_builtin) && !defined(EDGEDET_SCALAR)
#if __has_builtin(__builtin_shufflevector)
// The compilers' own vectors, which every machine has: the loop above becomes 16 loads of one number each.
static inline void transpose_4x4(const float* in, std::size_t in_stride, float* out, std::size_t out_stride) {
    using Four = float __attribute__((vector_size(16)));
    Four rows[4];
    for (std::size_t i = 0; i < 4; ++i) {
        __builtin_memcpy(&rows[i], in + i * in_stride, sizeof(Four));
    }
    const Four low02 = __builtin_shufflevector(rows[0], rows[2], 0, 4, 1, 5);
    const Four high02 = __builtin_shufflevector(rows[0], rows[2], 2, 6, 3, 7);
    const Four low13 = __builtin_shufflevector(rows[1], rows[3], 0, 4, 1, 5);
    const Four high13 = __builtin_shufflevector(rows[1], rows[3], 2, 6, 3, 7);
    const Four columns[4] = {
        __builtin_shufflevector(low02, low13, 0, 4, 1, 5), __builtin_shufflevector(low02, low13, 2, 6, 3, 7),
        __builtin_shufflevector(high02, high13, 0, 4, 1, 5), __builtin_shufflevector(high02, high13, 2, 6, 3, 7)};
    for (std::size_t i = 0; i < 4; ++i) {
        __builtin_memcpy(out + i * out_stride, &columns[i], sizeof(Four));
    }
}
#endif
#endif

template <class T>
static inline void transpose_all(const T* in, std::size_t in_stride, std::size_t rows, std::size_t columns, T* out,
                                 std::size_t out_stride) {
    std::size_t row = 0;
    for (; row + 4 <= rows; row += 4) {
        std::size_t column = 0;
        for (; column + 4 <= columns; column += 4) {
            transpose_4x4(in + row * in_stride + column, in_stride, out + column * out_stride + row, out_stride);
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

static void transpose(const float* in, std::size_t in_stride, std::size_t rows, std::size_t columns, float* out,
                      std::size_t out_stride) {
    transpose_all(in, in_stride, rows, columns, out, out_stride);
}

}  // namespace edgedet::EDGEDET_LEVEL
