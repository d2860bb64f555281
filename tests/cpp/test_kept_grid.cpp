#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "check.hpp"
#include "edgedet/kept_grid.hpp"

using edgedet::Box;
using edgedet::OverlapRule;

namespace {

class Random {
  public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}
    float from(double low, double high) {
        return static_cast<float>(low + (high - low) * (static_cast<double>(engine_()) / 4294967296.0));
    }

  private:
    std::mt19937 engine_;
};

/// Goes through `boxes` as suppression does and compares every answer with that of the plain loop.
std::size_t differences(const std::vector<Box>& boxes, const OverlapRule& rule) {
    edgedet::KeptBoxes plain;
    edgedet::KeptGrid grid(boxes.size());
    std::size_t count = 0;
    for (const Box& box : boxes) {
        const bool over = plain.suppress(box, rule);
        count += grid.suppress(box, rule) != over;
        if (!over) {
            plain.add(box, rule);
            grid.add(box, rule);
        }
    }
    return count + (grid.size() != plain.size());
}

/// Boxes of sides from e^small to e^large, in a square of `side`; every 40th is empty or inverted.
std::vector<Box> scene(std::size_t count, double side, double small, double large, std::uint32_t seed) {
    Random random(seed);
    std::vector<Box> boxes;
    for (std::size_t i = 0; i < count; ++i) {
        const float x = random.from(-side, side), y = random.from(-side, side);
        const float w = i % 40 == 7 ? random.from(-2, 0) : std::exp(random.from(small, large));
        boxes.push_back({x, y, x + w, y + std::exp(random.from(small, large))});
    }
    return boxes;
}

void same_answers() {
    for (const float threshold : {0.0f, 1e-5f, 0.1f, 0.45f, 0.5f, 0.7f, 0.95f, 1.0f}) {
        for (const float edge : {0.0f, 1.0f}) {
            const OverlapRule rule{threshold, edge};
            CHECK(differences(scene(4000, 1000, 1, 4, 1), rule) == 0);       // scattered
            CHECK(differences(scene(4000, 20, 2, 4, 2), rule) == 0);         // piled up
            CHECK(differences(scene(4000, 1000, -4, 7, 3), rule) == 0);      // all sizes and shapes
            CHECK(differences(scene(3000, 1e-3, -9, -7, 4), rule) == 0);     // normalised, small
            CHECK(differences(scene(3000, 1e9, 10, 18, 5), rule) == 0);      // far beyond any image
            CHECK(differences(scene(3000, 1e-18, -46, -40, 6), rule) == 0);  // areas below the smallest normal number
        }
    }
}

/// Boxes cut off ever so slightly differently on both sides of the threshold.
void barely_over_the_threshold() {
    Random random(9);
    for (const float threshold : {0.3f, 0.5f, 0.6f}) {
        const OverlapRule rule{threshold, 0.0f};
        std::vector<Box> boxes = scene(1500, 3000, 2, 4, 10);
        for (std::size_t i = 0; i < 1500; ++i) {
            Box box = boxes[i];
            box.x2 = box.x1 + (box.x2 - box.x1) * (threshold + random.from(-3e-7, 3e-7));
            boxes.push_back(box);
        }
        CHECK(differences(boxes, rule) == 0);
    }
}

void extremes() {
    std::vector<Box> boxes = scene(1000, 1000, 1, 4, 11);
    for (const float size : {3e38f, 1e-45f, 1e20f, 0.0f}) {
        boxes.push_back({-size, -size, size, size});
        boxes.push_back({0, 0, size, 5});
        boxes.push_back({0, 0, size, 5});
    }
    for (const float threshold : {0.0f, 0.5f, 1.0f}) {
        CHECK(differences(boxes, {threshold, 0.0f}) == 0);
        CHECK(differences(boxes, {threshold, 1.0f}) == 0);
    }
}

}  // namespace

int main() {
    same_answers();
    barely_over_the_threshold();
    extremes();
    return finish();
}
