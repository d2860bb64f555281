#include "edgedet/project.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace edgedet {

namespace {

/// The cells of one axis whose centres lie strictly between begin and end; never none.
void project_axis(double begin, double end, const CellAxis& axis, std::int32_t& first, std::int32_t& past) {
    const double last_cell = axis.cells - 1;
    double from = std::max(std::floor((begin - axis.offset) / axis.stride) + 1.0, 0.0);
    double to = std::min(std::ceil((end - axis.offset) / axis.stride) - 1.0, last_cell);
    if (from > to) {
        const double nearest = std::ceil(((begin + end) / 2.0 - axis.offset) / axis.stride - 0.5);
        from = to = std::min(std::max(nearest, 0.0), last_cell);
    }
    first = static_cast<std::int32_t>(from);
    past = static_cast<std::int32_t>(to) + 1;
}

}  // namespace

void project_regions(const float* boxes, std::size_t count, const CellAxis& x, const CellAxis& y, std::int32_t* out) {
    for (std::size_t i = 0; i < count; ++i) {
        const double x1 = boxes[4 * i], y1 = boxes[4 * i + 1], x2 = boxes[4 * i + 2], y2 = boxes[4 * i + 3];
        if (!std::isfinite(x1) || !std::isfinite(y1) || !std::isfinite(x2) || !std::isfinite(y2)) {
            throw std::invalid_argument("boxes: expected finite corners, got NaN or infinity in box " +
                                        std::to_string(i) + "; do drop it");
        }
        project_axis(x1, x2, x, out[4 * i], out[4 * i + 2]);
        project_axis(y1, y2, y, out[4 * i + 1], out[4 * i + 3]);
    }
}

}  // namespace edgedet
