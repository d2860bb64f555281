#pragma once

#include "edgedet/half.hpp"
#include "edgedet/loops/stream.hpp"
#include "edgedet/loops/transpose.hpp"
#include "edgedet/loops/vector.hpp"
#include "edgedet/vector_loops.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

/// The larger of two; under kNan the one that is NaN, which costs a second comparison.
template <bool kNan, class Vector>
static inline Vector pooled(Vector a, Vector b) {
    if constexpr (kNan) {
        return ((b > a) | (b != b)) ? b : a;
    }
    return b > a ? b : a;
}

template <class T, bool kNan>
static void widen_windows(const T* from, std::size_t distance, std::size_t count, T* out) {
    using Vector = typename VectorOf<T>::Type;
    for (std::size_t i = 0; i < count; i += kVectorBytes / sizeof(T)) {
        store(out + i, pooled<kNan>(load<Vector>(from + i), load<Vector>(from + i + distance)));
    }
}

/// A level's grid, (bins², kChunk): each bin is the union of four windows.
template <class T, bool kNan>
static inline void pool_windows(const PoolTask<T>& task, std::size_t bins, T* grid) {
    using Vector = typename VectorOf<T>::Type;
    constexpr std::size_t kChunk = PoolTask<T>::kChunk;
    for (std::size_t i = 0; i < bins; ++i) {
        const T* upper = task.corner + task.rows[i].first * task.width * kChunk;
        const T* lower = task.corner + task.rows[i].second * task.width * kChunk;
        for (std::size_t j = 0; j < bins; ++j, grid += kChunk) {
            const std::size_t left = task.columns[j].first * kChunk, right = task.columns[j].second * kChunk;
            for (std::size_t k = 0; k < kChunk; k += kVectorBytes / sizeof(T)) {
                const Vector above = pooled<kNan>(load<Vector>(upper + left + k), load<Vector>(upper + right + k));
                const Vector below = pooled<kNan>(load<Vector>(lower + left + k), load<Vector>(lower + right + k));
                store(grid + k, pooled<kNan>(above, below));
            }
        }
    }
}

/// A level's grid as the union of ratio × ratio bins of a finer one; kRatio: the ratio where it is known, else 0.
template <class T, bool kNan, std::size_t kRatio>
static inline void merge_bins(const T* finer, std::size_t finer_bins, std::size_t bins, T* grid) {
    using Vector = typename VectorOf<T>::Type;
    constexpr std::size_t kChunk = PoolTask<T>::kChunk;
    const std::size_t ratio = kRatio == 0 ? finer_bins / bins : kRatio;
    for (std::size_t i = 0; i < bins; ++i) {
        for (std::size_t j = 0; j < bins; ++j, grid += kChunk) {
            const T* corner = finer + (i * finer_bins + j) * ratio * kChunk;
            for (std::size_t k = 0; k < kChunk; k += kVectorBytes / sizeof(T)) {
                Vector top = load<Vector>(corner + k);
                for (std::size_t y = 0; y < ratio; ++y) {
                    for (std::size_t x = y == 0 ? 1 : 0; x < ratio; ++x) {
                        top = pooled<kNan>(top, load<Vector>(corner + (y * finer_bins + x) * kChunk + k));
                    }
                }
                store(grid + k, top);
            }
        }
    }
}

template <class T, bool kNan>
static inline void merge_level(const PoolTask<T>& task, const PoolLevel& level, T* grid) {
    const PoolLevel& finer = task.levels[level.finer];
    const T* from = task.grids + finer.grid * PoolTask<T>::kChunk;
    switch (finer.bins / level.bins) {
        case 2:
            return merge_bins<T, kNan, 2>(from, finer.bins, level.bins, grid);
        case 3:
            return merge_bins<T, kNan, 3>(from, finer.bins, level.bins, grid);
        default:
            return merge_bins<T, kNan, 0>(from, finer.bins, level.bins, grid);
    }
}

/// From the code back to float16.
static inline void decode(float*, std::size_t) {}
static inline void decode(std::int16_t* codes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        codes[i] = ordered_half(static_cast<std::uint16_t>(codes[i]));
    }
}

/// Where a level's numbers of this chunk go: one run of memory.
template <class T>
static inline T* run_of(const PoolTask<T>& task, const PoolLevel& level) {
    return task.out + level.offset + task.first_channel * level.bins * level.bins;
}

template <class T, bool kNan>
static void pool(const PoolTask<T>& task) {
    // Streaming writes whole lines. The two at the ends of a run are shared with the chunks beside this one, and must
    // be read: from now on, so that nothing waits for them.
    for (std::size_t i = 0; i < task.level_count; ++i) {
        const PoolLevel& level = task.levels[i];
        __builtin_prefetch(run_of(task, level), 1);
        __builtin_prefetch(run_of(task, level) + level.bins * level.bins * task.channels - 1, 1);
    }
    for (std::size_t i = 0; i < task.level_count; ++i) {
        const PoolLevel& level = task.levels[i];
        T* grid = task.grids + level.grid * PoolTask<T>::kChunk;
        if (i == 0) {
            pool_windows<T, kNan>(task, level.bins, grid);
        } else {
            merge_level<T, kNan>(task, level, grid);
        }
        const std::size_t bins = level.bins * level.bins;
        transpose(grid, PoolTask<T>::kChunk, bins, task.channels, task.turned, bins);
        decode(task.turned, bins * task.channels);
        stream(task.turned, bins * task.channels, run_of(task, level));
    }
}

}  // namespace edgedet::EDGEDET_LEVEL
