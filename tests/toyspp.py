"""A tiny whole bundle of a classifier with spatial pyramid pooling, twice: as ONNX graphs, and in plain NumPy."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import reference
from bundles import edit_json, hashed, rehash, sample_image
from onnx import TensorProto, helper, numpy_helper

from edgedet import spec as specs

LABELS = ("red", "green", "blue", "grey")
CHANNELS, HIDDEN, KERNEL, STRIDE = 3, 6, 5, 4
Weights = dict[str, np.ndarray]


def spp_bundle(
    folder: Path,
    *,
    labels: tuple[str, ...] = LABELS,
    size_wh: tuple[int, int] = (32, 24),
    resize_wh: tuple[int, int] | None = (44, 33),
    levels: tuple[int, ...] = (3, 1),
    tasks: tuple[str, ...] = ("classify", "regions"),
    goldens: int = 1,
    seed: int = 0,
    half: tuple[str, ...] = (),
) -> Path:
    """Writes a bundle of one ONNX variant into ``folder`` (made if need be) and gives the folder back.

    What goes between and out of the networks is float16 if its name is in ``half`` (``map``, ``rows``, ``out``).
    """
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    spec = _spec(labels, size_wh, resize_wh, levels, tasks)
    weights = make_weights(rng, spec.head.bins, len(labels))
    for name, graph in make_networks(weights).items():
        halve(graph.graph, half)
        onnx.save(graph, str(folder / f"{name}.onnx"))
    (folder / "model.json").write_text(spec.to_json(), encoding="utf-8")
    images = []
    for i in range(goldens):
        image = sample_image(rng, (70, 50))
        cv2.imwrite(str(folder / f"golden/{i}.png"), image)
        logits = whole_network(prepared(image, spec.input), weights, levels)
        best = np.argsort(-logits[0], kind="stable")[:5].astype(np.int32)
        found = {"logits": logits, "class_ids": best, "scores": probabilities(logits[0])[best]}
        np.savez(folder / f"golden/{i}.npz", **found)
        images.append({"image": hashed(folder, f"golden/{i}.png"), "expected": hashed(folder, f"golden/{i}.npz")})
    edit_json(folder, lambda data: data.update(golden=images))
    rehash(folder)
    return folder


def make_weights(rng: np.random.Generator, bins: int, classes: int) -> Weights:
    """Those of the bundle with the same seed."""
    shapes = {"conv": (CHANNELS, 3, KERNEL, KERNEL), "fc1": (HIDDEN, CHANNELS * bins), "fc2": (classes, HIDDEN)}
    weights = {name: rng.normal(0, np.prod(shape[1:]) ** -0.5, shape) for name, shape in shapes.items()}
    # Apart enough that no two classes are as good as equal.
    biases = {"conv.b": rng.normal(0, 0.5, CHANNELS), "fc1.b": np.zeros(HIDDEN), "fc2.b": rng.normal(0, 1, classes)}
    return {name: array.astype(np.float32) for name, array in {**weights, **biases}.items()}


def make_networks(weights: Weights) -> dict[str, onnx.ModelProto]:
    """The trunk, for images of any size, and the head, for any number of rows."""
    conv = {"kernel_shape": [KERNEL] * 2, "strides": [STRIDE] * 2, "auto_pad": "SAME_UPPER"}
    trunk = [
        helper.make_node("Conv", ["x", "conv", "conv.b"], ["sums"], **conv),
        helper.make_node("Relu", ["sums"], ["map"]),
    ]
    head = [
        helper.make_node("Gemm", ["rows", "fc1", "fc1.b"], ["hidden"], transB=1),
        helper.make_node("Relu", ["hidden"], ["fc1.out"]),
        helper.make_node("Gemm", ["fc1.out", "fc2", "fc2.b"], ["out"], transB=1),
    ]
    columns, classes = weights["fc1"].shape[1], len(weights["fc2"])
    return {
        "trunk": _model(trunk, ("x", [1, 3, "h", "w"]), [("map", [1, CHANNELS, "rows", "columns"])], weights),
        "head": _model(head, ("rows", ["r", columns]), [("fc1.out", ["r", HIDDEN]), ("out", ["r", classes])], weights),
    }


def _model(nodes: list[Any], source: tuple[str, Any], sinks: list[tuple[str, Any]], weights: Weights) -> Any:
    used = {name for node in nodes for name in node.input} & weights.keys()
    constants = [numpy_helper.from_array(weights[name], name) for name in sorted(used)]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (source, *sinks)]
    graph = helper.make_graph(nodes, "toy", values[:1], values[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def halve(graph: onnx.GraphProto, names: tuple[str, ...]) -> None:
    """Makes those of the graph's inputs and outputs float16; what lies between stays float32."""
    for values, ends in ((graph.input, "input"), (graph.output, "output")):
        for value in (value for value in values if value.name in names):
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
            for node in graph.node:
                for i, name in enumerate(getattr(node, ends)):
                    if name == value.name:
                        getattr(node, ends)[i] = f"{name}.float"
            pair = [value.name, f"{value.name}.float"]
            source, sink = pair if ends == "input" else pair[::-1]
            kind = TensorProto.FLOAT if ends == "input" else TensorProto.FLOAT16
            graph.node.insert(0 if ends == "input" else len(graph.node), _cast(source, sink, kind))


