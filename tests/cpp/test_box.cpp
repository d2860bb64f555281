#include <limits>

#include "check.hpp"
#include "edgedet/box.hpp"

using edgedet::Box;
using edgedet::KeptBoxes;
using edgedet::OverlapRule;

namespace {

bool suppresses(const Box& kept, const Box& asked, const OverlapRule& rule) {
    KeptBoxes boxes;
    boxes.add(kept, rule);
    return boxes.suppress(asked, rule);
}

void suppression_is_strict() {
    const Box whole{0, 0, 2, 2}, half{0, 0, 2, 1};
    CHECK(!suppresses(whole, half, {0.5f, 0.0f}));
    CHECK(suppresses(whole, half, {0.49f, 0.0f}));
}

void plus_one_widens() {
    const Box a{0, 0, 0, 0}, touching{1, 0, 1, 0};
    CHECK((OverlapRule{0.5f, 1.0f}.area(a)) == 1.0f);
    CHECK(suppresses(a, a, {0.5f, 1.0f}));
    CHECK(!suppresses(a, touching, {0.0f, 1.0f}));
    CHECK((OverlapRule{0.5f, 1.0f}.area({5, 5, 3, 3})) == 0.0f);
}

void empty_boxes_are_left_alone() {
    const OverlapRule rule{0.0f, 0.0f};
    const Box box{0, 0, 9, 9}, empty{3, 3, 3, 8}, inverted{7, 7, 2, 2};
    for (const Box& nothing : {empty, inverted}) {
        CHECK(!suppresses(nothing, nothing, rule));
        CHECK(!suppresses(nothing, box, rule));
        CHECK(!suppresses(box, nothing, rule));
    }
}

void every_place_of_a_block_is_asked() {
    const OverlapRule rule{0.5f, 0.0f};
    KeptBoxes boxes;
    for (int i = 0; i < 40; ++i) {
        const auto x = static_cast<float>(10 * i);
        const Box box{x, 0, x + 5, 5};
        CHECK(!boxes.suppress(box, rule));
        boxes.add(box, rule);
        CHECK(boxes.suppress(box, rule));
    }
    CHECK(boxes.size() == 40);
}

void finite_means_all_corners() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    CHECK(is_finite(Box{0, 0, 1, 1}));
    CHECK(!is_finite(Box{kInfinity, 0, 1, 1}));
    CHECK(!is_finite(Box{0, -kInfinity, 1, 1}));
    CHECK(!is_finite(Box{0, 0, std::numeric_limits<float>::quiet_NaN(), 1}));
    CHECK(!is_finite(Box{0, 0, 1, kInfinity}));
}

}  // namespace

int main() {
    suppression_is_strict();
    plus_one_widens();
    empty_boxes_are_left_alone();
    every_place_of_a_block_is_asked();
    finite_means_all_corners();
    return finish();
}
