#include "edgedet/pixels.hpp"

#include "edgedet/resize.hpp"
#include "edgedet/yuv.hpp"
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

edgedet::Normalization normalization(edgedet::Layout layout) {
    return {{123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57.375f}, true, layout};
}

/// Half the picture's width, square, as networks want it.
constexpr edgedet::Canvas kCanvas{160, 160, 160, 160, 0, 0, 114};

Work run_resize() {
    const edgedet::Normalization how = normalization(edgedet::Layout::chw);
    return work(make_picture(), [how](Picture& data) {
        edgedet::PixelRows rows({data.pixels.data(), kHeight, kWidth, 3 * kWidth, 3, 1});
        edgedet::resize_normalize(rows, kCanvas, how, data.tensor.data());
    });
}

/// NV12: luma, then pairs of chroma for every second row.
Work run_resize_nv12() {
    const edgedet::Normalization how = normalization(edgedet::Layout::chw);
    return work(make_picture(), [how](Picture& data) {
        const edgedet::YuvPlane luma{data.pixels.data(), kWidth}, pairs{luma.row(kHeight), kWidth};
        edgedet::YuvRows rows({kWidth, kHeight, edgedet::Chroma::pairs, luma, pairs, {pairs.data + 1, kWidth}, 2});
        edgedet::resize_normalize(rows, kCanvas, how, data.tensor.data());
    });
}

Work run(edgedet::Layout layout) {
    const edgedet::Normalization how = normalization(layout);
    return work(make_picture(), [how](Picture& data) {
        edgedet::normalize({data.pixels.data(), kHeight, kWidth, 3 * kWidth, 3, 1}, how, data.tensor.data());
    });
}

}  // namespace

std::vector<Job> pixel_jobs() {
    return {{"normalize_chw", [] { return run(edgedet::Layout::chw); }},
            {"normalize_hwc", [] { return run(edgedet::Layout::hwc); }},
            {"resize_normalize", run_resize},
            {"resize_normalize_nv12", run_resize_nv12}};
}
