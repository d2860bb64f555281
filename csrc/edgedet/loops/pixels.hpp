#pragma once

#include "edgedet/vector_loops.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

static void split_pixels(const std::uint8_t* pixels, std::size_t width, std::uint8_t* const* planes) {
    std::uint8_t *a = planes[0], *b = planes[1], *c = planes[2];
    for (std::size_t x = 0; x < width; ++x) {
        a[x] = pixels[3 * x];
        b[x] = pixels[3 * x + 1];
        c[x] = pixels[3 * x + 2];
    }
}

static void normalize_run(const std::uint8_t* values, std::size_t count, const float* mean, const float* std,
                          float* out) {
    // Means and deviations repeat with a period that is whole vectors and whole pixels.
    std::size_t i = 0;
    for (; i + kPeriod <= count; i += kPeriod) {
        for (std::size_t k = 0; k < kPeriod; ++k) {
            out[i + k] = (static_cast<float>(values[i + k]) - mean[k]) / std[k];
        }
    }
    for (std::size_t k = 0; i < count; ++i, ++k) {
        out[i] = (static_cast<float>(values[i]) - mean[k]) / std[k];
    }
}

}  // namespace edgedet::EDGEDET_LEVEL
