#include "edgedet/yuv.hpp"

#include "edgedet/vector_level.hpp"

namespace edgedet {

YuvRows::YuvRows(const YuvView& frame)
    : PictureRows(frame.width, frame.height), frame_(frame), luma_(frame.width), chroma_(frame.width) {}

void YuvRows::read(std::size_t y) {
    const std::uint8_t* luma = frame_.luma.row(y);
    const std::size_t chroma_y = y / frame_.rows_per_chroma;
    const std::uint8_t *u = frame_.u.row(chroma_y), *v = frame_.v.row(chroma_y);
    const std::uint8_t* chroma = u < v ? u : v;
    bool u_first = u < v;
    if (frame_.chroma == Chroma::packed) {
        loops().split_pairs(luma, frame_.width, luma_.data(), chroma_.data());
        luma = luma_.data();
        chroma = chroma_.data();
    } else if (frame_.chroma == Chroma::planes) {
        loops().merge_pairs(u, v, frame_.width / 2, chroma_.data());
        chroma = chroma_.data();
        u_first = true;
    }
    loops().yuv_to_planes(luma, chroma, u_first, frame_.width, planes().data());
}

}  // namespace edgedet
