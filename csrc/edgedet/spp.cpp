#include "edgedet/spp.hpp"

#include <algorithm>
#include <atomic>
#include <future>

#include "edgedet/half.hpp"
#include "edgedet/region.hpp"
#include "edgedet/spp_plan.hpp"
#include "edgedet/vector_level.hpp"

namespace edgedet {

namespace {

/// In the order of numbers, but NaN is above all others, and so wins every bin.
std::int16_t code_of(std::uint16_t half) { return (half & 0x7FFFu) > 0x7C00u ? 0x7E00 : ordered_half(half); }

/// `count` channels of the map from `channel` on, as (row, column, kChunk).
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

const PoolLoops<float>& loops_for(const std::vector<float>& values) {
    bool has_nan = false;
    for (const float value : values) {
        has_nan |= value != value;
    }
    return has_nan ? loops().pool_nan : loops().pool;
}

const PoolLoops<std::int16_t>& loops_for(const std::vector<std::int16_t>&) { return loops().pool_codes; }

/// Pools chunks of channels, (row, column, channel): a cell's channels are one run of memory, so that a maximum over
/// cells is a vector loop, and one chunk of all cells stays in the cache while all regions are pooled.
template <class T, class Given>
class ChunkPool {
  public:
    static constexpr std::size_t kChunk = PoolTask<T>::kChunk;

    ChunkPool(const FeatureMap<Given>& map, const SppPlan& plan, std::size_t length, Given* out)
        : map_(map),
          plan_(plan),
          length_(length),
          out_(out),
          cells_(map.height * map.width),
          tall_(cells_ * kChunk),
          wide_(cells_ * kChunk),
          grids_(plan.most_bins_of_family() * kChunk),
          turned_(plan.most_bins_of_level() * kChunk) {}

    void pool(std::size_t first_channel) {
        const std::size_t channels = std::min(kChunk, map_.channels - first_channel);
        turn(map_, first_channel, channels, tall_.data());
        const PoolLoops<T>& loops = loops_for(tall_);
        unsigned tall_doublings = 0, wide_doublings = 0;
        for (const SppPlan::Job& job : plan_.jobs()) {
            for (; tall_doublings < job.row_doublings; ++tall_doublings) {
                widen(loops, tall_, map_.width << tall_doublings, tall_);
                wide_doublings = 0;
            }
            for (; wide_doublings < job.column_doublings; ++wide_doublings) {
                widen(loops, wide_doublings == 0 ? tall_ : wide_, std::size_t{1} << wide_doublings, wide_);
            }
            const T* table = job.column_doublings == 0 ? tall_.data() : wide_.data();
            PoolTask<T> task{};
            task.corner = table + job.corner * kChunk;
            task.width = map_.width;
            task.rows = job.rows;
            task.columns = job.columns;
            task.levels = plan_.family(job).data();
            task.level_count = plan_.family(job).size();
            task.grids = grids_.data();
            task.turned = turned_.data();
            task.out = reinterpret_cast<T*>(out_ + job.region * length_);  // float16 and its codes are as long
            task.first_channel = first_channel;
            task.channels = channels;
            loops.pool(task);
        }
    }

  private:
    /// Windows whose begin is too near the end of a row or of the map get wrong maxima; no bin asks for them.
    void widen(const PoolLoops<T>& loops, const std::vector<T>& from, std::size_t distance, std::vector<T>& to) {
        loops.widen(from.data(), distance * kChunk, (cells_ - distance) * kChunk, to.data());
    }

    const FeatureMap<Given>& map_;
    const SppPlan& plan_;
    std::size_t length_;
    Given* out_;
    std::size_t cells_;
    std::vector<T> tall_;  ///< maxima over windows of one column
    std::vector<T> wide_;  ///< the same over several columns
    std::vector<T> grids_, turned_;
};

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
    const std::vector<Region> checked = check_regions(regions, count, map.width, map.height);
    const std::vector<std::size_t> firsts = first_of_equals(checked);
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < count; ++i) {
        if (firsts[i] == i) {
            wanted.push_back(i);
        }
    }
    if (wanted.empty()) {
        return;
    }
    const std::size_t length = spp_length(map.channels, levels);
    const SppPlan plan(map.channels, map.width, levels, checked, wanted);
    constexpr std::size_t kChunk = PoolTask<T>::kChunk;
    share((map.channels + kChunk - 1) / kChunk, threads, [&](std::size_t begin, std::size_t end) {
        ChunkPool<T, Given> chunks(map, plan, length, out);
        for (std::size_t i = begin; i < end; ++i) {
            chunks.pool(i * kChunk);
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
