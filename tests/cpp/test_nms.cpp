#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "edgedet/nms.hpp"

using Keep = std::vector<std::int64_t>;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Keep run(const std::vector<float>& boxes, const std::vector<float>& scores, const edgedet::NmsRule& rule,
         const std::int32_t* class_ids = nullptr) {
    return edgedet::nms(boxes.data(), scores.data(), class_ids, scores.size(), rule);
}

const std::vector<float> kTwins{0, 0, 4, 4, 0, 0, 4, 4, 9, 9, 12, 12};

void order_and_ties() {
    CHECK((run(kTwins, {1, 1, 2}, {}) == Keep{2, 0}));
    CHECK((run(kTwins, {1, 2, 1}, {}) == Keep{1, 2}));
    CHECK((run(kTwins, {-1, -2, -3}, {}) == Keep{0, 2}));
    CHECK((run(kTwins, {-0.0f, 0.0f, -0.0f}, {}) == Keep{0, 2}));
}

void classes_are_apart() {
    const std::int32_t ids[] = {7, -3, 7};
    CHECK((run(kTwins, {1, 2, 3}, {}, ids) == Keep{2, 1, 0}));
}

void caps() {
    edgedet::NmsRule rule;
    rule.max_total = 1;
    CHECK((run(kTwins, {1, 2, 3}, rule) == Keep{2}));
    rule.max_total = 0;
    CHECK(run(kTwins, {1, 2, 3}, rule).empty());
    edgedet::NmsRule per_class;
    per_class.max_per_class = 1;
    const std::int32_t ids[] = {0, 1, 1};
    CHECK((run(kTwins, {1, 2, 3}, per_class, ids) == Keep{2, 0}));
}

void what_is_not_finite_never_survives() {
    CHECK((run(kTwins, {kNan, 1, kInfinity}, {}) == Keep{1}));
    CHECK((run({kNan, 0, 4, 4, 0, 0, 4, 4, 9, 9, kInfinity, 12}, {3, 2, 1}, {}) == Keep{1}));
    CHECK(run({}, {}, {}).empty());
}

}  // namespace

int main() {
    order_and_ties();
    classes_are_apart();
    caps();
    what_is_not_finite_never_survives();
    return finish();
}
