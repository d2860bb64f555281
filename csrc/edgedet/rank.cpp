#include "edgedet/rank.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace edgedet {

namespace {

// The score's 32 bits in three digits, the least one first.
constexpr int kDigits = 3;
constexpr int kDigitBits = 11;
constexpr std::size_t kDigitValues = std::size_t{1} << kDigitBits;

/// So few are sorted by comparison in less time than the digits' counts are cleared.
constexpr std::size_t kFew = 256;

std::size_t digit(std::uint64_t rank, int which) { return (rank >> (32 + which * kDigitBits)) & (kDigitValues - 1); }

using Counts = std::array<std::array<std::uint32_t, kDigitValues>, kDigits>;

Counts count_digits(const std::vector<std::uint64_t>& ranks) {
    Counts counts{};
    for (const std::uint64_t rank : ranks) {
        for (int which = 0; which < kDigits; ++which) {
            ++counts[static_cast<std::size_t>(which)][digit(rank, which)];
        }
    }
    return counts;
}

}  // namespace

std::uint64_t rank_of(float score, std::uint32_t position) {
    score += 0.0f;  // -0 becomes +0
    std::uint32_t bits;
    std::memcpy(&bits, &score, sizeof bits);
    const bool negative = (bits >> 31) != 0;
    const std::uint32_t key = negative ? bits : ~(bits | 0x80000000u);
    return std::uint64_t{key} << 32 | position;
}

void sort_ranks(std::vector<std::uint64_t>& ranks) {
    if (ranks.size() < kFew) {
        std::sort(ranks.begin(), ranks.end());
        return;
    }
    // By digits, each pass stable, so that equal scores stay in order of position.
    Counts counts = count_digits(ranks);
    std::vector<std::uint64_t> sorted(ranks.size());
    for (int which = 0; which < kDigits; ++which) {
        auto& places = counts[static_cast<std::size_t>(which)];
        std::uint32_t before = 0;
        for (std::uint32_t& place : places) {
            before += place;
            place = before - place;
        }
        for (const std::uint64_t rank : ranks) {
            sorted[places[digit(rank, which)]++] = rank;
        }
        ranks.swap(sorted);
    }
}

}  // namespace edgedet