def _cast(source: str, sink: str, kind: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [sink], to=kind)


def prepared(image: np.ndarray, rule: specs.Input) -> np.ndarray:
    """The published preprocessing in three lines: (1, 3, H, W) float32 of an (H, W, 3) BGR image."""
    resized = reference.resize(image, rule.resize_wh or rule.size_wh)
    left, top = ((have - want) // 2 for have, want in zip(resized.shape[1::-1], rule.size_wh))
    crop = resized[top : top + rule.size_wh[1], left : left + rule.size_wh[0], ::-1]
    return reference.normalize(crop, rule.mean, rule.std)[None]


def feature_map(tensor: np.ndarray, weights: Weights) -> np.ndarray:
    """The trunk's (C, rows, columns) float32 map of a (1, 3, H, W) tensor of any size."""
    pads = []
    for side in tensor.shape[2:]:
        total = max((-(-side // STRIDE) - 1) * STRIDE + KERNEL - side, 0)
        pads.append((total // 2, total - total // 2))
    padded = np.pad(tensor[0].astype(np.float64), ((0, 0), *pads))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (KERNEL, KERNEL), (1, 2))[:, ::STRIDE, ::STRIDE]
    features = np.einsum("iyxab,oiab->oyx", windows, weights["conv"]) + weights["conv.b"][:, None, None]
    return np.maximum(features, 0).astype(np.float32)


def head_layers(rows: np.ndarray, weights: Weights) -> dict[str, np.ndarray]:
    """The pooled rows ``spp``, and what the head makes of them."""
    hidden = np.maximum(rows @ weights["fc1"].T + weights["fc1.b"], 0)
    return {"spp": rows, "fc1": hidden, "logits": (hidden @ weights["fc2"].T + weights["fc2.b"]).astype(np.float32)}


def whole_network(tensor: np.ndarray, weights: Weights, levels: tuple[int, ...]) -> np.ndarray:
    """What trunk, pooling and head give together for a (1, 3, H, W) tensor of any size: (1, C) float32 logits."""
    features = feature_map(tensor, weights)
    whole = np.array([[0, 0, features.shape[2], features.shape[1]]], np.int32)
    return head_layers(reference.spp_pool(features, whole, levels), weights)["logits"]


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax of the last axis."""
    powers = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return (powers / powers.sum(-1, keepdims=True)).astype(np.float32)


def _spec(
    labels: tuple[str, ...],
    size_wh: tuple[int, int],
    resize_wh: tuple[int, int] | None,
    levels: tuple[int, ...],
    tasks: tuple[str, ...],
) -> specs.Spec:
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    pending = "0" * 64
    files = {
        "trunk": specs.ModelFile("trunk.onnx", pending, {"image": "x"}, {"features": "map"}),
        "head": specs.ModelFile("head.onnx", pending, {"pooled": "rows"}, {"fc1": "fc1.out", "logits": "out"}),
    }
    return specs.Spec(
        schema=specs.SCHEMA,
        name="toyspp",
        family="toyspp",
        tasks=tasks,
        input=specs.Input(size_wh, "rgb", mean, std, "stretch", resize_wh),
        head=specs.SppHead("spp", levels, (specs.TrunkLayer(KERNEL, STRIDE, "same"),), "softmax", 40),
        labels=labels,
        variants=(specs.Variant("onnx", "fp32", "onnx", files, {"onnx": onnx.__version__}),),
        source=specs.Source("toy.ckpt", hashlib.sha256(b"toy").hexdigest()),
    )
