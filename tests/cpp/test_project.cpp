#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include "check.hpp"
#include "edgedet/project.hpp"

using edgedet::CellAxis;
using Region = std::array<std::int32_t, 4>;

namespace {

Region run(const std::array<float, 4>& box, const CellAxis& x, const CellAxis& y) {
    Region region{};
    edgedet::project_regions(box.data(), 1, x, y, region.data());
    return region;
}

constexpr CellAxis kTrunk{16.0, 11.0, 13};

void whole_image_is_the_whole_map() { CHECK((run({0, 0, 224, 224}, kTrunk, kTrunk) == Region{0, 0, 13, 13})); }

void centres_on_the_edge_are_outside() {
    // Cells 1, 2, 3 are centred at 27, 43, 59.
    CHECK((run({27, 26.5f, 59, 59.5f}, kTrunk, kTrunk) == Region{2, 1, 3, 4}));
}

void small_and_far_regions_take_the_nearest_cell() {
    CHECK((run({30, 44, 34, 50}, kTrunk, kTrunk) == Region{1, 2, 2, 3}));
    CHECK((run({35, 35, 35, 35}, kTrunk, kTrunk) == Region{1, 1, 2, 2}));  // half-way: the lower
    CHECK((run({900, -900, 950, -800}, kTrunk, kTrunk) == Region{12, 0, 13, 1}));
    CHECK((run({3e38f, -3e38f, 3.2e38f, -3.1e38f}, kTrunk, kTrunk) == Region{12, 0, 13, 1}));
}

void axes_are_apart() { CHECK((run({0, 0, 32, 32}, {16.0, 0.0, 4}, {8.0, 0.0, 9}) == Region{1, 1, 2, 4})); }

void boxes_that_are_not_finite_are_named() {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float boxes[] = {0, 0, 1, 1, 0, nan, 1, 1};
    std::int32_t out[8];
    CHECK_THROWS(edgedet::project_regions(boxes, 2, kTrunk, kTrunk, out), std::invalid_argument, "box 1");
}

}  // namespace

int main() {
    whole_image_is_the_whole_map();
    centres_on_the_edge_are_outside();
    small_and_far_regions_take_the_nearest_cell();
    axes_are_apart();
    boxes_that_are_not_finite_are_named();
    return finish();
}
