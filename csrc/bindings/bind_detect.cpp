#include "array.hpp"
#include "edgedet/detect.hpp"
#include "module.hpp"
#include "scalar.hpp"

namespace edgedet::bindings {

namespace {

Activation activation_of(const std::string& name) {
    if (name == "sigmoid") {
        return Activation::sigmoid;
    }
    if (name == "softmax") {
        return Activation::softmax;
    }
    throw py::value_error(complaint("activation", "'sigmoid' or 'softmax'", "'" + name + "'", "give one of them"));
}

std::size_t background_of(py::handle value, std::size_t columns) {
    if (value.is_none()) {
        return kNoBackground;
    }
    const std::size_t column = whole_number(value, "background", 0);
    if (column >= columns) {
        throw py::value_error(complaint("background", "a column of logits, below " + std::to_string(columns),
                                        std::to_string(column), "give it, or None when no column is background"));
    }
    return column;
}

py::tuple detect(py::handle deltas, py::handle logits, py::handle anchors, py::handle image_wh,
                 py::handle score_threshold, py::handle iou_threshold, py::handle variances,
                 const std::string& activation, py::handle background, py::handle max_per_class,
                 py::handle max_detections, bool plus_one, bool clip) {
    const DeltaArray delta_array(deltas, "deltas");
    const LogitArray logit_array(logits, "logits");
    const AnchorArray anchor_array(anchors, "anchors");
    check_same_rows(logit_array, "logits", delta_array, "deltas");
    check_same_rows(anchor_array, "anchors", delta_array, "deltas");
    const RawOutput raw{delta_array.data(), logit_array.data(), anchor_array.data(), logit_array.size(0),
                        logit_array.size(1)};
    const auto [centre, size] = pair_of(variances, "variances", positive_number);
    const auto [width, height] = pair_of(image_wh, "image_wh", positive_number);
    DetectRule rule;
    rule.coding = {static_cast<float>(centre), static_cast<float>(size), clip};
    rule.image_width = static_cast<float>(width);
    rule.image_height = static_cast<float>(height);
    rule.activation = activation_of(activation);
    rule.background = background_of(background, raw.columns);
    rule.score_threshold = finite_number(score_threshold, "score_threshold");
    rule.nms.overlap.threshold = static_cast<float>(fraction(iou_threshold, "iou_threshold"));
    rule.nms.overlap.edge = plus_one ? 1.0f : 0.0f;
    rule.nms.max_per_class = optional_whole_number(max_per_class, "max_per_class", kNoLimit);
    rule.nms.max_total = optional_whole_number(max_detections, "max_detections", kNoLimit);
    Found found;
    {
        const py::gil_scoped_release unlocked;
        found = edgedet::detect(raw, rule);
    }
    const std::size_t count = found.scores.size();
    return py::make_tuple(to_array<float>(found.boxes, {count, 4}), to_array<float>(found.scores, {count}),
                          to_array<std::int32_t>(found.class_ids, {count}));
}

}  // namespace

void bind_detect(py::module_& module) {
    module.def("detect", &detect, py::arg("deltas"), py::arg("logits"), py::arg("anchors"), py::kw_only(),
               py::arg("image_wh"), py::arg("score_threshold"), py::arg("iou_threshold"), py::arg("variances"),
               py::arg("activation"), py::arg("background"), py::arg("max_per_class"), py::arg("max_detections"),
               py::arg("plus_one"), py::arg("clip"), "See edgedet.ops.detect.");
}

}  // namespace edgedet::bindings
