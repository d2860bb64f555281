#pragma once

#include <cstddef>
#include <cstdint>

// The loops in which the time goes. loops/*.hpp is compiled once for each vector level, and one table of its functions
// is chosen at run time (vector_level.hpp). All levels give the same bits: no fused multiply-add, no reordered sums.

namespace edgedet {

/// At most 32 runs of `count` numbers, whose begins lie `stride` apart. T is float, or std::int16_t for float16's bits.
template <class T>
struct RowRuns {
    const T* first;
    std::size_t count, stride, rows;
};

/// A run of cells along one axis as the union of two windows of a size that both have; counted from the region's first.
struct Windows {
    std::size_t first, second;
};

/// One level of a pyramid.
struct PoolLevel {
    std::size_t bins;
    std::size_t finer;   ///< the level of the task that this is a union of; the first one is pooled from windows
    std::size_t grid;    ///< where its bins begin in the room for grids
    std::size_t offset;  ///< where its numbers begin in the region's row
};

/// One chunk of channels of one region. T is float, or std::int16_t as an order-keeping code of float16.
template <class T>
struct PoolTask {
    static constexpr std::size_t kChunk = 128 / sizeof(T);  ///< channels: two cache lines

    const T* corner;         ///< (rows, width, kChunk) maxima over windows, from the region's first cell on
    std::size_t width;       ///< cells from row to row
    const Windows* rows;     ///< of the map, one for each bin of the first level
    const Windows* columns;  ///< likewise
    const PoolLevel* levels;
    std::size_t level_count;
    T* grids;                             ///< room for all levels: (bins², kChunk) each
    T* turned;                            ///< room for any one, transposed
    T* out;                               ///< the region's row
    std::size_t first_channel, channels;  ///< of the map, in this chunk
};

template <class T>
struct PoolLoops {
    /// out[i] = the larger of from[i] and from[i + distance]; out may be from; count in whole chunks.
    void (*widen)(const T* from, std::size_t distance, std::size_t count, T* out);
    void (*pool)(const PoolTask<T>& task);
};

/// After so many numbers normalize_run() begins its means and deviations again.
constexpr std::size_t kPeriod = 48;

/// Where the columns of a resized row come from: each of two neighbouring samples, the left one and the next.
struct ColumnTaps {
    std::size_t blocks;                ///< of 8 columns; a multiple of 4
    const std::uint32_t* left;         ///< (blocks, 8)
    const std::int16_t* low_weights;   ///< (blocks, 4, 2): left and right, of the first four columns of each block
    const std::int16_t* high_weights;  ///< likewise, of the others
    // For machines that look up bytes: where a block's 16 samples are.
    std::size_t windows;          ///< of 16 samples, for each block
    const std::uint32_t* starts;  ///< (windows, blocks)
    const std::uint8_t* indices;  ///< (windows, blocks, 16): inside the window; 128: in another window
};

struct VectorLoops {
    /// Which runs hold a number greater than the cutoff, as bits; infinities count.
    std::uint32_t (*exceeding)(const RowRuns<float>& runs, float cutoff);
    /// The same of float16, with a cutoff as ordered_half(); NaN may count.
    std::uint32_t (*exceeding_halves)(const RowRuns<std::int16_t>& runs, std::int16_t cutoff);
    /// Positions of finite values greater than the cutoff, appended to `out` (room for `count`); gives how many.
    std::size_t (*above)(const float* values, std::size_t count, float cutoff, std::uint32_t* out);
    /// float16 to float32.
    void (*widen)(const std::uint16_t* halves, std::size_t count, float* out);
    /// The largest entry that is not NaN, or -inf.
    float (*largest)(const float* values, std::size_t count);
    /// out = e^(values - top); returns the sum, in an order that is the same for all levels.
    float (*exponentials)(const float* values, std::size_t count, float top, float* out);

    PoolLoops<float> pool;
    PoolLoops<float> pool_nan;  ///< NaN wins
    PoolLoops<std::int16_t> pool_codes;

    /// out (columns, rows) = in (rows, columns), with distances between rows.
    void (*transpose)(const float* in, std::size_t in_stride, std::size_t rows, std::size_t columns, float* out,
                      std::size_t out_stride);

    /// Pixels of three bytes to three planes.
    void (*split_pixels)(const std::uint8_t* pixels, std::size_t width, std::uint8_t* const* planes);
    /// And back.
    void (*merge_pixels)(const std::uint8_t* const* planes, std::size_t width, std::uint8_t* pixels);
    /// out[i] = (values[i] - mean[i % kPeriod]) / std[i % kPeriod]
    void (*normalize_run)(const std::uint8_t* values, std::size_t count, const float* mean, const float* std,
                          float* out);

    /// out[i] = (left sample * left weight + right sample * right weight) / 16, rounded down; all blocks. Samples up to
    /// 16 beyond a left one are read.
    void (*blend_columns)(const std::uint8_t* samples, const ColumnTaps& taps, std::int16_t* out);
    /// Two such rows, to bytes: the products' upper halves, added, and rounded to a quarter.
    void (*blend_rows)(const std::int16_t* top, const std::int16_t* bottom, std::int16_t top_weight,
                       std::int16_t bottom_weight, std::size_t count, std::uint8_t* out);
    /// The same, to (byte - mean) / std.
    void (*blend_normalized)(const std::int16_t* top, const std::int16_t* bottom, std::int16_t top_weight,
                             std::int16_t bottom_weight, std::size_t count, float mean, float std, float* out);

    /// Pairs of bytes to two runs, and back.
    void (*split_pairs)(const std::uint8_t* pairs, std::size_t count, std::uint8_t* first, std::uint8_t* second);
    void (*merge_pairs)(const std::uint8_t* first, const std::uint8_t* second, std::size_t count, std::uint8_t* pairs);
    /// A row of YUV to blue, green and red; chroma is a pair for each two pixels, U or V first.
    void (*yuv_to_planes)(const std::uint8_t* luma, const std::uint8_t* chroma, bool u_first, std::size_t width,
                          std::uint8_t* const* planes);
};

// One for each level; null pointers where the machine's family lacks it.
namespace scalar {
extern const VectorLoops kLoops;
}
namespace baseline {
extern const VectorLoops kLoops;
}
namespace avx2 {
extern const VectorLoops kLoops;
}
namespace avx512 {
extern const VectorLoops kLoops;
}

}  // namespace edgedet
