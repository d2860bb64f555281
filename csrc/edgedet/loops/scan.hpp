#pragma once

#include "edgedet/exp.hpp"
#include "edgedet/half.hpp"
#include "edgedet/loops/vector.hpp"
#include "edgedet/vector_loops.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

static bool any_above(const float* values, const float* cutoffs, std::size_t count) {
    using Vector = VectorOf<float>::Type;
    constexpr std::size_t kSize = kVectorBytes / sizeof(float);
    // Without an early way out: nearly everything is read to the end anyway.
    auto over = Vector{} > Vector{};
    std::size_t i = 0;
    for (; i + 4 * kSize <= count; i += 4 * kSize) {
        const auto ab = (load<Vector>(values + i) > load<Vector>(cutoffs + i)) |
                        (load<Vector>(values + i + kSize) > load<Vector>(cutoffs + i + kSize));
        const auto cd = (load<Vector>(values + i + 2 * kSize) > load<Vector>(cutoffs + i + 2 * kSize)) |
                        (load<Vector>(values + i + 3 * kSize) > load<Vector>(cutoffs + i + 3 * kSize));
        over |= ab | cd;
    }
    int some = 0;
    for (std::size_t k = 0; k < kSize; ++k) {
        some |= over[k];
    }
    for (; i < count; ++i) {
        some |= values[i] > cutoffs[i];
    }
    return some != 0;
}

static std::size_t above(const float* values, const float* cutoffs, std::size_t count, std::uint32_t* out) {
    constexpr float kInfinity = __builtin_huge_valf();
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        // Written always and counted when it passes: no branch, so none that is mispredicted.
        out[found] = static_cast<std::uint32_t>(i);
        found += static_cast<std::size_t>((values[i] > cutoffs[i]) & (values[i] < kInfinity));
    }
    return found;
}

/// Lanes, so that sums become vectors without leave to reorder: the order is ours, on every machine.
constexpr std::size_t kLanes = 8;

static void widen(const std::uint16_t* halves, std::size_t count, float* out) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = widen_half(halves[i]);
    }
}

static float largest(const float* values, std::size_t count) {
    using Vector = VectorOf<float>::Type;
    constexpr std::size_t kSize = kVectorBytes / sizeof(float);
    const Vector lowest = Vector{} - __builtin_huge_valf();
    Vector tops[2] = {lowest, lowest};
    std::size_t i = 0;
    for (; i + 2 * kSize <= count; i += 2 * kSize) {
        const Vector a = load<Vector>(values + i), b = load<Vector>(values + i + kSize);
        tops[0] = a > tops[0] ? a : tops[0];
        tops[1] = b > tops[1] ? b : tops[1];
    }
    tops[0] = tops[1] > tops[0] ? tops[1] : tops[0];
    float top = -__builtin_huge_valf();
    for (std::size_t k = 0; k < kSize; ++k) {
        top = tops[0][k] > top ? tops[0][k] : top;
    }
    for (; i < count; ++i) {
        top = values[i] > top ? values[i] : top;
    }
    return top;
}

static float exponentials(const float* values, std::size_t count, float top, float* out) {
    for (std::size_t j = 0; j < count; ++j) {
        out[j] = portable_exp(values[j] - top);
    }
    float lanes[kLanes] = {};
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (std::size_t k = 0; k < kLanes; ++k) {
            lanes[k] += out[i + k];
        }
    }
    for (; i < count; ++i) {
        lanes[0] += out[i];
    }
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

}  // namespace edgedet::EDGEDET_LEVEL
