#pragma once

#include <pybind11/pybind11.h>

namespace edgedet::bindings {

// One for each topic, in bind_<topic>.cpp.
void bind_boxes(pybind11::module_& module);
void bind_detect(pybind11::module_& module);
void bind_mslite(pybind11::module_& module);
void bind_pixels(pybind11::module_& module);
void bind_spp(pybind11::module_& module);

}  // namespace edgedet::bindings
