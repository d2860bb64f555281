"""Writes ``.ms`` files: flatbuffers with the edges of a graph, and nothing that could run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import flatbuffers

Edge = tuple[str, Sequence[int], int]


def write_ms(
    path: Path,
    inputs: Sequence[Edge],
    outputs: Sequence[Edge],
    *,
    version: str = "MindSpore Lite 2.6.0",
    nodes: int = 1,
    in_subgraph: bool = False,
) -> Path:
    """Writes the file; an edge is a name, a shape and a layout (0: NCHW, 1: NHWC)."""
    builder = flatbuffers.Builder(1024)
    tensors = [_tensor(builder, edge) for edge in (*inputs, *outputs)]
    first, last = list(range(len(inputs))), list(range(len(inputs), len(tensors)))
    made = [_table(builder, 7, {}) for _ in range(nodes)]
    graph = {1: _numbers(builder, first), 2: _numbers(builder, last)} if in_subgraph else {}
    graphs = _offsets(builder, [_table(builder, 5, graph)]) if in_subgraph else None
    fields = {0: builder.CreateString("graph"), 1: builder.CreateString(version), 6: _offsets(builder, made)}
    fields[7] = _offsets(builder, tensors)
    if in_subgraph:
        fields[8] = graphs
    else:
        fields.update({3: _numbers(builder, first), 4: _numbers(builder, last)})
    builder.Finish(_table(builder, 11, fields), file_identifier=b"MSL2")
    path.write_bytes(bytes(builder.Output()))
    return path


def _tensor(builder: flatbuffers.Builder, edge: Edge) -> int:
    name, shape, layout = edge
    dims, text = _numbers(builder, shape, signed=True), builder.CreateString(name)
    builder.StartObject(13)
    builder.PrependInt32Slot(1, 43, 0)
    builder.PrependUOffsetTRelativeSlot(2, dims, 0)
    builder.PrependInt32Slot(3, layout, 0)
    builder.PrependUOffsetTRelativeSlot(9, text, 0)
    return builder.EndObject()


def _table(builder: flatbuffers.Builder, size: int, fields: dict[int, int]) -> int:
    builder.StartObject(size)
    for slot, offset in fields.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return builder.EndObject()


def _numbers(builder: flatbuffers.Builder, values: Sequence[int], *, signed: bool = False) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependInt32(value) if signed else builder.PrependUint32(value)
    return builder.EndVector()


def _offsets(builder: flatbuffers.Builder, values: Sequence[int]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependUOffsetTRelative(value)
    return builder.EndVector()
