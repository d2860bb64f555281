#include "edgedet/chosen_boxes.hpp"

#include <algorithm>

namespace edgedet {

namespace {

constexpr std::size_t kBlockSize = KeptBoxes::kBlockSize;

/// So many are asked one after another in less time than buckets are.
constexpr std::size_t kPlainSize = 512;

/// So many fill a bucket.
constexpr std::size_t kBucketSize = 4 * kBlockSize;

/// As few are not worth looking through the buckets' bounds.
constexpr std::size_t kFewBoxes = 8 * kBlockSize;

/// In blocks asked in order: what a bucket's bounds cost, and a block of one that is touched or an overlap found.
constexpr float kBucketCost = 0.125f, kFoundCost = 4.0f;

/// By so much less sure, each time that buckets are not asked, that they would not pay.
constexpr float kForget = 0.995f;

/// Whether a box that lies within the bounds may share anything with the other: no rounding makes it share more.
bool touch(const Box& bounds, const Box& box, float edge) {
    const float width = std::min(bounds.x2, box.x2) - std::max(bounds.x1, box.x1) + edge;
    const float height = std::min(bounds.y2, box.y2) - std::max(bounds.y1, box.y1) + edge;
    return width > 0.0f && height > 0.0f;
}

Box around(const Box& a, const Box& b) {
    return {std::min(a.x1, b.x1), std::min(a.y1, b.y1), std::max(a.x2, b.x2), std::max(a.y2, b.y2)};
}

/// Where the block that holds the index ends.
std::size_t block_end(std::size_t index, std::size_t size) {
    return std::min(size, (index / kBlockSize + 1) * kBlockSize);
}

}  // namespace

void ChosenBoxes::add(const Box& box, const OverlapRule& rule) {
    all_.add(box, rule);
    if (all_.size() < kPlainSize) {
        return;
    }
    if (nodes_.empty()) {
        nodes_.emplace_back();
        buckets_.emplace_back();
        for (std::uint32_t place = 0; place + 1 < all_.size(); ++place) {
            file(place, rule);
        }
    }
    file(static_cast<std::uint32_t>(all_.size() - 1), rule);
}

bool ChosenBoxes::buckets_pay(std::size_t next) {
    const std::size_t asked = all_.size() - next;
    if (buckets_.empty() || asked < kFewBoxes) {
        return false;
    }
    const float blocks = static_cast<float>(asked) / kBlockSize;
    if (blocks * (1.0f - kFoundCost * share_) > static_cast<float>(buckets_.size()) * kBucketCost) {
        return true;
    }
    share_ *= kForget;
    return false;
}

const std::vector<Overlap>& ChosenBoxes::overlaps(const Box& box, const OverlapRule& rule, std::size_t next) {
    const float area = rule.area(box);
    std::size_t blocks = 0;
    found_.clear();
    for (const Bucket& bucket : buckets_) {
        if (touch(bucket.bounds, box, rule.edge)) {
            blocks += ask(bucket, box, area, rule, next);
        }
    }
    const float all = static_cast<float>(all_.size() - next) / kBlockSize;
    share_ += (static_cast<float>(blocks + found_.size()) / all - share_) * 0.125f;
    std::sort(found_.begin(), found_.end(), [](const Overlap& a, const Overlap& b) { return a.chosen < b.chosen; });
    return found_;
}

std::size_t ChosenBoxes::ask(const Bucket& bucket, const Box& box, float area, const OverlapRule& rule,
                             std::size_t next) {
    const std::vector<std::uint32_t>& places = bucket.places;
    const auto first = std::lower_bound(places.begin(), places.end(), static_cast<std::uint32_t>(next));
    std::size_t at = static_cast<std::size_t>(first - places.begin());
    std::size_t blocks = 0;
    while (at < places.size()) {
        float iou[kBlockSize];
        bucket.boxes.blocks()[at / kBlockSize].overlap(box, area, rule, iou);
        for (const std::size_t end = block_end(at, places.size()); at < end; ++at) {
            if (iou[at % kBlockSize] > 0.0f) {
                found_.push_back({places[at], iou[at % kBlockSize]});
            }
        }
        ++blocks;
    }
    return blocks;
}

float ChosenBoxes::centre(std::uint32_t place, bool by_y) const {
    const Box box = all_.at(place);
    return by_y ? box.y1 * 0.5f + box.y2 * 0.5f : box.x1 * 0.5f + box.x2 * 0.5f;
}

void ChosenBoxes::put(Bucket& bucket, std::uint32_t place, const OverlapRule& rule) const {
    const Box box = all_.at(place);
    bucket.bounds = bucket.places.empty() ? box : around(bucket.bounds, box);
    bucket.boxes.add(box, rule);
    bucket.places.push_back(place);
}

void ChosenBoxes::file(std::uint32_t place, const OverlapRule& rule) {
    std::uint32_t at = 0;
    while (nodes_[at].is_cut) {
        at = centre(place, nodes_[at].by_y) < nodes_[at].at ? nodes_[at].near : nodes_[at].far;
    }
    put(buckets_[nodes_[at].near], place, rule);
    if (buckets_[nodes_[at].near].places.size() == kBucketSize) {
        split(at, rule);
    }
}

void ChosenBoxes::split(std::uint32_t node, const OverlapRule& rule) {
    const std::uint32_t bucket = nodes_[node].near;
    const Bucket full = std::move(buckets_[bucket]);
    const bool by_y = full.bounds.y2 - full.bounds.y1 > full.bounds.x2 - full.bounds.x1;
    std::vector<float> centres;
    for (const std::uint32_t place : full.places) {
        centres.push_back(centre(place, by_y));
    }
    std::nth_element(centres.begin(), centres.begin() + kBucketSize / 2, centres.end());
    const float at = centres[kBucketSize / 2];
    const bool equal = std::none_of(centres.begin(), centres.end(), [at](float one) { return one < at; });
    buckets_[bucket] = {};
    buckets_.emplace_back();
    for (std::size_t i = 0; i < full.places.size(); ++i) {
        // Which bucket one lies in matters to speed alone: half of those that can't be told apart go to either.
        const bool is_near = equal ? i < full.places.size() / 2 : centre(full.places[i], by_y) < at;
        put(is_near ? buckets_[bucket] : buckets_.back(), full.places[i], rule);
    }
    const auto near = static_cast<std::uint32_t>(nodes_.size());
    nodes_[node] = {true, by_y, at, near, near + 1};
    nodes_.push_back({false, false, 0.0f, bucket, 0});
    nodes_.push_back({false, false, 0.0f, static_cast<std::uint32_t>(buckets_.size() - 1), 0});
}

}  // namespace edgedet
