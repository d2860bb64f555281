"""The network of the toy bundle, twice: as an ONNX graph, and in plain NumPy to say what that graph gives.

It has one convolution per level and output, whose kernel is as large as its stride.
"""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgedet.spec import Level

# For each level and output: weights (anchors of a cell · columns, 3, kernel rows, kernel columns), biases.
Layers = list[dict[str, tuple[np.ndarray, np.ndarray]]]


def make_layers(rng: np.random.Generator, levels: tuple[Level, ...], columns: int) -> Layers:
    layers: Layers = []
    for level in levels:
        kw, kh = _kernel_wh(level)
        layer = {}
        # Spread so that about one score in ten passes 0.1.
        for role, width, spread, bias in (("deltas", 4, 0.5, 0.0), ("logits", columns, 1.5, -4.0)):
            shape = len(level.cells_wh) * width, 3, kh, kw
            tint = rng.normal(0, spread, (*shape[:2], 1, 1)) / (kw * kh)
            weights = tint * rng.uniform(0.5, 1.5, shape)
            layer[role] = weights.astype(np.float32), np.full(shape[0], bias, np.float32)
        layers.append(layer)
    return layers


def make_network(
    size_wh: tuple[int, int], levels: tuple[Level, ...], layers: Layers, *, half: bool = False
) -> onnx.ModelProto:
    """The graph; with ``half`` its outputs are float16."""
    nodes, constants, parts = [], [], {"deltas": [], "logits": []}
    for i, (level, layer) in enumerate(zip(levels, layers)):
        (columns, rows), (kw, kh) = level.grid_wh, _kernel_wh(level)
        pads = [0, 0, max(0, rows * kh - size_wh[1]), max(0, columns * kw - size_wh[0])]
        for role, (weights, biases) in layer.items():
            at, width = f"{role}{i}", len(biases) // len(level.cells_wh)
            shape = np.array([1, level.count, width], np.int64)
            for suffix, array in (("w", weights), ("b", biases), ("shape", shape)):
                constants.append(numpy_helper.from_array(array, f"{at}.{suffix}"))
            options = {"kernel_shape": [kh, kw], "strides": [kh, kw], "pads": pads}
            nodes.append(helper.make_node("Conv", ["images", f"{at}.w", f"{at}.b"], [f"{at}.map"], **options))
            nodes.append(helper.make_node("Transpose", [f"{at}.map"], [f"{at}.nhwc"], perm=[0, 2, 3, 1]))
            nodes.append(helper.make_node("Reshape", [f"{at}.nhwc", f"{at}.shape"], [f"{at}.rows"]))
            parts[role].append(f"{at}.rows")
    for role, out in (("deltas", "loc"), ("logits", "cls")):
        nodes.append(helper.make_node("Concat", parts[role], [f"{out}.all" if half else out], axis=1))
        if half:
            nodes.append(helper.make_node("Cast", [f"{out}.all"], [out], to=TensorProto.FLOAT16))
    count = sum(level.count for level in levels)
    columns = len(layers[0]["logits"][1]) // len(levels[0].cells_wh)
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, size_wh[1], size_wh[0]])
    outputs = [
        helper.make_tensor_value_info(out, TensorProto.FLOAT16 if half else TensorProto.FLOAT, [1, count, width])
        for out, width in (("loc", 4), ("cls", columns))
    ]
    graph = helper.make_graph(nodes, "toy", [image], outputs, constants)
    # Old enough for the oldest ONNX Runtime that edgedet allows.
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def network_outputs(tensor: np.ndarray, levels: tuple[Level, ...], layers: Layers) -> dict[str, np.ndarray]:
    """What the network gives for a (1, 3, H, W) tensor: float32 ``deltas`` (1, N, 4) and ``logits`` (1, N, C)."""
    parts: dict[str, list[np.ndarray]] = {"deltas": [], "logits": []}
    for level, layer in zip(levels, layers):
        (columns, rows), (kw, kh) = level.grid_wh, _kernel_wh(level)
        padded = np.zeros((3, rows * kh, columns * kw))
        padded[:, : tensor.shape[2], : tensor.shape[3]] = tensor[0]
        cells = padded.reshape(3, rows, kh, columns, kw)
        for role, (weights, biases) in layer.items():
            out = np.einsum("irycx,oiyx->rco", cells, weights.astype(np.float64)) + biases
            parts[role].append(out.reshape(level.count, -1))
    return {role: np.concatenate(values)[None].astype(np.float32) for role, values in parts.items()}


def _kernel_wh(level: Level) -> tuple[int, int]:
    return math.ceil(level.stride_wh[0]), math.ceil(level.stride_wh[1])
