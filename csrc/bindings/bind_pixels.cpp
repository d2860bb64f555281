#include "array.hpp"
#include "edgedet/pixels.hpp"
#include "module.hpp"
#include "scalar.hpp"

namespace edgedet::bindings {

namespace {

Layout layout_of(const std::string& name) {
    if (name == "chw") {
        return Layout::chw;
    }
    if (name == "hwc") {
        return Layout::hwc;
    }
    throw py::value_error(complaint("layout", "'chw' or 'hwc'", "'" + name + "'", "give one of them"));
}

py::array_t<float> normalize(py::handle image, py::handle mean, py::handle std, bool swap_rb, const std::string& layout,
                             py::handle out) {
    const ImageArray array(image, "image");
    const ImageView view{array.data(), array.size(0), array.size(1), array.stride(0), array.stride(1), array.stride(2)};
    const Normalization how{triple_of(mean, "mean", finite_number), triple_of(std, "std", positive_number), swap_rb,
                            layout_of(layout)};
    const bool planes = how.layout == Layout::chw;
    py::array_t<float> result =
        planes ? output_array(out, {3, view.height, view.width}) : output_array(out, {view.height, view.width, 3});
    float* target = result.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        edgedet::normalize(view, how, target);
    }
    return result;
}

}  // namespace

void bind_pixels(py::module_& module) {
    module.def("normalize", &normalize, py::arg("image"), py::arg("mean"), py::arg("std"), py::kw_only(),
               py::arg("swap_rb"), py::arg("layout"), py::arg("out"), "See edgedet.ops.normalize.");
}

}  // namespace edgedet::bindings
