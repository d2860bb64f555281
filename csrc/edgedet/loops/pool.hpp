#pragma once

#if defined(__SSE2__) && !defined(EDGEDET_SCALAR)
#include <emmintrin.h>
#endif

#include "edgedet/loops/transpose.hpp"
#include "edgedet/loops/vector.hpp"
#include "edgedet/vector_loops.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

/// The larger of two; under kNan the one that is NaN, which costs a second comparison.
template <bool kNan, class T>
static inline T pooled(T a, T b) {
    if constexpr (kNan) {
        return ((b > a) | (b != b)) ? b : a;
    }
    return b > a ? b : a;
}

/// out = the maximum over `rows` of runs of `count` numbers, `stride` apart.
template <class T, bool kNan>
static inline void pool_rows(const T* runs, std::size_t stride, Span rows, std::size_t count, T* out) {
    const T* run = runs + rows.begin * stride;
    if (rows.end == rows.begin + 1) {
        for (std::size_t k = 0; k < count; ++k) {
            out[k] = run[k];
        }
        return;
    }
    for (std::size_t k = 0; k < count; ++k) {
        out[k] = pooled<kNan>(run[k], run[stride + k]);
    }
    for (std::size_t y = rows.begin + 2; y < rows.end; ++y) {
        run = runs + y * stride;
        for (std::size_t k = 0; k < count; ++k) {
            out[k] = pooled<kNan>(out[k], run[k]);
        }
    }
}

/// The maximum over `columns` of cells of kChunk numbers.
template <class T, bool kNan>
static inline void pool_columns(const T* cells, Span columns, T* out) {
    using Vector = typename VectorOf<T>::Type;
    constexpr std::size_t kChunk = PoolTask<T>::kChunk, kSize = kVectorBytes / sizeof(T);
    // Four vectors by name: of an array the compilers would not keep the maxima in registers.
    for (std::size_t k = 0; k < kChunk; k += 4 * kSize) {
        const T* cell = cells + columns.begin * kChunk + k;
        Vector a = load<Vector>(cell), b = load<Vector>(cell + kSize);
        Vector c = load<Vector>(cell + 2 * kSize), d = load<Vector>(cell + 3 * kSize);
        for (std::size_t x = columns.begin + 1; x < columns.end; ++x) {
            cell += kChunk;
            a = pooled<kNan>(a, load<Vector>(cell));
            b = pooled<kNan>(b, load<Vector>(cell + kSize));
            c = pooled<kNan>(c, load<Vector>(cell + 2 * kSize));
            d = pooled<kNan>(d, load<Vector>(cell + 3 * kSize));
        }
        const Vector all[4] = {a, b, c, d};
        __builtin_memcpy(out + k, all, sizeof all);
    }
}

/// One level's grid, (bins², kChunk): rows first, where runs are long, then columns.
template <class T, bool kNan>
static inline void pool_level(const PoolTask<T>& task, const PoolLevel& level, T* grid) {
    constexpr std::size_t kChunk = PoolTask<T>::kChunk;
    const std::size_t left = level.columns[0].begin, right = level.columns[level.bins - 1].end;
    const T* cells = task.cells + left * kChunk;
    for (std::size_t i = 0; i < level.bins; ++i) {
        pool_rows<T, kNan>(cells, task.width * kChunk, level.rows[i], (right - left) * kChunk, task.strip);
        for (std::size_t j = 0; j < level.bins; ++j, grid += kChunk) {
            pool_columns<T, kNan>(task.strip, {level.columns[j].begin - left, level.columns[j].end - left}, grid);
        }
    }
}

/// The same as a union of the finest level's bins.
template <class T, bool kNan>
static inline void merge_level(const PoolTask<T>& task, std::size_t finest, std::size_t bins, T* grid) {
    constexpr std::size_t kChunk = PoolTask<T>::kChunk;
    const std::size_t ratio = finest / bins;
    for (std::size_t i = 0; i < bins; ++i) {
        pool_rows<T, kNan>(task.fine, finest * kChunk, {i * ratio, (i + 1) * ratio}, finest * kChunk, task.strip);
        for (std::size_t j = 0; j < bins; ++j, grid += kChunk) {
            pool_columns<T, kNan>(task.strip, {j * ratio, (j + 1) * ratio}, grid);
        }
    }
}

/// Numbers from which on a run is written past the caches: nobody reads it soon, and so its lines need not be read
/// before they are written, which is half of the traffic.
constexpr std::size_t kStreamed = 256;

template <class T>
static inline void stream(const T* from, std::size_t count, T* to) {
    std::size_t i = 0;
#if defined(__SSE2__) && !defined(EDGEDET_SCALAR)
    constexpr std::size_t kStep = 16 / sizeof(T);
    for (; i < count && reinterpret_cast<std::uintptr_t>(to + i) % 16 != 0; ++i) {
        to[i] = from[i];
    }
    for (; i + 4 * kStep <= count; i += 4 * kStep) {
        for (std::size_t k = 0; k < 4; ++k) {
            const __m128i part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i + k * kStep));
            _mm_stream_si128(reinterpret_cast<__m128i*>(to + i + k * kStep), part);
        }
    }
#endif
    for (; i < count; ++i) {
        to[i] = from[i];
    }
}

template <class T, bool kNan>
static void pool(const PoolTask<T>& task) {
    const std::size_t finest = task.levels[0].bins;
    for (std::size_t i = 0; i < task.level_count; ++i) {
        const PoolLevel& level = task.levels[i];
        T* grid = i == 0 ? task.fine : task.coarse;
        if (level.rows == nullptr) {
            merge_level<T, kNan>(task, finest, level.bins, grid);
        } else {
            pool_level<T, kNan>(task, level, grid);
        }
        const std::size_t bins = level.bins * level.bins;
        T* out = task.out + level.offset + task.first_channel * bins;
        if constexpr (sizeof(T) == 2) {
            transpose_all(grid, PoolTask<T>::kChunk, bins, task.channels, task.turned, bins);
            for (std::size_t k = 0; k < bins * task.channels; ++k) {
                const T code = task.turned[k];
                task.turned[k] = static_cast<T>(code ^ ((code >> 15) & 0x7FFF));  // from the code back to float16
            }
            stream(task.turned, bins * task.channels, out);
        } else if (bins * task.channels < kStreamed) {
            transpose_all(grid, PoolTask<T>::kChunk, bins, task.channels, out, bins);
        } else {
            transpose_all(grid, PoolTask<T>::kChunk, bins, task.channels, task.turned, bins);
            stream(task.turned, bins * task.channels, out);
        }
    }
}

}  // namespace edgedet::EDGEDET_LEVEL
