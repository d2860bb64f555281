#pragma once

#include <cstddef>
#include <cstdint>

namespace edgedet {

/// Where a trunk's feature cells lie on its input, along one axis: cell r is centred at stride · r + offset.
struct CellAxis {
    double stride;
    double offset;
    std::int32_t cells;
};

/// Regions of the input to regions of the map (He et al. 2015, appendix A, for any padding).
///
/// boxes: (count, 4) float32 x1 y1 x2 y2, input pixels; out: (count, 4) int32 half-open cells x0 y0 x1 y1. A region
/// takes the cells whose centres lie strictly inside it, clamped to the map; where an axis has none, the one cell whose
/// centre is nearest the region's (of two, the lower). Throws std::invalid_argument, naming it, at a box that is not
/// finite.
void project_regions(const float* boxes, std::size_t count, const CellAxis& x, const CellAxis& y, std::int32_t* out);

}  // namespace edgedet
