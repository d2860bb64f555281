#include "edgedet/taps.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace edgedet {

namespace {

constexpr float kOne = 2048.0f;
constexpr std::size_t kColumns = 8;        // of a block
constexpr std::size_t kWholeBlocks = 4;    // for the widest vectors
constexpr std::size_t kWindow = 16;        // samples that one look-up chooses from
constexpr std::uint8_t kElsewhere = 0x80;  // an index that gives 0

std::int16_t weight(float part) { return static_cast<std::int16_t>(std::lrint(part * kOne)); }

/// Position of an output's centre among the samples: the one before it, and how far beyond that.
struct Position {
    std::ptrdiff_t before;
    float beyond;
};

Position position(std::size_t index, double scale) {
    const auto centre = static_cast<float>((static_cast<double>(index) + 0.5) * scale - 0.5);
    const float before = std::floor(centre);
    return {static_cast<std::ptrdiff_t>(before), centre - before};
}

double scale_of(std::size_t from, std::size_t to) {
    return 1.0 / (static_cast<double>(to) / static_cast<double>(from));
}

}  // namespace

std::vector<Tap> row_taps(std::size_t from, std::size_t to, std::size_t begin, std::size_t count) {
    const auto last = static_cast<std::ptrdiff_t>(from) - 1;
    const auto inside = [&](std::ptrdiff_t row) {
        return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(row, 0, last));
    };
    std::vector<Tap> taps;
    taps.reserve(count);
    for (std::size_t i = begin; i < begin + count; ++i) {
        const auto [before, beyond] = position(i, scale_of(from, to));
        taps.push_back({inside(before), inside(before + 1), weight(1.0f - beyond), weight(beyond)});
    }
    return taps;
}

std::vector<Tap> column_taps(std::size_t from, std::size_t to, std::size_t begin, std::size_t count) {
    const auto last = static_cast<std::ptrdiff_t>(from) - 1;
    std::vector<Tap> taps;
    taps.reserve(count);
    for (std::size_t i = begin; i < begin + count; ++i) {
        const auto [before, beyond] = position(i, scale_of(from, to));
        if (before < 0 || before >= last) {
            const std::size_t outer = before < 0 ? 0 : from - 1;
            taps.push_back({outer, outer, weight(1.0f), 0});
        } else {
            const auto first = static_cast<std::size_t>(before);
            taps.push_back({first, first + 1, weight(1.0f - beyond), weight(beyond)});
        }
    }
    return taps;
}

ColumnPlan::ColumnPlan(const std::vector<Tap>& columns) {
    constexpr std::size_t kStep = kColumns * kWholeBlocks;
    const std::size_t padded = (columns.size() + kStep - 1) / kStep * kStep;
    left_.resize(padded);
    low_weights_.resize(padded);
    high_weights_.resize(padded);
    for (std::size_t i = 0; i < padded; ++i) {
        // What fills the last block repeats the last column.
        const Tap& tap = columns[std::min(i, columns.size() - 1)];
        left_[i] = static_cast<std::uint32_t>(tap.first);
        const std::size_t at = i % kColumns;
        std::vector<std::int16_t>& weights = at < kColumns / 2 ? low_weights_ : high_weights_;
        const std::size_t pair = i / kColumns * kColumns + 2 * (at % (kColumns / 2));
        weights[pair] = tap.first_weight;
        weights[pair + 1] = tap.second_weight;
    }
    find_windows();
}

void ColumnPlan::find_windows() {
    const std::size_t blocks = left_.size() / kColumns;
    // Window by window for all blocks: (windows, blocks), where some blocks need fewer.
    for (std::vector<std::size_t> done(blocks, 0);
         std::any_of(done.begin(), done.end(), [](std::size_t columns) { return columns < kColumns; }); ++windows_) {
        starts_.resize((windows_ + 1) * blocks, 0);
        indices_.resize((windows_ + 1) * blocks * kWindow, kElsewhere);
        for (std::size_t block = 0; block < blocks; ++block) {
            const std::uint32_t* left = left_.data() + block * kColumns;
            const std::uint32_t start = left[std::min(done[block], kColumns - 1)];
            std::uint8_t* indices = indices_.data() + (windows_ * blocks + block) * kWindow;
            starts_[windows_ * blocks + block] = start;
            for (std::size_t& i = done[block]; i < kColumns && left[i] + 1 < start + kWindow; ++i) {
                indices[2 * i] = static_cast<std::uint8_t>(left[i] - start);
                indices[2 * i + 1] = static_cast<std::uint8_t>(left[i] - start + 1);
            }
        }
    }
}

ColumnTaps ColumnPlan::taps() const {
    return {left_.size() / kColumns, left_.data(),   low_weights_.data(), high_weights_.data(), windows_,
            starts_.data(),          indices_.data()};
}

}  // namespace edgedet
