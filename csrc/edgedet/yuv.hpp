#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgedet/rows.hpp"

namespace edgedet {

/// Where a frame keeps its first U (or V) and the rows that follow.
struct YuvPlane {
    const std::uint8_t* data;
    std::size_t row_stride;

    const std::uint8_t* row(std::size_t y) const { return data + y * row_stride; }
};

enum class Chroma {
    pairs,   ///< U and V by turns in a plane of their own
    planes,  ///< each in a plane of its own
    packed,  ///< by turns with luma: Y U Y V
};

/// A frame of limited range after BT.601, two pixels of a row (and of two rows) sharing their chroma.
struct YuvView {
    std::size_t width, height;  ///< in pixels; the width is even
    Chroma chroma;
    YuvPlane luma, u, v;
    std::size_t rows_per_chroma;  ///< 2 for 4:2:0, 1 for 4:2:2
};

/// Blue, green and red, to the bit as OpenCV's cvtColor has them.
class YuvRows : public PictureRows {
  public:
    explicit YuvRows(const YuvView& frame);

  private:
    void read(std::size_t y) override;

    YuvView frame_;
    std::vector<std::uint8_t> luma_, chroma_;
};

}  // namespace edgedet
