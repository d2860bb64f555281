#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "edgedet/detect.hpp"

using edgedet::Activation;
using edgedet::DetectRule;
using edgedet::Found;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

edgedet::RawOutput raw_output(const float* deltas, const float* logits, const float* anchors, std::size_t count,
                              std::size_t columns) {
    return {{{{deltas, count, 4}, {logits, count, columns}}}, anchors, columns};
}

/// Anchors in a row that do not overlap, with deltas of 0.
Found run(const std::vector<float>& logits, std::size_t columns, const DetectRule& rule) {
    const std::size_t count = logits.size() / columns;
    const std::vector<float> deltas(4 * count, 0.0f);
    std::vector<float> anchors;
    for (std::size_t i = 0; i < count; ++i) {
        const float centre = (static_cast<float>(i) + 0.5f) / static_cast<float>(count);
        anchors.insert(anchors.end(), {0.5f, centre, 0.5f, 0.5f / static_cast<float>(count)});
    }
    return edgedet::detect(raw_output(deltas.data(), logits.data(), anchors.data(), count, columns), rule);
}

DetectRule rule_with(double threshold, std::size_t background, Activation activation = Activation::sigmoid) {
    DetectRule rule;
    rule.score_threshold = threshold;
    rule.background = background;
    rule.activation = activation;
    rule.image_width = 100.0f;
    rule.image_height = 10.0f;
    return rule;
}

void the_threshold_is_strict() {
    const float above = std::nextafter(0.0f, 1.0f);
    const Found found = run({9, 0, above}, 3, rule_with(0.5, 0));
    CHECK((found.class_ids == std::vector<std::int32_t>{1}));
    CHECK(found.boxes.size() == 1 && found.boxes[0].x1 == 25.0f && found.boxes[0].y2 == 7.5f);
}

void any_column_can_be_background() {
    const std::vector<float> logits{1, 2, 3};
    CHECK((run(logits, 3, rule_with(0.5, 0)).class_ids == std::vector<std::int32_t>{1, 0}));
    CHECK((run(logits, 3, rule_with(0.5, 1)).class_ids == std::vector<std::int32_t>{1, 0}));
    CHECK((run(logits, 3, rule_with(0.5, 2)).class_ids == std::vector<std::int32_t>{1, 0}));
    CHECK((run(logits, 3, rule_with(0.5, edgedet::kNoBackground)).class_ids == std::vector<std::int32_t>{2, 1, 0}));
    CHECK(run({5}, 1, rule_with(0.5, 0)).scores.empty());
}

void ties_go_by_class_then_anchor() {
    const Found found = run({0, 2, 2, 0, 2, 2}, 3, rule_with(0.6, 0));
    CHECK((found.class_ids == std::vector<std::int32_t>{0, 0, 1, 1}));
    CHECK(found.boxes[0].x1 < found.boxes[1].x1 && found.boxes[2].x1 < found.boxes[3].x1);
}

void only_finite_logits_pass() {
    for (const Activation activation : {Activation::sigmoid, Activation::softmax}) {
        CHECK(run({kInfinity, 1, 1}, 1, rule_with(0.0, edgedet::kNoBackground, activation)).scores.size() == 2);
        CHECK(run({kNan, 1, 1}, 1, rule_with(0.0, edgedet::kNoBackground, activation)).scores.size() == 2);
        CHECK(run({-kInfinity, 1, 1}, 1, rule_with(-1.0, edgedet::kNoBackground, activation)).scores.size() == 2);
        CHECK(run({9, 9, 9}, 1, rule_with(1.0, edgedet::kNoBackground, activation)).scores.empty());
    }
}

void softmax_spans_the_background() {
    const Found found = run({0, 0, 0, 0, std::log(8.0f), 0}, 3, rule_with(0.33, 0, Activation::softmax));
    CHECK((found.class_ids == std::vector<std::int32_t>{0, 0, 1}));
    CHECK(std::fabs(found.scores[0] - 0.8f) < 1e-6f);
    CHECK(std::fabs(found.scores[1] - 1.0f / 3.0f) < 1e-6f);
    CHECK(run({-1e4f, -1e4f, -kInfinity}, 3, rule_with(0.4, 0, Activation::softmax)).scores.size() == 1);
}

void nothing_in_nothing_out() {
    CHECK(run({}, 3, rule_with(0.5, 0)).scores.empty());
    const Found found =
        edgedet::detect(raw_output(nullptr, nullptr, nullptr, 0, 0), rule_with(0.5, edgedet::kNoBackground));
    CHECK(found.scores.empty());
}

}  // namespace

int main() {
    the_threshold_is_strict();
    any_column_can_be_background();
    ties_go_by_class_then_anchor();
    only_finite_logits_pass();
    softmax_spans_the_background();
    nothing_in_nothing_out();
    return finish();
}
