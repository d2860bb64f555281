#include "edgedet/decode.hpp"
#include "edgedet/nms.hpp"
#include "edgedet/project.hpp"
#include "edgedet/soft_nms.hpp"
#include "job.hpp"

namespace {

struct Boxes {
    std::vector<float> boxes, scores;
    std::vector<std::int64_t> kept;
};

/// Boxes of 16 to 64 pixels on 400 × 400, whose centres are multiples of `step` apart: the larger, the more pile up.
Boxes make_boxes(std::size_t count, float step) {
    Numbers numbers;
    Boxes made;
    for (std::size_t i = 0; i < count; ++i) {
        const auto centre = [&] {
            return step * static_cast<float>(numbers.below(static_cast<std::size_t>(400 / step)));
        };
        const float x = centre() + numbers.between(0, 4), y = centre() + numbers.between(0, 4);
        const float w = numbers.between(8, 32), h = numbers.between(8, 32);
        made.boxes.insert(made.boxes.end(), {x - w, y - h, x + w, y + h});
        made.scores.push_back(numbers.between(0.05f, 1.0f));
    }
    return made;
}

Work run_nms(float step) {
    edgedet::NmsRule rule;
    return work(make_boxes(2000, step), [rule](Boxes& data) {
        data.kept = edgedet::nms(data.boxes.data(), data.scores.data(), nullptr, data.scores.size(), rule);
    });
}

Work run_soft_nms(edgedet::Decay decay) {
    edgedet::SoftNmsRule rule;
    rule.decay = decay;
    rule.overlap.threshold = 0.3f;
    return work(make_boxes(400, 1), [rule](Boxes& data) {
        data.kept = edgedet::soft_nms(data.boxes.data(), data.scores.data(), nullptr, data.scores.size(), rule).indices;
    });
}

struct Coded {
    std::vector<float> deltas, anchors, out;
};

Work run_decode() {
    constexpr std::size_t kCount = 20'000;
    Numbers numbers;
    Coded coded{numbers.many(4 * kCount, -2, 2), numbers.many(4 * kCount, 0.1f, 0.9f), std::vector<float>(4 * kCount)};
    return work(std::move(coded), [](Coded& data) {
        edgedet::decode_boxes(data.deltas.data(), data.anchors.data(), kCount, {}, data.out.data());
    });
}

struct Projected {
    Boxes boxes;
    std::vector<std::int32_t> out;
};

Work run_project() {
    constexpr std::size_t kCount = 20'000;
    return work(Projected{make_boxes(kCount, 1), std::vector<std::int32_t>(4 * kCount)}, [](Projected& data) {
        const edgedet::CellAxis axis{16, 11, 25};
        edgedet::project_regions(data.boxes.boxes.data(), kCount, axis, axis, data.out.data());
    });
}

}  // namespace

std::vector<Job> box_jobs() {
    return {{"decode_boxes", run_decode},
            {"nms_scattered", [] { return run_nms(1); }},
            {"nms_piled", [] { return run_nms(100); }},
            {"project_regions", run_project},
            {"soft_nms_gaussian", [] { return run_soft_nms(edgedet::Decay::gaussian); }},
            {"soft_nms_linear", [] { return run_soft_nms(edgedet::Decay::linear); }}};
}
