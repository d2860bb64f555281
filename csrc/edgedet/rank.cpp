#include "edgedet/rank.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace edgedet {

namespace {

/// So few are sorted by comparison in less time than the digits' counts are cleared.
constexpr std::size_t kFew = 128;

/// So many are worth longer digits, of which there are fewer.
constexpr std::size_t kMany = 768;

/// Sorts by the score's 32 bits in digits, the least one first, each pass stable, so that equal scores stay in order of
/// position.
template <int kDigitBits>
class DigitSort {
  public:
    static void sort(std::vector<std::uint64_t>& ranks) {
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

  private:
    static constexpr int kDigits = (32 + kDigitBits - 1) / kDigitBits;
    static constexpr std::size_t kDigitValues = std::size_t{1} << kDigitBits;
    using Counts = std::array<std::array<std::uint32_t, kDigitValues>, kDigits>;

    static std::size_t digit(std::uint64_t rank, int which) {
        return (rank >> (32 + which * kDigitBits)) & (kDigitValues - 1);
    }

    static Counts count_digits(const std::vector<std::uint64_t>& ranks) {
        Counts counts{};
        for (const std::uint64_t rank : ranks) {
            for (int which = 0; which < kDigits; ++which) {
                ++counts[static_cast<std::size_t>(which)][digit(rank, which)];
            }
        }
        return counts;
    }
};

}  // namespace

void sort_ranks(std::vector<std::uint64_t>& ranks) {
    if (ranks.size() < kFew) {
        std::sort(ranks.begin(), ranks.end());
    } else if (ranks.size() < kMany) {
        DigitSort<8>::sort(ranks);
    } else {
        DigitSort<11>::sort(ranks);
    }
}

}  // namespace edgedet
