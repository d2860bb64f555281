#include "edgedet/region.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>

namespace edgedet {

namespace {

Region checked(const std::int32_t* row, std::size_t index, std::size_t map_width, std::size_t map_height) {
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

}  // namespace

std::vector<Region> check_regions(const std::int32_t* rows, std::size_t count, std::size_t map_width,
                                  std::size_t map_height) {
    std::vector<Region> regions;
    regions.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        regions.push_back(checked(rows + 4 * i, i, map_width, map_height));
    }
    return regions;
}

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

}  // namespace edgedet
