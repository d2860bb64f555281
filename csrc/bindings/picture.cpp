#include "picture.hpp"

#include <map>

namespace edgedet::bindings {

namespace {

constexpr std::size_t kMaxSide = 32766;  // as OpenCV's

void check_sides(std::size_t width, std::size_t height) {
    const auto fits = [](std::size_t side) { return side >= 1 && side <= kMaxSide; };
    if (!fits(width) || !fits(height)) {
        throw py::value_error(complaint("image", "sides of 1 to 32766 pixels",
                                        std::to_string(width) + "×" + std::to_string(height), "crop it"));
    }
}

}  // namespace

void Picture::read_pixels(py::handle image) {
    const ImageArray& array = pixels_.emplace(image, "image");
    const ImageView view{array.data(), array.size(0), array.size(1), array.stride(0), array.stride(1), array.stride(2)};
    check_sides(view.width, view.height);
    rows_ = std::make_unique<PixelRows>(view);
}

/// The luma plane; chroma is the caller's to fill in.
YuvView Picture::frame(py::handle image) {
    const FrameArray& array = frame_.emplace(image, "image");
    const std::size_t rows = array.size(0), width = array.size(1), height = rows / 3 * 2;
    if (rows % 3 != 0 || height % 2 != 0 || width % 2 != 0) {
        throw py::value_error(complaint("image", "(H·3/2, W) uint8 of even H and W", shape_text({rows, width}),
                                        "crop it to even sides before it becomes YUV"));
    }
    check_sides(width, height);
    return {width, height, Chroma::pairs, {array.data(), width}, {}, {}, 2};
}

template <bool kUFirst>
void Picture::read_semi_planar(py::handle image) {
    YuvView view = frame(image);
    const std::uint8_t* chroma = view.luma.data + view.width * view.height;
    view.u = {chroma + (kUFirst ? 0 : 1), view.width};
    view.v = {chroma + (kUFirst ? 1 : 0), view.width};
    rows_ = std::make_unique<YuvRows>(view);
}

void Picture::read_planar(py::handle image) {
    YuvView view = frame(image);
    const std::uint8_t* chroma = view.luma.data + view.width * view.height;
    view.chroma = Chroma::planes;
    view.u = {chroma, view.width / 2};
    view.v = {chroma + view.width * view.height / 4, view.width / 2};
    rows_ = std::make_unique<YuvRows>(view);
}

void Picture::read_packed(py::handle image) {
    const PairsArray& array = pairs_.emplace(image, "image");
    const std::size_t height = array.size(0), width = array.size(1);
    if (width % 2 != 0) {
        throw py::value_error(complaint("image", "(H, W, 2) uint8 of an even W", shape_text({height, width, 2}),
                                        "crop it to an even width"));
    }
    check_sides(width, height);
    const std::uint8_t* data = array.data();
    rows_ = std::make_unique<YuvRows>(
        YuvView{width, height, Chroma::packed, {data, 2 * width}, {data + 1, 2 * width}, {data + 3, 2 * width}, 1});
}

Picture::Picture(py::handle image, const std::string& color) {
    static const std::map<std::string, void (Picture::*)(py::handle)> readers{
        {"bgr", &Picture::read_pixels},
        {"rgb", &Picture::read_pixels},
        {"nv12", &Picture::read_semi_planar<true>},
        {"nv21", &Picture::read_semi_planar<false>},
        {"i420", &Picture::read_planar},
        {"yuyv", &Picture::read_packed},
    };
    const auto found = readers.find(color);
    if (found == readers.end()) {
        throw py::value_error(complaint("color", "bgr, rgb, nv12, nv21, i420 or yuyv", "'" + color + "'",
                                        "say how the image is laid out"));
    }
    (this->*found->second)(image);
}

}  // namespace edgedet::bindings
