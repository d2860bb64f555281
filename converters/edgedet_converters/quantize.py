"""ONNX graphs in fewer bits, with ONNX Runtime's own tools."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgedet.errors import ConversionError
from edgedet.runtime.base import Array

#: What int8 makes faster, and what between them would otherwise leave int8 and come back. What only moves numbers to
#: the outputs stays in float: one scale for all levels would spoil the fine ones.
_IN_INT8 = ["Add", "AveragePool", "Clip", "Conv", "Gemm", "GlobalAveragePool", "MatMul", "MaxPool", "Relu"]
_OPSET = 13
# onnx.TensorProto.FLOAT
_FLOAT = 1


def to_fp16(model: Any) -> Any:
    """The graph with weights and sums in half precision, its inputs and outputs still in float."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    name_nodes(model.graph)
    half = convert_float_to_float16(model, keep_io_types=True, node_block_list=sorted(norm_nodes(model.graph)))
    _drop_twins(half.graph)
    _join_casts(half.graph)
    return half


def to_int8(model: Any, path: Path, feeds: Iterable[Mapping[str, Array]], *, float_output: str | None = None) -> None:
    """Writes the graph with weights and activations in int8.

    Args:
        model: the float graph.
        path: the file to write.
        feeds: inputs by name, to measure the activations with.
        float_output: the output whose own branch stays in float.

    Raises:
        ConversionError: ONNX Runtime can't.
    """
    import onnx
    import onnx.version_converter
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._feeds: Iterator[Mapping[str, Array]] = iter(feeds)

        def get_next(self) -> dict[str, Array] | None:
            feed = next(self._feeds, None)
            return None if feed is None else dict(feed)

    plain, ready = path.with_suffix(".plain"), path.with_suffix(".ready")
    try:
        # A scale for every channel needs a newer set of operations than MindSpore writes.
        onnx.save(onnx.version_converter.convert_version(model, _OPSET), plain)
        # Folds the batch normalisations into their convolutions: int8 wants the sum of both.
        quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
        folded = onnx.load(ready)
        name_nodes(folded.graph)
        kept = norm_nodes(folded.graph)
        if float_output is not None:
            kept |= own_nodes(folded.graph, float_output)
        onnx.save(folded, ready)
        with _quiet():
            quantize_static(
                str(ready),
                str(path),
                Reader(),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=_IN_INT8,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=sorted(kept),
            )
    except Exception as error:  # ONNX Runtime's, onnx's and the operating system's
        why = " ".join(str(error).split())[:300]
        raise ConversionError(
            f"onnx: expected a graph that can be quantised, got {why}; leave --quantize out"
        ) from error
    finally:
        plain.unlink(missing_ok=True)
        ready.unlink(missing_ok=True)


def name_nodes(graph: Any) -> None:
    """Gives every node a name of its own: the tools know nodes by their names."""
    names: set[str] = set()
    for index, node in enumerate(graph.node):
        if not node.name or node.name in names:
            node.name = f"node_{index}"
        names.add(node.name)


def _drop_twins(graph: Any) -> None:
    """Removes what makes a tensor a second time: the tool writes a cast for every use of it by a node left in float."""
    made: set[str] = set()
    kept = []
    for node in graph.node:
        if not made & set(node.output):
            kept.append(node)
        made |= set(node.output)
    del graph.node[:]
    graph.node.extend(kept)


def _join_casts(graph: Any) -> None:
    """Between two nodes left in float the tool goes down to half precision and back: leads around that."""
    casts = {node.output[0]: node for node in graph.node if node.op_type == "Cast"}
    around = {
        tensor: casts[cast.input[0]].input[0]
        for tensor, cast in casts.items()
        if cast.attribute[0].i == _FLOAT and cast.input[0] in casts
    }
    for node in graph.node:
        node.input[:] = [around.get(tensor, tensor) for tensor in node.input]


def norm_nodes(graph: Any) -> set[str]:
    """The nodes of the normalisations over channels: from x·x to the division.

    A square has twice the range of its root: too wide for 8 bits, and in half precision it overflows.
    """
    consumers: dict[str, list[Any]] = {}
    for node in graph.node:
        for tensor in node.input:
            consumers.setdefault(tensor, []).append(node)
    found: set[str] = set()
    waiting = [node for node in graph.node if node.op_type == "Mul" and len(set(node.input)) == 1]
    while waiting:
        node = waiting.pop()
        found.add(node.name)
        if node.op_type != "Div":
            waiting += [
                follower
                for tensor in node.output
                for follower in consumers.get(tensor, ())
                if follower.op_type in ("Conv", "Sqrt", "Pow", "Div")
            ]
    return found


def own_nodes(graph: Any, output: str) -> set[str]:
    """The nodes that lead to this output and to no other."""
    others = [value.name for value in graph.output if value.name != output]
    return _leading_to(graph, [output]) - _leading_to(graph, others)


def _leading_to(graph: Any, tensors: list[str]) -> set[str]:
    makers = {tensor: node for node in graph.node for tensor in node.output}
    found: set[str] = set()
    waiting = [makers[tensor] for tensor in tensors if tensor in makers]
    while waiting:
        node = waiting.pop()
        if node.name not in found:
            found.add(node.name)
            waiting += [makers[tensor] for tensor in node.input if tensor in makers]
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser's advice goes to the root logger, whatever the caller has set up."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
