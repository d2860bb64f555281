"""What a ``.ms`` file calls its inputs and outputs, read from the file itself: no library is needed on the host.

The file is a flatbuffer (identifier ``MSL2``): tables of little-endian offsets. Only what is asked for is followed, and
everywhere the file's own length is the limit.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgedet.errors import ConversionError

_IDENTIFIER = b"MSL2"
# Places of the fields in MindSpore Lite's schema.
_VERSION, _INPUTS, _OUTPUTS, _NODES, _TENSORS, _SUBGRAPHS = 1, 3, 4, 6, 7, 8
_TYPE, _DIMS, _FORMAT, _NAME = 1, 2, 3, 9
_GRAPH_INPUTS, _GRAPH_OUTPUTS = 1, 2
_LAYOUTS = {0: "nchw", 1: "nhwc"}

_T = TypeVar("_T")


@dataclass(frozen=True)
class MsTensor:
    """A tensor at the graph's edge: its name, its shape (-1: free) and, for an image, ``nchw`` or ``nhwc``."""

    name: str
    shape: tuple[int, ...]
    layout: str


@dataclass(frozen=True)
class MsFile:
    """What a ``.ms`` file says of itself."""

    version: str
    nodes: int
    inputs: tuple[MsTensor, ...]
    outputs: tuple[MsTensor, ...]


def read(path: Path) -> MsFile:
    """Reads the file's edges.

    Raises:
        ConversionError: it is no ``.ms`` file, or a damaged one.
    """
    data = path.read_bytes()
    if data[4:8] != _IDENTIFIER:
        raise ConversionError(
            f"{path.name}: expected a MindSpore Lite model (identifier MSL2), got {len(data)} bytes that begin "
            f"{data[:8]!r}; convert it again"
        )
    try:
        return _read(_Table(data, _number(data, "<I", 0)))
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise ConversionError(
            f"{path.name}: expected a whole MindSpore Lite model, got {error}; convert it again"
        ) from error


def _read(root: _Table) -> MsFile:
    tensors = root.tables(_TENSORS)
    graphs = root.tables(_SUBGRAPHS)
    inputs, outputs = root.numbers(_INPUTS, "I"), root.numbers(_OUTPUTS, "I")
    if graphs and not (inputs and outputs):
        inputs, outputs = graphs[0].numbers(_GRAPH_INPUTS, "I"), graphs[0].numbers(_GRAPH_OUTPUTS, "I")

    def edge(indices: tuple[int, ...]) -> tuple[MsTensor, ...]:
        return tuple(_tensor(tensors[index]) for index in indices)

    return MsFile(root.text(_VERSION), len(root.tables(_NODES)), edge(inputs), edge(outputs))


def _tensor(table: _Table) -> MsTensor:
    return MsTensor(table.text(_NAME), table.numbers(_DIMS, "i"), _LAYOUTS.get(table.number(_FORMAT), ""))


def _number(data: bytes, kind: str, place: int) -> int:
    if place < 0:
        raise struct.error("an offset before the file's beginning")
    value: int = struct.unpack_from(kind, data, place)[0]
    return value


class _Table:
    """A table of the flatbuffer: fields by their number, absent ones empty."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._place = data, place
        self._fields = place - _number(data, "<i", place)
        self._count = (_number(data, "<H", self._fields) - 4) // 2

    def _field(self, index: int) -> int:
        offset = _number(self._data, "<H", self._fields + 4 + 2 * index) if index < self._count else 0
        return self._place + offset if offset else 0

    def _follow(self, place: int) -> int:
        return place + _number(self._data, "<I", place)

    def number(self, index: int) -> int:
        place = self._field(index)
        return _number(self._data, "<i", place) if place else 0

    def text(self, index: int) -> str:
        place = self._field(index)
        if not place:
            return ""
        text = self._follow(place)
        length = _number(self._data, "<I", text)
        if text + 4 + length > len(self._data):
            raise struct.error("a text beyond the file's end")
        return self._data[text + 4 : text + 4 + length].decode("utf-8")

    def _vector(self, index: int, read: Callable[[int], _T]) -> tuple[_T, ...]:
        place = self._field(index)
        if not place:
            return ()
        vector = self._follow(place)
        count = _number(self._data, "<I", vector)
        if vector + 4 + 4 * count > len(self._data):
            raise struct.error("a list beyond the file's end")
        return tuple(read(vector + 4 + 4 * i) for i in range(count))

    def numbers(self, index: int, kind: str) -> tuple[int, ...]:
        return self._vector(index, lambda place: _number(self._data, f"<{kind}", place))

    def tables(self, index: int) -> tuple[_Table, ...]:
        return self._vector(index, lambda place: _Table(self._data, self._follow(place)))
