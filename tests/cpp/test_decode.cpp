#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"
#include "edgedet/decode.hpp"

using edgedet::Box;
using edgedet::decode_box;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
const float kAnchor[4] = {0.5f, 0.25f, 0.5f, 0.25f};  // cy cx h w

void zero_delta_is_the_anchor() {
    const float delta[4] = {0, 0, 0, 0};
    const Box box = decode_box(delta, kAnchor, {});
    CHECK(box.x1 == 0.125f && box.y1 == 0.25f && box.x2 == 0.375f && box.y2 == 0.75f);
}

void y_comes_first() {
    const float delta[4] = {1, 0, 0, 0};
    const Box box = decode_box(delta, kAnchor, {1.0f, 1.0f, false});
    CHECK(box.y1 == 0.75f && box.y2 == 1.25f && box.x1 == 0.125f && box.x2 == 0.375f);
}

void overflow_clips_to_the_border() {
    const float delta[4] = {0, 0, 1e9f, 1e9f};
    const Box box = decode_box(delta, kAnchor, {});
    CHECK(box.x1 == 0.0f && box.y1 == 0.0f && box.x2 == 1.0f && box.y2 == 1.0f);
    CHECK(!is_finite(decode_box(delta, kAnchor, {0.1f, 0.2f, false})));
}

void nan_passes_through_the_clip() {
    const float delta[4] = {kNan, 0, 0, kNan};
    const Box box = decode_box(delta, kAnchor, {});
    CHECK(std::isnan(box.y1) && std::isnan(box.y2) && std::isnan(box.x1) && std::isnan(box.x2));
}

void rows_are_independent() {
    const std::vector<float> deltas{0, 0, 0, 0, 1, 0, 0, 0};
    const std::vector<float> anchors{0.5f, 0.5f, 1, 1, 0, 0, 0, 0};
    std::vector<float> out(8, -1.0f);
    edgedet::decode_boxes(deltas.data(), anchors.data(), 2, {}, out.data());
    CHECK((out == std::vector<float>{0, 0, 1, 1, 0, 0, 0, 0}));
}

}  // namespace

int main() {
    zero_delta_is_the_anchor();
    y_comes_first();
    overflow_clips_to_the_border();
    nan_passes_through_the_clip();
    rows_are_independent();
    return finish();
}
