#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "edgedet/vector_loops.hpp"

namespace edgedet {

/// A (height, width, 3) uint8 image in place, whatever its strides (bytes; negative ones too).
struct ImageView {
    const std::uint8_t* data;
    std::size_t height, width;
    std::ptrdiff_t row_stride, column_stride, channel_stride;
};

enum class Layout { chw, hwc };

/// How pixels become numbers: (x - mean) / std in float32, each channel its own.
struct Normalization {
    std::array<float, 3> mean;  ///< in the order of the output's channels
    std::array<float, 3> std;
    bool swap_rb = false;  ///< the output's channels are the image's in reverse
    Layout layout = Layout::chw;
};

/// The same, repeated as vector loops that go over whole pixels take it.
struct RepeatedNormalization {
    explicit RepeatedNormalization(const Normalization& how);

    std::array<float, kPeriod> mean, std;
};

/// out: (3, height, width) or (height, width, 3) float32, C-contiguous. Equal to NumPy's float32 arithmetic.
///
/// Images whose pixels lie side by side take vector loops; others look every value up.
void normalize(const ImageView& image, const Normalization& how, float* out);

/// The same for all images, one look-up after another.
void normalize_any(const ImageView& image, const Normalization& how, float* out);

}  // namespace edgedet
