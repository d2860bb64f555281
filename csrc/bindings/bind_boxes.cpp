#include "array.hpp"
#include "edgedet/decode.hpp"
#include "edgedet/nms.hpp"
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

py::array_t<std::int64_t> nms(py::handle boxes, py::handle scores, py::handle iou_threshold, py::handle class_ids,
                              py::handle max_detections, bool plus_one) {
    const BoxArray box_array(boxes, "boxes");
    const ScoreArray score_array(scores, "scores");
    check_same_rows(score_array, "scores", box_array, "boxes");
    NmsRule rule;
    rule.overlap.threshold = static_cast<float>(fraction(iou_threshold, "iou_threshold"));
    rule.overlap.edge = plus_one ? 1.0f : 0.0f;
    rule.max_total = optional_whole_number(max_detections, "max_detections", kNoLimit);
    std::vector<ClassIdArray> holder;  // none or one
    if (!class_ids.is_none()) {
        holder.emplace_back(class_ids, "class_ids");
        check_same_rows(holder[0], "class_ids", box_array, "boxes");
    }
    const std::int32_t* ids = holder.empty() ? nullptr : holder[0].data();
    std::vector<std::int64_t> keep;
    {
        const py::gil_scoped_release unlocked;
        keep = edgedet::nms(box_array.data(), score_array.data(), ids, box_array.size(0), rule);
    }
    return to_array<std::int64_t>(keep, {keep.size()});
}

}  // namespace

void bind_boxes(py::module_& module) {
    module.def("decode_boxes", &decode_boxes, py::arg("deltas"), py::arg("anchors"), py::kw_only(),
               py::arg("variances"), py::arg("clip"), "See edgedet.ops.decode_boxes.");
    module.def("nms", &nms, py::arg("boxes"), py::arg("scores"), py::arg("iou_threshold"), py::kw_only(),
               py::arg("class_ids"), py::arg("max_detections"), py::arg("plus_one"), "See edgedet.ops.nms.");
}

}  // namespace edgedet::bindings
