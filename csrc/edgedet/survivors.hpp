#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgedet/nms.hpp"

namespace edgedet {

/// An entry that passed the threshold.
struct Survivor {
    float value;  ///< logit or score
    std::uint32_t row;
    std::uint32_t class_id;
};

/// Survivors, of which the best of each class and of all are kept when there are limits.
///
/// Those of a class must come by ascending row. Memory stays within about twice the smaller limit. Where as many as a
/// limit allows are kept already, what is no better than the worst of them is let go at once.
class Survivors {
  public:
    Survivors(std::size_t classes, std::size_t most_per_class, std::size_t most);

    void add(const Survivor& one) {
        if (!(one.value > floors_[one.class_id])) {
            return;
        }
        all_.push_back(one);
        if (all_.size() >= full_) {
            shrink();
        }
    }

    /// All that are kept, by class, then by row: the order in which ties are settled.
    std::vector<Survivor> take();

  private:
    void shrink();
    void sort_by_class();
    void cut_classes();
    void cut_all();
    void raise_floors();

    std::size_t classes_, most_per_class_, most_;
    std::size_t full_;  ///< so many are cut down to the limits
    std::vector<Survivor> all_;
    std::vector<float> floors_;  ///< of each class: what is not greater is not among the best
};

}  // namespace edgedet
