#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "array.hpp"
#include "edgedet/mslite.hpp"
#include "module.hpp"
#include "scalar.hpp"

namespace edgedet::bindings {

namespace {

using mslite::Library;
using mslite::Model;
using mslite::Slot;
using mslite::Tensor;

py::tuple to_tuple(const mslite::Shape& shape) {
    py::tuple sizes(shape.size());
    for (std::size_t i = 0; i < shape.size(); ++i) {
        sizes[i] = shape[i];
    }
    return sizes;
}

/// (name, shape with -1 for a size that is not known, dtype, the format's number) of each.
py::list described(const std::vector<Tensor>& tensors) {
    py::list all;
    for (const Tensor& tensor : tensors) {
        all.append(py::make_tuple(tensor.name, to_tuple(tensor.shape), tensor.type.name, tensor.format));
    }
    return all;
}

/// The library's own buffer as an array that keeps it alive.
py::array view_of(const Tensor& tensor, const std::shared_ptr<const void>& memory, bool writable) {
    using Owner = std::shared_ptr<const void>;
    const py::capsule owner(new Owner(memory), [](void* held) { delete static_cast<Owner*>(held); });
    py::array array(py::dtype(tensor.type.name), tensor.shape, tensor.data, owner);
    if (!writable) {
        array.attr("setflags")(py::arg("write") = false);
    }
    return array;
}

std::shared_ptr<Library> open_library(const std::string& path) {
    const py::gil_scoped_release unlocked;
    return std::make_shared<Library>(path);
}

std::shared_ptr<Model> open_model(const std::shared_ptr<Library>& library, const std::string& path, py::handle threads,
                                  py::handle affinity_mode, const py::sequence& cores, bool fp16) {
    mslite::Options options;
    options.threads = static_cast<std::int32_t>(whole_number(threads, "threads", 0));
    options.affinity_mode = static_cast<int>(whole_number(affinity_mode, "affinity_mode", 0));
    for (const py::handle core : cores) {
        options.cores.push_back(static_cast<std::int32_t>(whole_number(core, "cores", 0)));
    }
    options.fp16 = fp16;
    const py::gil_scoped_release unlocked;
    return std::make_shared<Model>(library, path, std::move(options));
}

std::unique_ptr<Slot> borrow(Model& model) {
    const py::gil_scoped_release unlocked;
    return model.borrow();
}

void close(Model& model) {
    const py::gil_scoped_release unlocked;
    model.close();
}

void resize(Slot& slot, const py::sequence& shapes) {
    std::vector<mslite::Shape> wanted;
    for (const py::handle sizes : shapes) {
        mslite::Shape shape;
        for (const py::handle size : sizes) {
            shape.push_back(static_cast<std::int64_t>(whole_number(size, "shapes", 1)));
        }
        wanted.push_back(std::move(shape));
    }
    const py::gil_scoped_release unlocked;
    slot.resize(wanted);
}

py::array input(Slot& slot, std::size_t index) {
    Tensor tensor;
    {
        const py::gil_scoped_release unlocked;  // it may be what builds the network again
        tensor = slot.input(index);
    }
    return view_of(tensor, slot.memory(), true);
}

py::list predict(Slot& slot) {
    std::vector<Tensor> outputs;
    {
        const py::gil_scoped_release unlocked;
        outputs = slot.predict();
    }
    py::list arrays;
    for (const Tensor& tensor : outputs) {
        arrays.append(view_of(tensor, slot.memory(), false));
    }
    return arrays;
}

}  // namespace

void bind_mslite(py::module_& module) {
    py::register_exception<mslite::Error>(module, "MsliteError", PyExc_RuntimeError);
    py::class_<Library, std::shared_ptr<Library>>(module, "MsliteLibrary", "See edgedet.runtime.mslite.")
        .def(py::init(&open_library), py::arg("path"))
        .def_readonly("path", &Library::path)
        .def_readonly("prefix", &Library::prefix);
    py::class_<Model, std::shared_ptr<Model>>(module, "MsliteModel", "See edgedet.runtime.mslite.")
        .def(py::init(&open_model), py::arg("library"), py::arg("path"), py::kw_only(), py::arg("threads"),
             py::arg("affinity_mode"), py::arg("cores"), py::arg("fp16"))
        .def("inputs", [](const Model& model) { return described(model.inputs()); })
        .def("outputs", [](const Model& model) { return described(model.outputs()); })
        .def("borrow", &borrow)
        .def("close", &close);
    py::class_<Slot>(module, "MsliteSlot", "The sole use of a model until it is given back.")
        .def("resize", &resize, py::arg("shapes"))
        .def("input", &input, py::arg("index"))
        .def("predict", &predict)
        .def("release", &Slot::release);
}

}  // namespace edgedet::bindings
