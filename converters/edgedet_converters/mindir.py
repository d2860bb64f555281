"""Reads which primitives an exported MINDIR is made of.

MindSpore Lite's converter leaves out what it doesn't know and reports success. So the question is asked before: only
the primitives in ``targets/kept_by_mslite.json`` are known to arrive.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from edgedet.errors import ConversionError

_MESSAGES = "mindspore.train.mind_ir_pb2"
# A node names its primitive as REF::<entry of the model's table of primitives>.
_REFERENCE = "REF::"


def primitives(path: Path) -> Counter[str]:
    """How often each primitive stands in the graph, subgraphs included.

    Raises:
        ConversionError: the file is no MINDIR, or MindSpore is not installed.
    """
    model = _model(path)
    names = {_REFERENCE + primitive.name: primitive.op_type for primitive in model.primitives}
    used = Counter(
        # A reference to no primitive is the call of a subgraph.
        names.get(node.op_type, "Call" if node.op_type.startswith(_REFERENCE) else node.op_type)
        for graph in (model.graph, *model.functions)
        for node in graph.node
    )
    if not used:
        raise ConversionError(f"{path.name}: expected a MINDIR, got a graph without nodes; export it again")
    return used


def inputs(path: Path) -> tuple[str, ...]:
    """What MindSpore Lite calls the graph's inputs, in its own order.

    Raises:
        ConversionError: as `primitives`.
    """
    # In the file the graph's own name stands before.
    return tuple(value.name.rpartition(":")[2] for value in _model(path).graph.input)


def not_kept(path: Path) -> dict[str, str]:
    """The primitives in the graph that MindSpore Lite's converter isn't known to keep, and what to write instead.

    Raises:
        ConversionError: as `primitives`.
    """
    known = _known()
    kept = {*known["kept"], *known["structure"]}
    unheard_of = "nothing is known of it; try it with the real converter, compare the outputs, then add it to the list"
    return {name: known["instead"].get(name, unheard_of) for name in sorted(primitives(path)) if name not in kept}


def instead(name: str) -> str:
    """What to write in place of a primitive that gets lost; an empty text where that isn't known."""
    text: str = _known()["instead"].get(name, "")
    return text


def _model(path: Path) -> Any:
    model = _messages().ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except Exception as error:  # protobuf's and the operating system's
        raise ConversionError(f"{path.name}: expected a MINDIR, got {error}; export it again") from error
    return model


@cache
def _known() -> dict[str, Any]:
    text = resources.files("edgedet_converters.targets").joinpath("kept_by_mslite.json").read_text(encoding="utf-8")
    known: dict[str, Any] = json.loads(text)
    return known


@cache
def _messages() -> Any:
    """MindSpore's protobuf messages, without MindSpore: it can't share a process with MindSpore Lite."""
    if _MESSAGES in sys.modules:
        return sys.modules[_MESSAGES]
    package = importlib.util.find_spec("mindspore")
    if package is None or not package.submodule_search_locations:
        raise ConversionError("mindir: expected the package mindspore, got none; do pip install 'edgedet[convert]'")
    file = Path(package.submodule_search_locations[0]) / "train" / "mind_ir_pb2.py"
    spec = importlib.util.spec_from_file_location("edgedet_converters._mind_ir_pb2", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
