#pragma once

#include <memory>
#include <optional>
#include <string>

#include "array.hpp"
#include "edgedet/resize.hpp"
#include "edgedet/yuv.hpp"

namespace edgedet::bindings {

/// An image that was checked, in any of the ways in which cameras and OpenCV lay them out. Holds its array.
class Picture {
  public:
    /// Throws py::value_error that names `image` or `color`.
    Picture(py::handle image, const std::string& color);

    PictureRows& rows() { return *rows_; }

  private:
    void read_pixels(py::handle image);
    template <bool kUFirst>
    void read_semi_planar(py::handle image);
    void read_planar(py::handle image);
    void read_packed(py::handle image);
    YuvView frame(py::handle image);

    std::optional<ImageArray> pixels_;
    std::optional<FrameArray> frame_;
    std::optional<PairsArray> pairs_;
    std::unique_ptr<PictureRows> rows_;
};

}  // namespace edgedet::bindings
