#include "edgedet/kept_grid.hpp"

#include <algorithm>

namespace edgedet {

namespace {

/// Fewer blocks than these are not worth cells, however many questions come.
constexpr std::size_t kFewBlocks = 10;

/// Every so often the way that is not thought the cheaper is tried.
constexpr std::size_t kTrial = 32;

/// What a cell or one of its blocks costs, in blocks of the plain loop, which are twice as long.
constexpr float kCellCost = 0.5f;

/// In blocks: what filing a box under its cells costs, and what their answer does.
constexpr double kFilingCost = 8, kAnswerCost = 2;

/// A running mean.
void learn(float& mean, float cost) { mean += (cost - mean) * 0.125f; }

}  // namespace

void KeptGrid::add(const Box& box, const OverlapRule& rule) {
    all_.add(box, rule);
    if (cells_) {
        cells_->add(box, rule);
    } else if (all_.size() % KeptBoxes::kBlockSize == 0) {
        if (pays()) {
            lay_out(rule);
        }
        asked_before_ = asked_;
        late_ = 0;
    }
}

/// Whether filing what is kept, and what will be, costs less than cells save of all the questions to come.
bool KeptGrid::pays() const {
    if (all_.blocks().size() < kFewBlocks) {
        return false;
    }
    // As of late: since the last block was full.
    const auto asked = static_cast<double>(asked_ - asked_before_);
    const double saved = static_cast<double>(late_) / asked - kAnswerCost;
    const double kept = static_cast<double>(KeptBoxes::kBlockSize) / asked;
    const double left = static_cast<double>(questions_ > asked_ ? questions_ - asked_ : 0);
    return left * saved > kFilingCost * (static_cast<double>(all_.size()) + left * kept);
}

void KeptGrid::lay_out(const OverlapRule& rule) {
    cells_ = std::make_unique<KeptCells>();
    for (std::size_t i = 0; i < all_.size(); ++i) {
        cells_->add(all_.at(i), rule);
    }
}

bool KeptGrid::ask_cheaper(const Box& box, float area, const OverlapRule& rule) {
    const std::size_t blocks = all_.blocks().size();
    const std::size_t first = std::min(blocks, kFirstBlocks);
    if (all_.find(box, area, rule, 0, first) < first) {
        return true;
    }
    if (area == 0.0f) {
        return false;  // shares no more than its own area
    }
    if (KeptCells::is_odd(box, rule)) {
        return all_.find(box, area, rule, first, blocks) < blocks;
    }
    const bool try_other = asked_ % kTrial == 0;
    const bool plain_first = (plain_cost_ < grid_cost_) != try_other;
    // What is tried for the sake of its cost may take no more than a few times what the other way does.
    if (plain_first) {
        const auto most = try_other ? static_cast<std::size_t>(2 * grid_cost_) + 1 : blocks;
        const std::size_t last = std::min(blocks, first + most);
        const std::size_t found = all_.find(box, area, rule, first, last);
        learn(plain_cost_, static_cast<float>(found - first));
        if (found < last || last == blocks) {
            return found < last;
        }
    }
    const std::size_t most = plain_first || !try_other ? blocks : static_cast<std::size_t>(4 * plain_cost_) + 4;
    std::size_t budget = std::min(blocks, most);
    const std::size_t given = budget;
    const KeptCells::Answer answer = cells_->ask(box, area, rule, budget);
    learn(grid_cost_, kCellCost * static_cast<float>(given - budget));
    if (answer != KeptCells::Answer::too_many_to_ask) {
        return answer == KeptCells::Answer::yes;
    }
    const std::size_t found = all_.find(box, area, rule, first, blocks);
    learn(plain_cost_, static_cast<float>(found - first));
    learn(grid_cost_, kCellCost * static_cast<float>(given) + static_cast<float>(found - first));
    return found < blocks;
}

}  // namespace edgedet
