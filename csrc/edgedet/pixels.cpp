#include "edgedet/pixels.hpp"

#include <vector>

#include "edgedet/vector_level.hpp"

namespace edgedet {

namespace {

/// The answers for all 256 values of one channel: a look-up is exact.
using Table = std::array<float, 256>;

Table make_table(float mean, float std) {
    Table table;
    for (std::size_t value = 0; value < table.size(); ++value) {
        table[value] = (static_cast<float>(value) - mean) / std;
    }
    return table;
}

/// The channel of the image that becomes the output's.
std::size_t source_of(std::size_t channel, const Normalization& how) { return how.swap_rb ? 2 - channel : channel; }

/// Pixels that lie side by side, to planes.
void split(const ImageView& image, const Normalization& how, float* out) {
    std::vector<std::uint8_t> bytes(3 * image.width);
    std::uint8_t* const planes[3] = {bytes.data(), bytes.data() + image.width, bytes.data() + 2 * image.width};
    std::array<std::array<float, kPeriod>, 3> mean, std;
    for (std::size_t channel = 0; channel < 3; ++channel) {
        mean[channel].fill(how.mean[channel]);
        std[channel].fill(how.std[channel]);
    }
    const std::size_t area = image.height * image.width;
    for (std::size_t y = 0; y < image.height; ++y) {
        loops().split_pixels(image.data + static_cast<std::ptrdiff_t>(y) * image.row_stride, image.width, planes);
        for (std::size_t channel = 0; channel < 3; ++channel) {
            loops().normalize_run(planes[source_of(channel, how)], image.width, mean[channel].data(),
                                  std[channel].data(), out + channel * area + y * image.width);
        }
    }
}

/// Pixels that lie side by side, to pixels.
void keep(const ImageView& image, const Normalization& how, float* out) {
    const RepeatedNormalization repeated(how);
    const std::size_t length = 3 * image.width;
    std::vector<std::uint8_t> turned(how.swap_rb ? length : 0);
    for (std::size_t y = 0; y < image.height; ++y) {
        const std::uint8_t* row = image.data + static_cast<std::ptrdiff_t>(y) * image.row_stride;
        for (std::size_t i = 0; i < turned.size(); i += 3) {
            turned[i] = row[i + 2];
            turned[i + 1] = row[i + 1];
            turned[i + 2] = row[i];
        }
        loops().normalize_run(how.swap_rb ? turned.data() : row, length, repeated.mean.data(), repeated.std.data(),
                              out + y * length);
    }
}

}  // namespace

RepeatedNormalization::RepeatedNormalization(const Normalization& how) {
    for (std::size_t i = 0; i < kPeriod; ++i) {
        mean[i] = how.mean[i % 3];
        std[i] = how.std[i % 3];
    }
}

void normalize_any(const ImageView& image, const Normalization& how, float* out) {
    const bool planes = how.layout == Layout::chw;
    const std::size_t out_column = planes ? 1 : 3;
    const std::size_t out_channel = planes ? image.height * image.width : 1;
    for (std::size_t channel = 0; channel < 3; ++channel) {
        const Table table = make_table(how.mean[channel], how.std[channel]);
        const auto source = static_cast<std::ptrdiff_t>(source_of(channel, how));
        for (std::size_t y = 0; y < image.height; ++y) {
            const std::uint8_t* row =
                image.data + source * image.channel_stride + static_cast<std::ptrdiff_t>(y) * image.row_stride;
            float* target = out + channel * out_channel + y * image.width * out_column;
            for (std::size_t x = 0; x < image.width; ++x) {
                target[x * out_column] = table[row[static_cast<std::ptrdiff_t>(x) * image.column_stride]];
            }
        }
    }
}

void normalize(const ImageView& image, const Normalization& how, float* out) {
    ImageView view = image;
    Normalization same = how;
    if (view.channel_stride == -1) {
        // A view with its channels turned round is the image itself with the other order.
        view.data -= view.height * view.width == 0 ? 0 : 2;
        view.channel_stride = 1;
        same.swap_rb = !same.swap_rb;
    }
    if (view.column_stride != 3 || view.channel_stride != 1) {
        normalize_any(image, how, out);
    } else if (how.layout == Layout::chw) {
        split(view, same, out);
    } else {
        keep(view, same, out);
    }
}

}  // namespace edgedet
