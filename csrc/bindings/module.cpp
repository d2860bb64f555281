#include "module.hpp"

#include "edgedet/vector_level.hpp"

namespace py = pybind11;

namespace {

/// What this binary is, for bug reports.
py::dict build_info() {
    py::dict info;
    info["version"] = EDGEDET_VERSION;
#ifdef __clang__
    info["compiler"] = __VERSION__;  // begins with Clang's name; GCC's is the number alone
#else
    info["compiler"] = "GCC " __VERSION__;
#endif
    info["build_type"] = EDGEDET_BUILD_TYPE;
    info["pybind11"] = PYBIND11_TOSTRING(PYBIND11_VERSION_MAJOR) "." PYBIND11_TOSTRING(PYBIND11_VERSION_MINOR);
    info["vector_level"] = edgedet::vector_level().name;
    py::list levels;
    for (const edgedet::VectorLevel& level : edgedet::vector_levels()) {
        levels.append(level.name);
    }
    info["vector_levels"] = levels;
    info["fp_contract"] = "off";
#ifdef NDEBUG
    info["assertions"] = false;
#else
    info["assertions"] = true;
#endif
    return info;
}

}  // namespace

PYBIND11_MODULE(_core, module, py::mod_gil_not_used()) {
    edgedet::vector_level();  // a wrong name in the environment is refused here, not in the middle of some kernel
    module.doc() = "The compiled kernels. Call them through edgedet.ops, which documents them.";
    module.attr("__version__") = EDGEDET_VERSION;
    module.def("build_info", &build_info, "Compiler, build type, version and vector level of this binary.");
    edgedet::bindings::bind_boxes(module);
    edgedet::bindings::bind_detect(module);
    edgedet::bindings::bind_mslite(module);
    edgedet::bindings::bind_pixels(module);
    edgedet::bindings::bind_spp(module);
}
