#pragma once

#include <cstddef>
#include <cstdint>

#include "edgedet/pixels.hpp"
#include "edgedet/rows.hpp"

namespace edgedet {

/// Where the resized picture lies on the result.
struct Canvas {
    std::size_t width, height;                  ///< of the result
    std::size_t resized_width, resized_height;  ///< of the whole picture, resized
    std::ptrdiff_t left, top;                   ///< its corner on the result; what lies outside is cut off
    std::uint8_t border;                        ///< what all channels are around it
};

/// out: (height, width, 3) uint8, C-contiguous. Bilinear, to the bit as OpenCV's resize with INTER_LINEAR.
void resize(PictureRows& picture, const Canvas& canvas, bool swap_rb, std::uint8_t* out);

/// out: (3, height, width) or (height, width, 3) float32, C-contiguous: what normalize() makes of that, in one pass.
void resize_normalize(PictureRows& picture, const Canvas& canvas, const Normalization& how, float* out);

}  // namespace edgedet
