#include <cmath>

#include "array.hpp"
#include "edgedet/pixels.hpp"
#include "edgedet/resize.hpp"
#include "module.hpp"
#include "picture.hpp"
#include "scalar.hpp"

namespace edgedet::bindings {

namespace {

constexpr double kMaxSide = 32766;

Layout layout_of(const std::string& name) {
    if (name == "chw") {
        return Layout::chw;
    }
    if (name == "hwc") {
        return Layout::hwc;
    }
    throw py::value_error(complaint("layout", "'chw' or 'hwc'", "'" + name + "'", "give one of them"));
}

Normalization normalization(py::handle mean, py::handle std, bool swap_rb, const std::string& layout) {
    return {triple_of(mean, "mean", finite_number), triple_of(std, "std", positive_number), swap_rb, layout_of(layout)};
}

py::array_t<float> float_output(py::handle out, Layout layout, std::size_t height, std::size_t width) {
    return layout == Layout::chw ? output_array<float>(out, {3, height, width})
                                 : output_array<float>(out, {height, width, 3});
}

double bounded(py::handle value, const std::string& name, double least, double most) {
    const double number = finite_number(value, name);
    if (number < least || number > most || number != std::floor(number)) {
        throw py::value_error(complaint(name,
                                        "whole numbers from " + std::to_string(static_cast<int>(least)) + " to " +
                                            std::to_string(static_cast<int>(most)),
                                        py::repr(value), "give such"));
    }
    return number;
}

double side(py::handle value, const std::string& name) { return bounded(value, name, 1, kMaxSide); }
double distance(py::handle value, const std::string& name) { return bounded(value, name, -kMaxSide, kMaxSide); }

Canvas canvas_of(py::handle size_wh, py::handle canvas_wh, py::handle offset_xy, py::handle border) {
    const auto resized = pair_of(size_wh, "size_wh", side);
    const auto whole = canvas_wh.is_none() ? resized : pair_of(canvas_wh, "canvas_wh", side);
    const auto offset = pair_of(offset_xy, "offset_xy", distance);
    return {static_cast<std::size_t>(whole.first),
            static_cast<std::size_t>(whole.second),
            static_cast<std::size_t>(resized.first),
            static_cast<std::size_t>(resized.second),
            static_cast<std::ptrdiff_t>(offset.first),
            static_cast<std::ptrdiff_t>(offset.second),
            static_cast<std::uint8_t>(bounded(border, "border", 0, 255))};
}

py::array_t<float> normalize(py::handle image, py::handle mean, py::handle std, bool swap_rb, const std::string& layout,
                             py::handle out) {
    const ImageArray array(image, "image");
    const ImageView view{array.data(), array.size(0), array.size(1), array.stride(0), array.stride(1), array.stride(2)};
    const Normalization how = normalization(mean, std, swap_rb, layout);
    py::array_t<float> result = float_output(out, how.layout, view.height, view.width);
    float* target = result.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        edgedet::normalize(view, how, target);
    }
    return result;
}

py::array_t<float> resize_normalize(py::handle image, py::handle size_wh, py::handle mean, py::handle std,
                                    const std::string& color, bool swap_rb, const std::string& layout,
                                    py::handle canvas_wh, py::handle offset_xy, py::handle border, py::handle out) {
    Picture picture(image, color);
    const Normalization how = normalization(mean, std, swap_rb, layout);
    const Canvas canvas = canvas_of(size_wh, canvas_wh, offset_xy, border);
    py::array_t<float> result = float_output(out, how.layout, canvas.height, canvas.width);
    float* target = result.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        edgedet::resize_normalize(picture.rows(), canvas, how, target);
    }
    return result;
}

py::array_t<std::uint8_t> resize(py::handle image, py::handle size_wh, const std::string& color, bool swap_rb,
                                 py::handle canvas_wh, py::handle offset_xy, py::handle border, py::handle out) {
    Picture picture(image, color);
    const Canvas canvas = canvas_of(size_wh, canvas_wh, offset_xy, border);
    py::array_t<std::uint8_t> result = output_array<std::uint8_t>(out, {canvas.height, canvas.width, 3});
    std::uint8_t* target = result.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        edgedet::resize(picture.rows(), canvas, swap_rb, target);
    }
    return result;
}

}  // namespace

void bind_pixels(py::module_& module) {
    module.def("normalize", &normalize, py::arg("image"), py::arg("mean"), py::arg("std"), py::kw_only(),
               py::arg("swap_rb"), py::arg("layout"), py::arg("out"), "See edgedet.ops.normalize.");
    module.def("resize_normalize", &resize_normalize, py::arg("image"), py::arg("size_wh"), py::arg("mean"),
               py::arg("std"), py::kw_only(), py::arg("color"), py::arg("swap_rb"), py::arg("layout"),
               py::arg("canvas_wh"), py::arg("offset_xy"), py::arg("border"), py::arg("out"),
               "See edgedet.ops.resize_normalize.");
    module.def("resize", &resize, py::arg("image"), py::arg("size_wh"), py::kw_only(), py::arg("color"),
               py::arg("swap_rb"), py::arg("canvas_wh"), py::arg("offset_xy"), py::arg("border"), py::arg("out"),
               "See edgedet.ops.resize.");
}

}  // namespace edgedet::bindings
