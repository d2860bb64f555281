#include "edgedet/spp.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>

#include "edgedet/vector_level.hpp"

namespace edgedet {

namespace {

/// Half-open cells.
struct Region {
    std::size_t x0, y0, x1, y1;
};

/// Reads a region once (the array is the caller's, and may change) and checks it.
Region checked_region(const std::int32_t* row, std::size_t index, std::size_t map_width, std::size_t map_height) {
    const std::int32_t x0 = row[0], y0 = row[1], x1 = row[2], y1 = row[3];
    const auto inside = [](std::int32_t begin, std::int32_t end, std::size_t size) {
        return 0 <= begin && begin < end && static_cast<std::size_t>(end) <= size;
    };
    if (!inside(x0, x1, map_width) || !inside(y0, y1, map_height)) {
        throw std::invalid_argument("regions: expected 0 <= x0 < x1 <= " + std::to_string(map_width) +
                                    " and 0 <= y0 < y1 <= " + std::to_string(map_height) + ", got region " +
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

/// float16 as whole numbers that order as it does, and back; NaN is above all others, and so wins every bin.
std::int16_t code_of(std::uint16_t half) {
    if ((half & 0x7FFFu) > 0x7C00u) {
        return 0x7E00;
    }
    const auto bits = static_cast<std::int16_t>(half);
    return static_cast<std::int16_t>(bits ^ ((bits >> 15) & 0x7FFF));
}

void turn(const FeatureMap<float>& map, std::size_t channel, std::size_t count, float* out) {
    const std::size_t cells = map.height * map.width;
    loops().transpose(map.data + channel * cells, cells, count, cells, out, PoolTask<float>::kChunk);
}

void turn(const FeatureMap<std::uint16_t>& map, std::size_t channel, std::size_t count, std::int16_t* out) {
    const std::size_t cells = map.height * map.width;
    for (std::size_t c = 0; c < count; ++c) {
        for (std::size_t i = 0; i < cells; ++i) {
            out[i * PoolTask<std::int16_t>::kChunk + c] = code_of(map.data[(channel + c) * cells + i]);
        }
    }
}

/// The map in chunks of channels, (chunk, row, column, channel): a cell's channels are one run of memory, so that a
/// maximum over cells is a vector loop, and one chunk of all cells stays in the cache while all regions are pooled.
template <class T>
class Chunks {
  public:
    static constexpr std::size_t kSize = PoolTask<T>::kChunk;

    template <class Given>
    explicit Chunks(const FeatureMap<Given>& map) : cells_(map.height * map.width) {
        data_.resize((map.channels + kSize - 1) / kSize * kSize * cells_);
        for (std::size_t c = 0; c < map.channels; c += kSize) {
            turn(map, c, std::min(kSize, map.channels - c), data_.data() + c * cells_);
        }
    }

    const T* of(std::size_t channel) const { return data_.data() + channel * cells_; }

    auto loop() const {
        if constexpr (std::is_same_v<T, float>) {
            bool has_nan = false;
            for (const float value : data_) {
                has_nan |= value != value;
            }
            return has_nan ? loops().pool_nan : loops().pool;
        } else {
            return loops().pool_codes;
        }
    }

  private:
    std::size_t cells_;
    std::vector<T> data_;
};

/// Levels in the order of computation, and room for what one region needs.
template <class T>
class Pyramid {
  public:
    Pyramid(std::size_t channels, std::size_t width, const std::vector<std::size_t>& bins) {
        const std::size_t finest = *std::max_element(bins.begin(), bins.end());
        // floor(ik·n / b) = floor(i·n / (b/k)), likewise ceil: a coarser bin is then exactly a union of finest bins.
        const auto divides = [finest](std::size_t b) { return finest % b == 0; };
        nested_ = std::all_of(bins.begin(), bins.end(), divides);
        std::size_t offset = 0;
        for (const std::size_t b : bins) {
            levels_.push_back({b, nullptr, nullptr, offset});
            offset += channels * b * b;
        }
        const auto finer = [](const PoolLevel& a, const PoolLevel& b) { return a.bins > b.bins; };
        std::stable_sort(levels_.begin(), levels_.end(), finer);
        spans_.resize(2 * std::accumulate(bins.begin(), bins.end(), std::size_t{0}));
        fine_.resize(finest * finest * Chunks<T>::kSize);
        coarse_.resize(fine_.size());
        turned_.resize(fine_.size());
        strip_.resize(std::max(finest, width) * Chunks<T>::kSize);
    }

    PoolTask<T> task(const Region& region) {
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
        PoolTask<T> task{};
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
    std::vector<T> fine_, coarse_, turned_, strip_;
};

/// Which region is the first of those equal to it.
std::vector<std::size_t> first_of_equals(const std::vector<Region>& regions) {
    std::vector<std::size_t> order(regions.size()), firsts(regions.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key = [&](std::size_t i) {
        return std::tie(regions[i].x0, regions[i].y0, regions[i].x1, regions[i].y1);
    };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    for (std::size_t k = 0; k < order.size(); ++k) {
        const bool again = k > 0 && key(order[k]) == key(order[k - 1]);
        firsts[order[k]] = again ? firsts[order[k - 1]] : order[k];
    }
    return firsts;
}

/// Calls work(begin, end) for parts of 0 .. count, each in a thread.
template <class Work>
void share(std::size_t count, std::size_t threads, Work work) {
    const std::size_t parts = std::max<std::size_t>(1, std::min(threads, count));
    std::vector<std::future<void>> others;
    for (std::size_t i = 1; i < parts; ++i) {
        others.push_back(std::async(std::launch::async, work, count * i / parts, count * (i + 1) / parts));
    }
    work(std::size_t{0}, count / parts);
    for (std::future<void>& other : others) {
        other.get();
    }
}

template <class T, class Given>
void pool_map(const FeatureMap<Given>& map, const std::int32_t* regions, std::size_t count,
              const std::vector<std::size_t>& levels, Given* out, std::size_t threads) {
    std::vector<Region> checked(count);
    for (std::size_t i = 0; i < count; ++i) {
        checked[i] = checked_region(regions + 4 * i, i, map.width, map.height);
    }
    const std::vector<std::size_t> firsts = first_of_equals(checked);
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < count; ++i) {
        if (firsts[i] == i) {
            wanted.push_back(i);
        }
    }
    const Chunks<T> chunks(map);
    const auto pool = chunks.loop();
    const std::size_t length = spp_length(map.channels, levels);
    share(wanted.size(), threads, [&](std::size_t begin, std::size_t end) {
        Pyramid<T> pyramid(map.channels, map.width, levels);
        for (std::size_t channel = 0; channel < map.channels; channel += Chunks<T>::kSize) {
            for (std::size_t i = begin; i < end; ++i) {
                PoolTask<T> task = pyramid.task(checked[wanted[i]]);
                task.cells = chunks.of(channel);
                task.width = map.width;
                task.first_channel = channel;
                task.channels = std::min(Chunks<T>::kSize, map.channels - channel);
                task.out = reinterpret_cast<T*>(out + wanted[i] * length);  // float16 and its codes are as long
                pool(task);
            }
        }
        // What was written past the caches is ordered by nothing less, should another thread read it.
        std::atomic_thread_fence(std::memory_order_seq_cst);
    });
    for (std::size_t i = 0; i < count; ++i) {
        if (firsts[i] != i) {
            std::copy_n(out + firsts[i] * length, length, out + i * length);
        }
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

void spp_pool(const FeatureMap<float>& map, const std::int32_t* regions, std::size_t count,
              const std::vector<std::size_t>& levels, float* out, std::size_t threads) {
    pool_map<float>(map, regions, count, levels, out, threads);
}

void spp_pool(const FeatureMap<std::uint16_t>& map, const std::int32_t* regions, std::size_t count,
              const std::vector<std::size_t>& levels, std::uint16_t* out, std::size_t threads) {
    pool_map<std::int16_t>(map, regions, count, levels, out, threads);
}

}  // namespace edgedet
