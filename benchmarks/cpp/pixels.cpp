#include "edgedet/pixels.hpp"

#include "job.hpp"

namespace {

constexpr std::size_t kHeight = 240, kWidth = 320;

struct Picture {
    std::vector<std::uint8_t> pixels;
    std::vector<float> tensor;
};

Picture make_picture() {
    Numbers numbers;
    Picture made{{}, std::vector<float>(3 * kHeight * kWidth)};
    for (std::size_t i = 0; i < 3 * kHeight * kWidth; ++i) {
        made.pixels.push_back(static_cast<std::uint8_t>(numbers.below(256)));
    }
    return made;
}

Work run(edgedet::Layout layout) {
    const edgedet::Normalization how{{123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57.375f}, true, layout};
    return work(make_picture(), [how](Picture& data) {
        edgedet::normalize({data.pixels.data(), kHeight, kWidth, 3 * kWidth, 3, 1}, how, data.tensor.data());
    });
}

}  // namespace

std::vector<Job> pixel_jobs() {
    return {{"normalize_chw", [] { return run(edgedet::Layout::chw); }},
            {"normalize_hwc", [] { return run(edgedet::Layout::hwc); }}};
}
