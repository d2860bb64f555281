#include "edgedet/detect.hpp"

#include "job.hpp"

namespace {

constexpr std::size_t kRows = 8'000;
constexpr std::size_t kColumns = 81;

struct Network {
    std::vector<float> deltas, logits, anchors;
    std::vector<std::uint16_t> half_logits;
    edgedet::Found found;
};

/// One logit in about a thousand is above the threshold of 0.1, in rows that are neighbours.
Network make_network() {
    Numbers numbers;
    Network made{numbers.many(4 * kRows, -1, 1), numbers.many(kRows * kColumns, -9, -4), {}, {}, {}};
    for (std::size_t row = 0; row < kRows; ++row) {
        const float y = numbers.between(0, 1), x = numbers.between(0, 1);
        made.anchors.insert(made.anchors.end(), {y, x, numbers.between(0.05f, 0.2f), numbers.between(0.05f, 0.2f)});
        if (row % 100 < 8) {
            made.logits[row * kColumns + 1 + numbers.below(kColumns - 1)] = numbers.between(-2, 4);
        }
    }
    return made;
}

edgedet::DetectRule make_rule(edgedet::Activation activation, double threshold) {
    edgedet::DetectRule rule;
    rule.image_width = 1280;
    rule.image_height = 720;
    rule.activation = activation;
    rule.score_threshold = threshold;
    rule.nms.overlap = {0.6f, 1.0f};
    rule.nms.max_per_class = 100;
    return rule;
}

void detect(Network& data, const edgedet::NetworkTable& logits, const edgedet::DetectRule& rule) {
    const edgedet::RawLevel level{{data.deltas.data(), kRows, 4}, logits};
    data.found = edgedet::detect({{level}, data.anchors.data(), kColumns}, rule);
}

Work run(edgedet::Activation activation, double threshold, bool column_by_column = false) {
    edgedet::DetectRule rule = make_rule(activation, threshold);
    if (threshold < 0.01) {
        rule.max_candidates_per_class = 50;
        rule.max_candidates = 1'000;
    }
    return work(make_network(), [rule, column_by_column](Network& data) {
        detect(data, {data.logits.data(), kRows, kColumns, false, column_by_column}, rule);
    });
}

/// Logits of -8 to -4 in the bits of float16, and one in a thousand of 1.
Work run_half() {
    Network made = make_network();
    Numbers numbers;
    for (std::size_t i = 0; i < kRows * kColumns; ++i) {
        made.half_logits.push_back(static_cast<std::uint16_t>(i % 1000 == 0 ? 0x3c00 : 0xc400 + numbers.below(0x400)));
    }
    const edgedet::DetectRule rule = make_rule(edgedet::Activation::sigmoid, 0.1);
    return work(std::move(made),
                [rule](Network& data) { detect(data, {data.half_logits.data(), kRows, kColumns, true}, rule); });
}

}  // namespace

std::vector<Job> detect_jobs() {
    using edgedet::Activation;
    return {{"detect", [] { return run(Activation::sigmoid, 0.1); }},
            {"detect_half", run_half},
            {"detect_low_threshold", [] { return run(Activation::sigmoid, 0.001); }},
            {"detect_softmax", [] { return run(Activation::softmax, 0.1); }},
            {"detect_transposed", [] { return run(Activation::sigmoid, 0.1, true); }}};
}
