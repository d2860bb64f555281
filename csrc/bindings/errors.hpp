#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace edgedet::bindings {

namespace py = pybind11;

/// The one grammar of errors: what: expected …, got …; do ….
inline std::string complaint(const std::string& what, const std::string& expected, const std::string& got,
                             const std::string& remedy) {
    return what + ": expected " + expected + ", got " + got + "; do " + remedy;
}

inline std::string type_name(py::handle value) { return Py_TYPE(value.ptr())->tp_name; }

}  // namespace edgedet::bindings
