#include "edgedet/spp.hpp"

#include "job.hpp"

namespace {

constexpr std::size_t kChannels = 128, kHeight = 20, kWidth = 27, kRegions = 60;

template <class T>
struct Pool {
    std::vector<T> map;
    std::vector<std::int32_t> regions;
    std::vector<T> out;
};

std::int32_t cells(Numbers& numbers, std::size_t from, std::size_t end) {
    return static_cast<std::int32_t>(from + numbers.below(end - from));
}

template <class T, class Value>
Work run(Value value) {
    const std::vector<std::size_t> levels{6, 3, 2, 1};
    Numbers numbers;
    Pool<T> pool;
    for (std::size_t i = 0; i < kChannels * kHeight * kWidth; ++i) {
        pool.map.push_back(value(numbers));
    }
    for (std::size_t i = 0; i < kRegions; ++i) {
        const std::int32_t x = cells(numbers, 0, kWidth), y = cells(numbers, 0, kHeight);
        const std::int32_t right = cells(numbers, static_cast<std::size_t>(x) + 1, kWidth + 1);
        const std::int32_t bottom = cells(numbers, static_cast<std::size_t>(y) + 1, kHeight + 1);
        pool.regions.insert(pool.regions.end(), {x, y, right, bottom});
    }
    pool.out.resize(kRegions * edgedet::spp_length(kChannels, levels));
    return work(std::move(pool), [levels](Pool<T>& data) {
        const edgedet::FeatureMap<T> map{data.map.data(), kChannels, kHeight, kWidth};
        edgedet::spp_pool(map, data.regions.data(), kRegions, levels, data.out.data());
    });
}

}  // namespace

std::vector<Job> spp_jobs() {
    const auto number = [](Numbers& numbers) { return numbers.between(-1, 1); };
    // Any finite float16.
    const auto half = [](Numbers& numbers) { return static_cast<std::uint16_t>(numbers.below(0x7c00)); };
    return {{"spp_pool", [number] { return run<float>(number); }},
            {"spp_pool_half", [half] { return run<std::uint16_t>(half); }}};
}
