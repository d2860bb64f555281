#pragma once

#include <cstdint>
#include <cstring>

// Static, for the sake of vector_loops.cpp: each vector level must have copies of its own.

namespace edgedet {

/// float16's bits as a whole number that orders as it does, and back; NaN lies beyond the infinities.
static inline std::int16_t ordered_half(std::uint16_t half) {
    const auto bits = static_cast<std::int16_t>(half);
    return static_cast<std::int16_t>(bits ^ ((bits >> 15) & 0x7FFF));
}

/// float16 to float32, exact, without a branch; NaN stays NaN.
static inline float widen_half(std::uint16_t half) {
    const std::uint32_t magnitude = (half & 0x7FFFu) << 13;
    float value;
    std::memcpy(&value, &magnitude, sizeof value);
    value *= 0x1p112f;  // the exponents' biases differ by 112; subnormal numbers come out right too
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    bits |= magnitude >= 0x0F800000u ? 0x7F800000u : 0u;  // infinities and NaN
    bits |= (half & 0x8000u) << 16;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace edgedet
