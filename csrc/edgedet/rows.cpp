#include "edgedet/rows.hpp"

#include <cstring>

#include "edgedet/taps.hpp"
#include "edgedet/vector_level.hpp"

namespace edgedet {

PictureRows::PictureRows(std::size_t width, std::size_t height) : width_(width), height_(height) {
    const std::size_t stride = width + ColumnPlan::kOverread;
    room_.resize(3 * stride);
    planes_ = {room_.data(), room_.data() + stride, room_.data() + 2 * stride};
}

namespace {

/// Each of these pixels of a row and its right neighbour, side by side; three bytes a pixel. `firsts` ascend.
void copy_pairs(const std::uint8_t* pixels, std::size_t width, const std::vector<std::size_t>& firsts,
                std::uint8_t* out) {
    const std::size_t *first = firsts.data(), *const end = first + firsts.size();
    // Eight bytes at once, of which the next pair overwrites two, as long as that stays in the row.
    for (; first != end && *first + 3 <= width; ++first, out += 6) {
        std::memcpy(out, pixels + 3 * *first, 8);
    }
    for (; first != end; ++first, out += 6) {
        std::memcpy(out, pixels + 3 * *first, 6);
    }
}

}  // namespace

bool PictureRows::pick(const std::vector<std::size_t>&) { return false; }

bool PixelRows::pick(const std::vector<std::size_t>& firsts) {
    picked_ = firsts;
    pixels_.resize(6 * firsts.size() + 2);
    return true;
}

void PixelRows::read(std::size_t y) {
    const std::uint8_t* row = image_.data + static_cast<std::ptrdiff_t>(y) * image_.row_stride;
    const std::ptrdiff_t column = image_.column_stride, channel = image_.channel_stride;
    const auto sample = [=](std::size_t x, std::size_t c) {
        return row[static_cast<std::ptrdiff_t>(x) * column + static_cast<std::ptrdiff_t>(c) * channel];
    };
    if (column == 3 && (channel == 1 || channel == -1)) {
        const std::uint8_t* pixels = channel == 1 ? row : row - 2;
        copy_pairs(pixels, width(), picked_, pixels_.data());
        const Planes turned{planes()[2], planes()[1], planes()[0]};
        loops().split_pixels(picked_.empty() ? pixels : pixels_.data(), picked_.empty() ? width() : 2 * picked_.size(),
                             channel == 1 ? planes().data() : turned.data());
        return;
    }
    for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t i = 0; i < picked_.size(); ++i) {
            planes()[c][2 * i] = sample(picked_[i], c);
            planes()[c][2 * i + 1] = sample(picked_[i] + 1, c);
        }
        if (picked_.empty() && column == 1) {
            std::memcpy(planes()[c], row + static_cast<std::ptrdiff_t>(c) * channel, width());
            continue;
        }
        for (std::size_t x = 0; x < (picked_.empty() ? width() : 0); ++x) {
            planes()[c][x] = sample(x, c);
        }
    }
}

}  // namespace edgedet
