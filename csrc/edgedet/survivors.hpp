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
/// Those of a class must come by ascending row. Memory stays within about twice the smaller limit.
class Survivors {
  public:
    Survivors(std::size_t classes, std::size_t most_per_class, std::size_t most);

    void add(const Survivor& one) {
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

    std::size_t classes_, most_per_class_, most_;
    std::size_t full_;  ///< so many are cut down to the limits
    std::vector<Survivor> all_;
};

}  // namespace edgedet
