#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "edgedet/spp.hpp"

namespace {

using Levels = std::vector<std::size_t>;

std::vector<float> run(const std::vector<float>& map, std::size_t channels, std::size_t height, std::size_t width,
                       const std::vector<std::int32_t>& regions, const Levels& levels) {
    const std::size_t count = regions.size() / 4;
    std::vector<float> out(count * edgedet::spp_length(channels, levels));
    edgedet::spp_pool(edgedet::FeatureMap<float>{map.data(), channels, height, width}, regions.data(), count, levels,
                      out.data());
    return out;
}

/// channels × size × size, every value different.
std::vector<float> scrambled(std::size_t channels, std::size_t size) {
    std::vector<float> map(channels * size * size);
    for (std::size_t i = 0; i < map.size(); ++i) {
        map[i] = static_cast<float>(i * 7919 % 10007);
    }
    return map;
}

void order_is_level_channel_row_column() {
    const std::vector<float> map{1, 2, 3, 4, 5, 6, 7, 8};
    CHECK((run(map, 2, 2, 2, {0, 0, 2, 2}, {2, 1}) == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 4, 8}));
    CHECK((run(map, 2, 2, 2, {1, 0, 2, 1}, {1}) == std::vector<float>{2, 6}));
}

void bins_of_a_small_region_overlap() {
    CHECK((run({1, 5, 3}, 1, 1, 3, {0, 0, 3, 1}, {2}) == std::vector<float>{5, 5, 5, 5}));
    CHECK((run({4}, 1, 1, 1, {0, 0, 1, 1}, {3}) == std::vector<float>(9, 4.0f)));
}

void nested_levels_equal_lone_ones() {
    const std::vector<float> map = scrambled(3, 17);
    for (std::int32_t width = 1; width <= 17; ++width) {
        const std::vector<std::int32_t> region{17 - width, 0, 17, width};
        std::vector<float> lone;
        for (const std::size_t level : {6, 3, 2, 1}) {
            const std::vector<float> part = run(map, 3, 17, 17, region, {level});
            lone.insert(lone.end(), part.begin(), part.end());
        }
        CHECK(run(map, 3, 17, 17, region, {6, 3, 2, 1}) == lone);
    }
}

void levels_that_do_not_nest() {
    const std::vector<float> map = scrambled(2, 11);
    std::vector<float> lone = run(map, 2, 11, 11, {1, 2, 9, 11}, {4});
    const std::vector<float> second = run(map, 2, 11, 11, {1, 2, 9, 11}, {3});
    lone.insert(lone.end(), second.begin(), second.end());
    CHECK(run(map, 2, 11, 11, {1, 2, 9, 11}, {4, 3}) == lone);
}

void threads_share_the_regions() {
    const std::vector<float> map = scrambled(130, 9);
    const std::vector<std::int32_t> regions{0, 0, 9, 9, 1, 2, 8, 3, 0, 0, 9, 9, 4, 4, 5, 9};
    const std::vector<float> alone = run(map, 130, 9, 9, regions, {4, 2, 1});
    for (const std::size_t threads : {2, 3, 9}) {
        std::vector<float> out(alone.size());
        edgedet::spp_pool(edgedet::FeatureMap<float>{map.data(), 130, 9, 9}, regions.data(), 4, {4, 2, 1}, out.data(),
                          threads);
        CHECK(out == alone);
    }
}

void nan_wins() {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> out = run({nan, 1, 2, 3}, 1, 2, 2, {0, 0, 2, 2}, {2, 1});
    CHECK(std::isnan(out[0]) && out[1] == 1 && out[2] == 2 && out[3] == 3 && std::isnan(out[4]));
}

void wrong_regions_are_named() {
    const std::vector<float> map(12, 0.0f);
    const std::vector<std::vector<std::int32_t>> wrong{{-1, 0, 1, 1}, {0, -1, 1, 1}, {0, 0, 5, 1},
                                                       {0, 0, 1, 4},  {2, 0, 2, 1},  {0, 2, 1, 1}};
    for (const auto& region : wrong) {
        std::vector<std::int32_t> regions{0, 0, 4, 3};
        regions.insert(regions.end(), region.begin(), region.end());
        CHECK_THROWS(run(map, 1, 3, 4, regions, {1}), std::invalid_argument, "got region 1 = (");
    }
}

}  // namespace

int main() {
    order_is_level_channel_row_column();
    bins_of_a_small_region_overlap();
    nested_levels_equal_lone_ones();
    levels_that_do_not_nest();
    threads_share_the_regions();
    nan_wins();
    wrong_regions_are_named();
    return finish();
}
