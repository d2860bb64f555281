#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

namespace edgedet {

/// Score and position in one number, smaller for a larger score and then for a lower position, so that sorting moves
/// nothing else and settles ties. The score must not be NaN; -0 ties with +0.
inline std::uint64_t rank_of(float score, std::uint32_t position) {
    score += 0.0f;  // -0 becomes +0
    std::uint32_t bits;
    std::memcpy(&bits, &score, sizeof bits);
    const bool negative = (bits >> 31) != 0;
    const std::uint32_t key = negative ? bits : ~(bits | 0x80000000u);
    return std::uint64_t{key} << 32 | position;
}

/// The position in a rank.
inline std::uint32_t position_of(std::uint64_t rank) { return static_cast<std::uint32_t>(rank); }

/// Sorts ranks whose positions ascend already.
void sort_ranks(std::vector<std::uint64_t>& ranks);

}  // namespace edgedet
