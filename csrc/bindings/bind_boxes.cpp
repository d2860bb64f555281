#include "array.hpp"
#include "edgedet/decode.hpp"
#include "edgedet/nms.hpp"
#include "edgedet/soft_nms.hpp"
#include "module.hpp"
#include "scalar.hpp"

namespace edgedet::bindings {

namespace {

py::array_t<float> decode_boxes(py::handle deltas, py::handle anchors, py::handle variances, bool clip) {
    const DeltaArray delta_array(deltas, "deltas");
    const AnchorArray anchor_array(anchors, "anchors");
    check_same_rows(anchor_array, "anchors", delta_array, "deltas");
    const auto [centre, size] = pair_of(variances, "variances", positive_number);
    const BoxCoding coding{static_cast<float>(centre), static_cast<float>(size), clip};
    const std::size_t count = delta_array.size(0);
    py::array_t<float> boxes = new_array<float>({count, 4});
    float* out = boxes.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        edgedet::decode_boxes(delta_array.data(), anchor_array.data(), count, coding, out);
    }
    return boxes;
}

/// The arrays of nms() and soft_nms(), checked.
struct NmsArrays {
    BoxArray boxes;
    ScoreArray scores;
    std::vector<ClassIdArray> class_ids;  // none or one

    NmsArrays(py::handle box_values, py::handle score_values, py::handle class_values)
        : boxes(box_values, "boxes"), scores(score_values, "scores") {
        check_same_rows(scores, "scores", boxes, "boxes");
        if (!class_values.is_none()) {
            class_ids.emplace_back(class_values, "class_ids");
            check_same_rows(class_ids[0], "class_ids", boxes, "boxes");
        }
    }

    const std::int32_t* ids() const { return class_ids.empty() ? nullptr : class_ids[0].data(); }
};

OverlapRule overlap_of(py::handle iou_threshold, bool plus_one) {
    return {static_cast<float>(fraction(iou_threshold, "iou_threshold")), plus_one ? 1.0f : 0.0f};
}

py::array_t<std::int64_t> nms(py::handle boxes, py::handle scores, py::handle iou_threshold, py::handle class_ids,
                              py::handle max_detections, bool plus_one) {
    const NmsArrays arrays(boxes, scores, class_ids);
    NmsRule rule;
    rule.overlap = overlap_of(iou_threshold, plus_one);
    rule.max_total = optional_whole_number(max_detections, "max_detections", kNoLimit);
    std::vector<std::int64_t> keep;
    {
        const py::gil_scoped_release unlocked;
        keep = edgedet::nms(arrays.boxes.data(), arrays.scores.data(), arrays.ids(), arrays.boxes.size(0), rule);
    }
    return to_array<std::int64_t>(keep, {keep.size()});
}

Decay decay_of(const std::string& name) {
    if (name == "linear") {
        return Decay::linear;
    }
    if (name == "gaussian") {
        return Decay::gaussian;
    }
    throw py::value_error(complaint("method", "'linear' or 'gaussian'", "'" + name + "'", "give one of them"));
}

py::tuple soft_nms(py::handle boxes, py::handle scores, const std::string& method, py::handle iou_threshold,
                   py::handle sigma, py::handle score_threshold, py::handle class_ids, py::handle max_detections,
                   bool plus_one) {
    const NmsArrays arrays(boxes, scores, class_ids);
    SoftNmsRule rule;
    rule.overlap = overlap_of(iou_threshold, plus_one);
    rule.decay = decay_of(method);
    rule.sigma = static_cast<float>(positive_number(sigma, "sigma"));
    rule.score_threshold = static_cast<float>(fraction(score_threshold, "score_threshold"));
    rule.max_total = optional_whole_number(max_detections, "max_detections", kNoLimit);
    Softened softened;
    {
        const py::gil_scoped_release unlocked;
        softened =
            edgedet::soft_nms(arrays.boxes.data(), arrays.scores.data(), arrays.ids(), arrays.boxes.size(0), rule);
    }
    const std::size_t count = softened.indices.size();
    return py::make_tuple(to_array<std::int64_t>(softened.indices, {count}), to_array<float>(softened.scores, {count}));
}

}  // namespace

void bind_boxes(py::module_& module) {
    module.def("decode_boxes", &decode_boxes, py::arg("deltas"), py::arg("anchors"), py::kw_only(),
               py::arg("variances"), py::arg("clip"), "See edgedet.ops.decode_boxes.");
    module.def("nms", &nms, py::arg("boxes"), py::arg("scores"), py::arg("iou_threshold"), py::kw_only(),
               py::arg("class_ids"), py::arg("max_detections"), py::arg("plus_one"), "See edgedet.ops.nms.");
    module.def("soft_nms", &soft_nms, py::arg("boxes"), py::arg("scores"), py::kw_only(), py::arg("method"),
               py::arg("iou_threshold"), py::arg("sigma"), py::arg("score_threshold"), py::arg("class_ids"),
               py::arg("max_detections"), py::arg("plus_one"), "See edgedet.ops.soft_nms.");
}

}  // namespace edgedet::bindings
