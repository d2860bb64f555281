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

/// The arrays of all levels; they must live as long as the tables that point into them.
class Levels {
  public:
    Levels(py::handle deltas, py::handle logits) {
        const bool several = is_list(deltas) && is_list(logits);
        const auto delta_list = several ? py::list(py::reinterpret_borrow<py::object>(deltas)) : one(deltas);
        const auto logit_list = several ? py::list(py::reinterpret_borrow<py::object>(logits)) : one(logits);
        if (delta_list.size() != logit_list.size() || delta_list.empty()) {
            throw py::value_error(
                complaint("logits", "one array or more, as many as of deltas",
                          std::to_string(logit_list.size()) + " and " + std::to_string(delta_list.size()),
                          "give both for each level"));
        }
        for (std::size_t i = 0; i < delta_list.size(); ++i) {
            const std::string index = several ? "[" + std::to_string(i) + "]" : "";
            add(RawDeltaArray(delta_list[i], "deltas" + index), LogitArray(logit_list[i], "logits" + index), index);
        }
    }

    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return logits_[0].size(1); }
    std::vector<RawLevel> tables() const {
        std::vector<RawLevel> found;
        for (std::size_t i = 0; i < logits_.size(); ++i) {
            found.push_back({deltas_[i].table(), logits_[i].table()});
        }
        return found;
    }

  private:
    static bool is_list(py::handle value) {
        return py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value);
    }

    static py::list one(py::handle value) {
        py::list list;
        list.append(value);
        return list;
    }

    void add(RawDeltaArray deltas, LogitArray logits, const std::string& index) {
        check_same_rows(logits, "logits" + index, deltas, "deltas" + index);
        deltas_.push_back(std::move(deltas));
        logits_.push_back(std::move(logits));
        rows_ += logits_.back().size(0);
        if (logits_.back().size(1) != columns()) {
            throw py::value_error(complaint("logits" + index, std::to_string(columns()) + " columns as in logits[0]",
                                            std::to_string(logits_.back().size(1)), "give levels of one network"));
        }
    }

    std::vector<RawDeltaArray> deltas_;
    std::vector<LogitArray> logits_;
    std::size_t rows_ = 0;
};

py::tuple detect(py::handle deltas, py::handle logits, py::handle anchors, py::handle image_wh,
                 py::handle score_threshold, py::handle iou_threshold, py::handle variances,
                 const std::string& activation, py::handle background, py::handle max_per_class,
                 py::handle max_detections, bool plus_one, bool clip, py::handle max_candidates_per_class,
                 py::handle max_candidates) {
    const Levels levels(deltas, logits);
    const AnchorArray anchor_array(anchors, "anchors");
    if (anchor_array.size(0) != levels.rows()) {
        throw py::value_error(complaint("anchors", std::to_string(levels.rows()) + " rows as in deltas",
                                        std::to_string(anchor_array.size(0)), "give one for each row"));
    }
    const RawOutput raw{levels.tables(), anchor_array.data(), levels.columns()};
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
    rule.max_candidates_per_class =
        optional_whole_number(max_candidates_per_class, "max_candidates_per_class", kNoLimit);
    rule.max_candidates = optional_whole_number(max_candidates, "max_candidates", kNoLimit);
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
               py::arg("plus_one"), py::arg("clip"), py::arg("max_candidates_per_class"), py::arg("max_candidates"),
               "See edgedet.ops.detect.");
}

}  // namespace edgedet::bindings
