#pragma once

#include <cstdint>
#include <cstring>

// Static, for the sake of vector_loops.cpp: each vector level must have copies of its own.

namespace edgedet {

/// 2^n for -126 <= n <= 127, built from its bits.
static inline float power_of_two(std::int32_t n) {
    const std::uint32_t bits = static_cast<std::uint32_t>(n + 127) << 23;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// e^x within 2 ulp, the same bits on every machine: no libm, no branch, so that loops around it vectorise.
///
/// x = n·ln 2 + r with |r| <= ln 2 / 2; e^r by the polynomial of Cephes' expf; then scaled by 2^n.
/// NaN stays NaN; overflow gives +inf, underflow passes through the subnormal numbers to 0.
static inline float portable_exp(float x) {
    // Beyond these the answer is inf or 0 anyway, and n below stays small. Both comparisons let NaN through.
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    // Adding 1.5·2^23 leaves the nearest whole number in the low bits of the sum.
    constexpr float kRounder = 12582912.0f;
    const float shifted = x * 1.44269504088896341f + kRounder;
    const float n = shifted - kRounder;
    // ln 2 in two parts; n times the first is exact.
    const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = (p * (r * r) + r) + 1.0f;
    std::int32_t whole;
    std::memcpy(&whole, &shifted, sizeof whole);
    whole -= 0x4B400000;  // the bits of kRounder
    // Two steps: 2^128 and 2^-150 are no normal floats.
    const std::int32_t half = whole >> 1;
    return p * power_of_two(half) * power_of_two(whole - half);
}

/// 1 / (1 + e^-x), without overflow at either end; NaN stays NaN.
static inline float sigmoid(float x) {
    const float e = portable_exp(x < 0.0f ? x : -x);
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

}  // namespace edgedet
