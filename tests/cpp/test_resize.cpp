#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "check.hpp"
#include "edgedet/resize.hpp"
#include "edgedet/taps.hpp"
#include "edgedet/yuv.hpp"

using edgedet::Canvas;
using edgedet::Chroma;
using edgedet::ImageView;
using edgedet::Layout;
using edgedet::Normalization;
using edgedet::PixelRows;
using edgedet::Tap;
using edgedet::YuvRows;

namespace {

/// Bytes of exactly the size that is needed, so that the sanitizers see what is read beyond.
std::unique_ptr<std::uint8_t[]> bytes(std::size_t count, std::uint32_t seed) {
    std::unique_ptr<std::uint8_t[]> data(new std::uint8_t[count]);
    for (std::size_t i = 0; i < count; ++i) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = static_cast<std::uint8_t>(seed >> 24);
    }
    return data;
}

Canvas whole(std::size_t width, std::size_t height) { return {width, height, width, height, 0, 0, 114}; }

std::vector<std::uint8_t> resized(const ImageView& image, const Canvas& canvas, bool swap_rb = false) {
    PixelRows rows(image);
    std::vector<std::uint8_t> out(3 * canvas.width * canvas.height, 1);
    edgedet::resize(rows, canvas, swap_rb, out.data());
    return out;
}

/// One channel of one pixel, straight from the taps.
std::uint8_t plain(const ImageView& image, const Tap& row, const Tap& column, std::ptrdiff_t channel) {
    const auto sum = [&](std::size_t y) {
        const std::uint8_t* at = image.data + static_cast<std::ptrdiff_t>(y) * image.row_stride + channel;
        const auto sample = [&](std::size_t x) { return at[static_cast<std::ptrdiff_t>(x) * image.column_stride]; };
        return (sample(column.first) * column.first_weight + sample(column.second) * column.second_weight) >> 4;
    };
    const int top = (sum(row.first) * row.first_weight) >> 16, bottom = (sum(row.second) * row.second_weight) >> 16;
    return static_cast<std::uint8_t>((top + bottom + 2) >> 2);
}

void equals_the_plain_arithmetic(std::size_t width, std::size_t height, std::size_t to_width, std::size_t to_height) {
    const auto data = bytes(3 * width * height, 5);
    const ImageView image{data.get(), height, width, static_cast<std::ptrdiff_t>(3 * width), 3, 1};
    const std::vector<std::uint8_t> out = resized(image, whole(to_width, to_height));
    const std::vector<Tap> rows = edgedet::row_taps(height, to_height, 0, to_height);
    const std::vector<Tap> columns = edgedet::column_taps(width, to_width, 0, to_width);
    bool same = true;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::size_t pixel = i / 3;
        same = same && out[i] == plain(image, rows[pixel / to_width], columns[pixel % to_width],
                                       static_cast<std::ptrdiff_t>(i % 3));
    }
    CHECK(same);
}

void sizes() {
    for (const std::size_t width : {1, 2, 5, 16, 31, 33, 200}) {
        for (const std::size_t to_width : {1, 2, 7, 8, 9, 32, 65}) {
            equals_the_plain_arithmetic(width, 3, to_width, 4);
            equals_the_plain_arithmetic(width, 1, to_width, 2);
        }
    }
    equals_the_plain_arithmetic(3, 90, 4, 7);
}

void taps_of_a_half() {
    const std::vector<Tap> half = edgedet::column_taps(4, 2, 0, 2);
    CHECK(half[1].first == 2 && half[1].second == 3 && half[1].first_weight == 1024 && half[1].second_weight == 1024);
    const std::vector<Tap> twice = edgedet::row_taps(2, 4, 0, 4);
    CHECK(twice[0].first == 0 && twice[0].second == 0 && twice[0].first_weight == 512 && twice[3].first == 1);
    CHECK(edgedet::column_taps(2, 4, 3, 1)[0].first_weight == 2048);
}

void strides() {
    const auto data = bytes(4 * 9 * 5, 9);
    std::vector<std::uint8_t> copy;  // of the first three channels of each pixel, and mirrored
    std::vector<std::uint8_t> mirror;
    for (std::size_t y = 0; y < 5; ++y) {
        for (std::size_t x = 0; x < 9; ++x) {
            copy.insert(copy.end(), data.get() + 36 * y + 4 * x, data.get() + 36 * y + 4 * x + 3);
            mirror.insert(mirror.end(), data.get() + 36 * y + 32 - 4 * x, data.get() + 36 * y + 32 - 4 * x + 3);
        }
    }
    for (const std::size_t width : {2, 4, 20}) {
        const std::vector<std::uint8_t> expected = resized({copy.data(), 5, 9, 27, 3, 1}, whole(width, 4));
        CHECK(resized({data.get(), 5, 9, 36, 4, 1}, whole(width, 4)) == expected);
        CHECK(resized({data.get() + 2, 5, 9, 36, 4, -1}, whole(width, 4), true) == expected);
        CHECK(resized({copy.data() + 2, 5, 9, 27, 3, -1}, whole(width, 4), true) == expected);
        CHECK(resized({data.get() + 32, 5, 9, 36, -4, 1}, whole(width, 4)) ==
              resized({mirror.data(), 5, 9, 27, 3, 1}, whole(width, 4)));
    }
}

