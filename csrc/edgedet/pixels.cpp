#include "edgedet/pixels.hpp"

namespace edgedet {

namespace {

/// The answers for all 256 values of one channel: a look-up is exact, and cheaper than a division.
using Table = std::array<float, 256>;

Table make_table(float mean, float std) {
    Table table;
    for (std::size_t value = 0; value < table.size(); ++value) {
        table[value] = (static_cast<float>(value) - mean) / std;
    }
    return table;
}

}  // namespace

void normalize(const ImageView& image, const Normalization& how, float* out) {
    const bool planes = how.layout == Layout::chw;
    const std::size_t out_column = planes ? 1 : 3;
    const std::size_t out_channel = planes ? image.height * image.width : 1;
    for (std::size_t channel = 0; channel < 3; ++channel) {
        const Table table = make_table(how.mean[channel], how.std[channel]);
        const auto source = static_cast<std::ptrdiff_t>(how.swap_rb ? 2 - channel : channel);
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

}  // namespace edgedet
