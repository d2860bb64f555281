#pragma once

#include <vector>

#include "edgedet/detect.hpp"
#include "edgedet/survivors.hpp"

namespace edgedet {

/// The entries that pass the rule's threshold, cut down to its limits; by class, then by row. Their values are logits
/// under sigmoid, scores under softmax. The logits are read once.
std::vector<Survivor> scan_logits(const RawOutput& raw, const DetectRule& rule);

}  // namespace edgedet
