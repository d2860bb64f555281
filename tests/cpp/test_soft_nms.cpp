#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "edgedet/soft_nms.hpp"

using edgedet::Decay;
using edgedet::Softened;
using edgedet::SoftNmsRule;

namespace {

const std::vector<float> kBoxes{0, 0, 4, 4, 0, 0, 4, 2, 9, 9, 12, 12};

Softened run(const std::vector<float>& scores, const SoftNmsRule& rule, const std::int32_t* class_ids = nullptr) {
    return edgedet::soft_nms(kBoxes.data(), scores.data(), class_ids, scores.size(), rule);
}

void scores_fade() {
    SoftNmsRule rule;
    rule.overlap.threshold = 0.3f;
    const Softened linear = run({0.9f, 0.8f, 0.6f}, rule);
    CHECK((linear.indices == std::vector<std::int64_t>{0, 2, 1}));
    CHECK((linear.scores == std::vector<float>{0.9f, 0.6f, 0.8f * 0.5f}));
    rule.decay = Decay::gaussian;
    const Softened gaussian = run({0.9f, 0.8f, 0.6f}, rule);
    CHECK(std::fabs(gaussian.scores[2] - 0.8f * std::exp(-0.5f)) < 1e-6f);
}

void classes_are_apart() {
    const std::int32_t ids[] = {1, 2, 1};
    CHECK((run({0.9f, 0.8f, 0.6f}, {}, ids).scores == std::vector<float>{0.9f, 0.8f, 0.6f}));
}

void ends() {
    SoftNmsRule rule;
    rule.score_threshold = 0.6f;
    CHECK((run({0.9f, 0.8f, 0.6f}, rule).indices.size() <= 2));
    rule.max_total = 1;
    CHECK((run({0.1f, 0.8f, 0.9f}, rule).indices == std::vector<std::int64_t>{2}));
    CHECK(run({}, {}).indices.empty());
    CHECK(run({std::numeric_limits<float>::quiet_NaN()}, {}).indices.empty());
}

}  // namespace

int main() {
    scores_fade();
    classes_are_apart();
    ends();
    return finish();
}
