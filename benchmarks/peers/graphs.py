"""The same work as an ONNX graph, run by ONNX Runtime and by OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.case import Job

OPSET = 17
IR_VERSION = 8


def onnxruntime(model: bytes, feed: dict[str, np.ndarray]) -> Job:
    """The graph's outputs, by ONNX Runtime on one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, feed)


def openvino(model: bytes, feed: dict[str, np.ndarray]) -> Job:
    """The graph's outputs, by OpenVINO on one thread, in float32 as the others."""
    import openvino as ov

    core = ov.Core()
    options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(core.read_model(model, b""), "CPU", options)
    request = compiled.create_infer_request()

    def run() -> list[np.ndarray]:
        results = request.infer(feed, share_inputs=True, share_outputs=True)
        return [results[output] for output in compiled.outputs]

    return run


def detect(anchors: int, columns: int, image_wh: tuple[int, int], rule: dict[str, Any]) -> bytes:
    """Decoding, sigmoid and NonMaxSuppression: deltas, logits, anchors in; boxes, scores and class ids out.

    The boxes are ``y1 x1 y2 x2`` in pixels of the image; column 0 of the logits is the background. ``rule``:
    ``score_threshold``, ``iou_threshold``, ``max_per_class``.
    """
    from onnx import TensorProto, helper, numpy_helper

    constants: dict[str, np.ndarray] = {
        "v0": np.float32([0.1]), "v1": np.float32([0.2]), "half": np.float32([0.5]),
        "zero": np.float32(0), "one": np.float32(1), "scale": np.float32([*image_wh[::-1], *image_wh[::-1]]),
        "axis0": np.int64([0]), "axis1": np.int64([1]), "from1": np.int64([1]), "to": np.int64([columns]),
        "most": np.int64([rule["max_per_class"]]),
        "iou": np.float32([rule["iou_threshold"]]), "threshold": np.float32([rule["score_threshold"]]),
        "i1": np.int64([1]), "i2": np.int64([2]), "i12": np.int64([1, 2]), "halves": np.int64([2, 2]),
    }  # fmt: skip
    node = helper.make_node
    nodes = [
        node("Split", ["deltas", "halves"], ["dc", "ds"], axis=1),
        node("Split", ["anchors", "halves"], ["ac", "as"], axis=1),
        *_chain("centre", ("Mul", "dc", "v0"), ("Mul", "", "as"), ("Add", "", "ac")),
        *_chain("size", ("Mul", "ds", "v1"), ("Exp", ""), ("Mul", "", "as"), ("Mul", "", "half")),
        node("Sub", ["centre", "size"], ["low"]),
        node("Add", ["centre", "size"], ["high"]),
        node("Concat", ["low", "high"], ["corners"], axis=1),
        *_chain("boxes", ("Clip", "corners", "zero", "one"), ("Mul", "", "scale")),
        node("Unsqueeze", ["boxes", "axis0"], ["batch_boxes"]),
        node("Slice", ["logits", "from1", "to", "axis1"], ["classes"]),
        *_chain("by_class", ("Sigmoid", "classes"), ("Transpose", ""), ("Unsqueeze", "", "axis0")),
        node("NonMaxSuppression", ["batch_boxes", "by_class", "most", "iou", "threshold"], ["chosen"]),
        node("Gather", ["chosen", "i2"], ["row2"], axis=1),
        node("Squeeze", ["row2", "axis1"], ["row"]),
        node("Gather", ["boxes", "row"], ["out_boxes"], axis=0),
        node("Squeeze", ["by_class", "axis0"], ["scores"]),
        node("Gather", ["chosen", "i12"], ["place"], axis=1),
        node("GatherND", ["scores", "place"], ["out_scores"]),
        node("Gather", ["chosen", "i1"], ["class2"], axis=1),
        node("Squeeze", ["class2", "axis1"], ["out_classes"]),
    ]
    inputs = {"deltas": (anchors, 4), "logits": (anchors, columns), "anchors": (anchors, 4)}
    outputs = {"out_boxes": ("n", 4), "out_scores": ("n",), "out_classes": ("n",)}
    types = {"out_classes": TensorProto.INT64}
    graph = helper.make_graph(
        nodes,
        "detect",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(n, types.get(n, TensorProto.FLOAT), shape) for n, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return _model(graph)


def max_roi_pool(features: tuple[int, ...], levels: Sequence[int]) -> bytes:
    """One MaxRoiPool for each level of the pyramid, side by side: features (1, C, H, W), rois (R, 5) in."""
    from onnx import TensorProto, helper

    nodes = []
    for bins in levels:
        nodes.append(helper.make_node("MaxRoiPool", ["features", "rois"], [f"pool{bins}"], pooled_shape=[bins, bins]))
        nodes.append(helper.make_node("Flatten", [f"pool{bins}"], [f"flat{bins}"]))
    nodes.append(helper.make_node("Concat", [f"flat{bins}" for bins in levels], ["pooled"], axis=1))
    length = features[0] * sum(bins * bins for bins in levels)
    graph = helper.make_graph(
        nodes,
        "spp",
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, (1, *features)),
            helper.make_tensor_value_info("rois", TensorProto.FLOAT, ("r", 5)),
        ],
        [helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ("r", length))],
    )
    return _model(graph)


def _chain(name: str, *steps: tuple[str, ...]) -> list[Any]:
    """Nodes one after another; an empty input is the result of the one before, and the last result is ``name``."""
    from onnx import helper

    nodes, last = [], ""
    for place, (operator, *inputs) in enumerate(steps):
        result = name if place == len(steps) - 1 else f"{name}_{place}"
        nodes.append(helper.make_node(operator, [given or last for given in inputs], [result]))
        last = result
    return nodes


def _model(graph: Any) -> bytes:
    from onnx import helper

    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    return bytes(model.SerializeToString())
