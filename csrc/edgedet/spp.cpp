#include "edgedet/spp.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace edgedet {

namespace {

/// Half-open cells.
struct Region {
    std::size_t x0, y0, x1, y1;
};

struct Span {
    std::size_t begin, end;
};

Span bin_span(std::size_t bin, std::size_t bins, std::size_t begin, std::size_t end) {
    const std::size_t cells = end - begin;
    return {begin + bin * cells / bins, begin + ((bin + 1) * cells + bins - 1) / bins};
}

/// Reads a region once (the array is the caller's, and may change) and checks it.
Region checked_region(const std::int32_t* row, std::size_t index, const FeatureMap& map) {
    const std::int32_t x0 = row[0], y0 = row[1], x1 = row[2], y1 = row[3];
    const auto inside = [](std::int32_t begin, std::int32_t end, std::size_t size) {
        return 0 <= begin && begin < end && static_cast<std::size_t>(end) <= size;
    };
    if (!inside(x0, x1, map.width) || !inside(y0, y1, map.height)) {
        throw std::invalid_argument("regions: expected 0 <= x0 < x1 <= " + std::to_string(map.width) +
                                    " and 0 <= y0 < y1 <= " + std::to_string(map.height) + ", got region " +
                                    std::to_string(index) + " = (" + std::to_string(x0) + ", " + std::to_string(y0) +
                                    ", " + std::to_string(x1) + ", " + std::to_string(y1) +
                                    "); do make regions with project_regions");
    }
    return {static_cast<std::size_t>(x0), static_cast<std::size_t>(y0), static_cast<std::size_t>(x1),
            static_cast<std::size_t>(y1)};
}

/// Channels last, so that one cell's channels are one run of memory and a maximum over cells is a vector loop.
class ChannelsLast {
  public:
    explicit ChannelsLast(const FeatureMap& map)
        : channels_(map.channels), width_(map.width), data_(map.channels * map.height * map.width) {
        const std::size_t cells = map.height * map.width;
        for (std::size_t c = 0; c < channels_; ++c) {
            for (std::size_t i = 0; i < cells; ++i) {
                const float value = map.data[c * cells + i];
                data_[i * channels_ + c] = value;
                has_nan_ |= value != value;
            }
        }
    }

    const float* cell(std::size_t y, std::size_t x) const { return data_.data() + (y * width_ + x) * channels_; }
    bool has_nan() const { return has_nan_; }

  private:
    std::size_t channels_, width_;
    std::vector<float> data_;
    bool has_nan_ = false;
};

/// Pools one region after another. `kNan`: NaN wins; costs a second comparison, so only for maps that hold one.
template <bool kNan>
class RegionPooler {
  public:
    RegionPooler(const ChannelsLast& map, std::size_t channels, const std::vector<std::size_t>& levels)
        : map_(map), channels_(channels), row_(channels + kPadding), levels_(levels) {
        finest_ = *std::max_element(levels.begin(), levels.end());
        // floor(ik·n / b) = floor(i·n / (b/k)), likewise ceil: a coarser bin is then exactly a union of finest bins.
        nested_ = std::all_of(levels.begin(), levels.end(), [this](std::size_t b) { return finest_ % b == 0; });
        fine_.resize(finest_ * finest_ * row_);
        coarse_.resize(fine_.size());
    }

    void pool(const Region& region, float* out) {
        if (nested_) {
            pool_cells(region, finest_, fine_.data());
        }
        for (const std::size_t bins : levels_) {
            const float* pooled = fine_.data();
            if (!nested_ || bins != finest_) {
                if (nested_) {
                    merge(bins);
                } else {
                    pool_cells(region, bins, coarse_.data());
                }
                pooled = coarse_.data();
            }
            for (std::size_t c = 0; c < channels_; ++c) {
                for (std::size_t bin = 0; bin < bins * bins; ++bin) {
                    *out++ = pooled[bin * row_ + c];
                }
            }
        }
    }

  private:
    // Rows a power of two apart would fall into the same few places of the cache when read across.
    static constexpr std::size_t kPadding = 16;

    void maximum(float* into, const float* values) const {
        for (std::size_t c = 0; c < channels_; ++c) {
            const bool wins = kNan ? (values[c] > into[c]) | (values[c] != values[c]) : values[c] > into[c];
            into[c] = wins ? values[c] : into[c];
        }
    }

    /// The bins × bins grid straight from the map: (bins², row_).
    void pool_cells(const Region& region, std::size_t bins, float* grid) const {
        for (std::size_t i = 0; i < bins; ++i) {
            const Span ys = bin_span(i, bins, region.y0, region.y1);
            for (std::size_t j = 0; j < bins; ++j, grid += row_) {
                const Span xs = bin_span(j, bins, region.x0, region.x1);
                std::copy_n(map_.cell(ys.begin, xs.begin), channels_, grid);
                for (std::size_t y = ys.begin; y < ys.end; ++y) {
                    for (std::size_t x = xs.begin; x < xs.end; ++x) {
                        maximum(grid, map_.cell(y, x));
                    }
                }
            }
        }
    }

    /// A coarser grid from the finest.
    void merge(std::size_t bins) {
        const std::size_t ratio = finest_ / bins;
        float* grid = coarse_.data();
        for (std::size_t i = 0; i < bins; ++i) {
            for (std::size_t j = 0; j < bins; ++j, grid += row_) {
                const float* corner = fine_.data() + (i * finest_ + j) * ratio * row_;
                std::copy_n(corner, channels_, grid);
                for (std::size_t y = 0; y < ratio; ++y) {
                    for (std::size_t x = 0; x < ratio; ++x) {
                        maximum(grid, corner + (y * finest_ + x) * row_);
                    }
                }
            }
        }
    }

    const ChannelsLast& map_;
    std::size_t channels_, row_;
    const std::vector<std::size_t>& levels_;
    std::size_t finest_;
    bool nested_;
    std::vector<float> fine_, coarse_;
};

template <bool kNan>
void pool_all(const FeatureMap& map, const ChannelsLast& cells, const std::int32_t* regions, std::size_t count,
              const std::vector<std::size_t>& levels, float* out) {
    RegionPooler<kNan> pooler(cells, map.channels, levels);
    const std::size_t length = spp_length(map.channels, levels);
    for (std::size_t i = 0; i < count; ++i) {
        pooler.pool(checked_region(regions + 4 * i, i, map), out + i * length);
    }
}

}  // namespace

std::size_t spp_length(std::size_t channels, const std::vector<std::size_t>& levels) {
    std::size_t bins = 0;
    for (const std::size_t b : levels) {
        bins += b * b;
    }
    return channels * bins;
}

void spp_pool(const FeatureMap& map, const std::int32_t* regions, std::size_t count,
              const std::vector<std::size_t>& levels, float* out) {
    const ChannelsLast cells(map);
    if (cells.has_nan()) {
        pool_all<true>(map, cells, regions, count, levels, out);
    } else {
        pool_all<false>(map, cells, regions, count, levels, out);
    }
}

}  // namespace edgedet
