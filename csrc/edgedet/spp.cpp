#include "edgedet/spp.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>

#include "edgedet/vector_level.hpp"

namespace edgedet {

namespace {

/// Half-open cells.
struct Region {
    std::size_t x0, y0, x1, y1;
};

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

/// Bin i of b over n cells covers [floor(i·n / b), ceil((i + 1)·n / b)), without a division for each.
void lay_out(std::size_t begin, std::size_t end, std::size_t bins, Span* spans) {
    const std::size_t cells = end - begin;
    const std::size_t step = cells / bins, step_rest = cells % bins;
    std::size_t at = begin, rest = 0;
    for (std::size_t i = 0; i < bins; ++i) {
        spans[i].begin = at;
        at += step;
        rest += step_rest;
        if (rest >= bins) {
            rest -= bins;
            ++at;
        }
        spans[i].end = at + (rest > 0 ? 1 : 0);
    }
}

/// The map in chunks of channels, (chunk, row, column, channel): a cell's channels are one run of memory, so that a
/// maximum over cells is a vector loop, and one chunk of all cells stays in the cache while all regions are pooled.
class Chunks {
  public:
    static constexpr std::size_t kSize = PoolTask<float>::kChunk;

    explicit Chunks(const FeatureMap& map) : cells_(map.height * map.width) {
        data_.resize((map.channels + kSize - 1) / kSize * kSize * cells_);
        for (std::size_t c = 0; c < map.channels; c += kSize) {
            const std::size_t count = std::min(kSize, map.channels - c);
            loops().transpose(map.data + c * cells_, cells_, count, cells_, data_.data() + c * cells_, kSize);
        }
        for (const float value : data_) {
            has_nan_ |= value != value;
        }
    }

    const float* of(std::size_t channel) const { return data_.data() + channel * cells_; }
    bool has_nan() const { return has_nan_; }

  private:
    std::size_t cells_;
    std::vector<float> data_;
    bool has_nan_ = false;
};

/// Levels in the order of computation, and room for what one region needs.
class Pyramid {
  public:
    Pyramid(const FeatureMap& map, const std::vector<std::size_t>& bins) {
        const std::size_t finest = *std::max_element(bins.begin(), bins.end());
        // floor(ik·n / b) = floor(i·n / (b/k)), likewise ceil: a coarser bin is then exactly a union of finest bins.
        const auto divides = [finest](std::size_t b) { return finest % b == 0; };
        nested_ = std::all_of(bins.begin(), bins.end(), divides);
        std::size_t offset = 0;
        for (const std::size_t b : bins) {
            levels_.push_back({b, nullptr, nullptr, offset});
            offset += map.channels * b * b;
        }
        const auto finer = [](const PoolLevel& a, const PoolLevel& b) { return a.bins > b.bins; };
        std::stable_sort(levels_.begin(), levels_.end(), finer);
        spans_.resize(2 * std::accumulate(bins.begin(), bins.end(), std::size_t{0}));
        fine_.resize(finest * finest * Chunks::kSize);
        coarse_.resize(fine_.size());
        turned_.resize(fine_.size());
        strip_.resize(std::max(finest, map.width) * Chunks::kSize);
    }

    PoolTask<float> task(const Region& region) {
        Span* spans = spans_.data();
        for (PoolLevel& level : levels_) {
            if (nested_ && &level != levels_.data()) {
                break;
            }
            level.rows = spans;
            lay_out(region.y0, region.y1, level.bins, spans);
            level.columns = spans += level.bins;
            lay_out(region.x0, region.x1, level.bins, spans);
            spans += level.bins;
        }
        PoolTask<float> task{};
        task.levels = levels_.data();
        task.level_count = levels_.size();
        task.fine = fine_.data();
        task.coarse = coarse_.data();
        task.turned = turned_.data();
        task.strip = strip_.data();
        return task;
    }

  private:
    bool nested_;
    std::vector<PoolLevel> levels_;
    std::vector<Span> spans_;
    std::vector<float> fine_, coarse_, turned_, strip_;
};

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
    std::vector<Region> checked(count);
    for (std::size_t i = 0; i < count; ++i) {
        checked[i] = checked_region(regions + 4 * i, i, map);
    }
    const Chunks chunks(map);
    const auto pool = chunks.has_nan() ? loops().pool_nan : loops().pool;
    const std::size_t length = spp_length(map.channels, levels);
    Pyramid pyramid(map, levels);
    for (std::size_t channel = 0; channel < map.channels; channel += Chunks::kSize) {
        for (std::size_t i = 0; i < count; ++i) {
            PoolTask<float> task = pyramid.task(checked[i]);
            task.cells = chunks.of(channel);
            task.width = map.width;
            task.first_channel = channel;
            task.channels = std::min(Chunks::kSize, map.channels - channel);
            task.out = out + i * length;
            pool(task);
        }
    }
    // What was written past the caches is ordered by nothing less, should another thread read it.
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace edgedet
