#include <algorithm>
#include <limits>

#include "array.hpp"
#include "edgedet/project.hpp"
#include "edgedet/spp.hpp"
#include "module.hpp"
#include "scalar.hpp"

namespace edgedet::bindings {

namespace {

/// More bins than any map has cells; keeps the row's length inside 64 bits.
constexpr std::size_t kFinestLevel = 65535;

std::vector<std::size_t> levels_of(py::handle value) {
    std::vector<std::size_t> levels;
    for (const py::object& element : elements(value, "levels", 0)) {
        levels.push_back(whole_number(element, "levels", 1));
    }
    const std::size_t finest = *std::max_element(levels.begin(), levels.end());
    if (finest > kFinestLevel) {
        throw py::value_error(complaint("levels", "whole numbers up to " + std::to_string(kFinestLevel),
                                        std::to_string(finest), "give fewer bins"));
    }
    return levels;
}

std::int32_t cells_of(py::handle value) {
    constexpr auto kMost = std::numeric_limits<std::int32_t>::max();
    const std::size_t cells = whole_number(value, "feature_wh", 1);
    if (cells > static_cast<std::size_t>(kMost)) {
        throw py::value_error(
            complaint("feature_wh", "whole numbers up to " + std::to_string(kMost), std::to_string(cells), "give one"));
    }
    return static_cast<std::int32_t>(cells);
}

/// Pools into `result`, whose numbers are T or as long.
template <class T>
py::array pool_into(py::array result, const py::array& features, const RegionArray& regions,
                    const std::vector<std::size_t>& bins, std::size_t threads) {
    const std::vector<std::size_t> shape = shape_of(features);
    const FeatureMap<T> map{static_cast<const T*>(features.data()), shape[0], shape[1], shape[2]};
    T* out = static_cast<T*>(result.mutable_data());
    {
        const py::gil_scoped_release unlocked;
        edgedet::spp_pool(map, regions.data(), regions.size(0), bins, out, threads);
    }
    return result;
}

py::array spp_pool(py::handle features, py::handle regions, py::handle levels, py::handle threads, py::handle out) {
    const FeatureArray feature_array(features, "features");
    const RegionArray region_array(regions, "regions");
    const std::vector<std::size_t> bins = levels_of(levels);
    const std::size_t thread_count = whole_number(threads, "threads", 1);
    const std::vector<std::size_t> shape{region_array.size(0), spp_length(feature_array.size(0), bins)};
    const py::array pooled = output_array(out, feature_array.array().dtype(), shape);
    if (feature_array.is_half()) {
        return pool_into<std::uint16_t>(pooled, feature_array.array(), region_array, bins, thread_count);
    }
    return pool_into<float>(pooled, feature_array.array(), region_array, bins, thread_count);
}

py::array_t<std::int32_t> project_regions(py::handle boxes, py::handle stride, py::handle offset,
                                          py::handle feature_wh) {
    const BoxArray box_array(boxes, "boxes");
    const auto [stride_x, stride_y] = number_or_pair(stride, "stride", positive_number);
    const auto [offset_x, offset_y] = number_or_pair(offset, "offset", finite_number);
    const std::vector<py::object> cells = elements(feature_wh, "feature_wh", 2);
    const CellAxis x{stride_x, offset_x, cells_of(cells[0])};
    const CellAxis y{stride_y, offset_y, cells_of(cells[1])};
    const std::size_t count = box_array.size(0);
    py::array_t<std::int32_t> regions = new_array<std::int32_t>({count, 4});
    std::int32_t* out = regions.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        edgedet::project_regions(box_array.data(), count, x, y, out);
    }
    return regions;
}

}  // namespace

void bind_spp(py::module_& module) {
    module.def("spp_pool", &spp_pool, py::arg("features"), py::arg("regions"), py::arg("levels"), py::kw_only(),
               py::arg("threads"), py::arg("out"), "See edgedet.ops.spp_pool.");
    module.def("project_regions", &project_regions, py::arg("boxes"), py::kw_only(), py::arg("stride"),
               py::arg("offset"), py::arg("feature_wh"), "See edgedet.ops.project_regions.");
}

}  // namespace edgedet::bindings