void canvases() {
    const auto data = bytes(3 * 6 * 4, 3);
    const ImageView image{data.get(), 4, 6, 18, 3, 1};
    const std::vector<std::uint8_t> all = resized(image, whole(10, 8));
    for (const std::ptrdiff_t left : {-11, -3, 0, 2, 5}) {
        for (const std::ptrdiff_t top : {-9, -2, 0, 1, 4}) {
            const std::vector<std::uint8_t> part = resized(image, {4, 3, 10, 8, left, top, 200});
            bool same = true;
            for (std::ptrdiff_t i = 0; i < 36; ++i) {
                const std::ptrdiff_t x = i / 3 % 4 - left, y = i / 12 - top;
                const bool inside = x >= 0 && x < 10 && y >= 0 && y < 8;
                const std::size_t at = inside ? static_cast<std::size_t>(3 * (10 * y + x) + i % 3) : 0;
                same = same && part[static_cast<std::size_t>(i)] == (inside ? all[at] : 200);
            }
            CHECK(same);
        }
    }
}

void normalized() {
    const auto data = bytes(3 * 90 * 7, 4);
    const ImageView image{data.get(), 7, 90, 270, 3, 1};
    for (const bool swap : {false, true}) {
        const Canvas canvas{80, 12, 77, 9, 2, 1, 114};
        const std::vector<std::uint8_t> pixels = resized(image, canvas, swap);
        for (const Layout layout : {Layout::chw, Layout::hwc}) {
            const Normalization how{{1.5f, 20, 127}, {3, 58.1f, 0.7f}, swap, layout};
            const Normalization same{how.mean, how.std, false, layout};
            std::vector<float> fused(pixels.size(), -1.0f), twin(pixels.size(), -2.0f);
            PixelRows rows(image);
            edgedet::resize_normalize(rows, canvas, how, fused.data());
            edgedet::normalize_any({pixels.data(), 12, 80, 240, 3, 1}, same, twin.data());
            CHECK(fused == twin);
        }
    }
}

/// Every layout of a frame in which each pair of pixels (and of rows) has its own chroma.
void yuv(std::size_t width) {
    const std::size_t height = 4, area = width * height;
    const auto luma = bytes(area, 11), u = bytes(area / 4, 12), v = bytes(area / 4, 13);
    const auto pairs = bytes(area / 2, 0), swapped = bytes(area / 2, 0), packed = bytes(2 * area, 0);
    for (std::size_t i = 0; i < area / 4; ++i) {
        pairs[2 * i] = swapped[2 * i + 1] = u[i];
        pairs[2 * i + 1] = swapped[2 * i] = v[i];
    }
    for (std::size_t i = 0; i < area; ++i) {
        const std::size_t chroma = i / width / 2 * (width / 2) + i % width / 2;
        packed[2 * i] = luma[i];
        packed[2 * i + 1] = i % 2 == 0 ? u[chroma] : v[chroma];
    }
    const auto of = [&](const edgedet::YuvView& view) {
        YuvRows rows(view);
        std::vector<std::uint8_t> out(3 * area);
        edgedet::resize(rows, whole(width, height), false, out.data());
        return out;
    };
    const std::size_t half = width / 2;
    const std::vector<std::uint8_t> nv12 =
        of({width, height, Chroma::pairs, {luma.get(), width}, {pairs.get(), width}, {pairs.get() + 1, width}, 2});
    CHECK(
        nv12 ==
        of({width, height, Chroma::pairs, {luma.get(), width}, {swapped.get() + 1, width}, {swapped.get(), width}, 2}));
    CHECK(nv12 == of({width, height, Chroma::planes, {luma.get(), width}, {u.get(), half}, {v.get(), half}, 2}));
    CHECK(nv12 == of({width,
                      height,
                      Chroma::packed,
                      {packed.get(), 2 * width},
                      {packed.get() + 1, 2 * width},
                      {packed.get() + 3, 2 * width},
                      1}));
    bool same = true;
    for (std::size_t i = 0; i < area; ++i) {
        const std::size_t chroma = i / width / 2 * half + i % width / 2;
        const double y = 1.164 * (luma[i] < 16 ? 0 : luma[i] - 16), cu = u[chroma] - 128, cv = v[chroma] - 128;
        const double exact[3] = {y + 2.018 * cu, y - 0.391 * cu - 0.813 * cv, y + 1.596 * cv};
        for (std::size_t c = 0; c < 3; ++c) {
            const double error = std::clamp(exact[c], 0.0, 255.0) - nv12[3 * i + c];
            same = same && error < 0.7 && error > -0.7;
        }
    }
    CHECK(same);
}

}  // namespace

int main() {
    sizes();
    taps_of_a_half();
    strides();
    canvases();
    normalized();
    for (const std::size_t width : {2, 4, 14, 16, 30, 34, 64, 66, 130}) {
        yuv(width);
    }
    return finish();
}
