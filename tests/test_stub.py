"""The hand-written stub against the compiled module: mypy's stubtest cannot see pybind11's argument names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from edgedet import _core, ops

STUB = ast.parse(Path(ops.__file__).with_name("_core.pyi").read_text(encoding="utf-8"))


def stub_arguments():
    """{function: its arguments as text, with the star before those that must be named}."""
    found = {}
    for node in STUB.body:
        if isinstance(node, ast.FunctionDef):
            names = [a.arg for a in node.args.args]
            named = [a.arg for a in node.args.kwonlyargs]
            found[node.name] = [*names, *(["*", *named] if named else [])]
    return found


def compiled_arguments():
    found = {}
    for name, function in vars(_core).items():
        if callable(function) and not name.startswith("_"):
            inside = re.match(rf"{name}\((.*)\) -> ", function.__doc__.splitlines()[0]).group(1)
            found[name] = [part.split(":")[0] for part in inside.split(", ")] if inside else []
    return found


def test_the_stub_names_the_same_functions_and_arguments():
    assert compiled_arguments() == stub_arguments()
    assert len(stub_arguments()) >= 7


def test_the_stub_has_the_version():
    assert isinstance(_core.__version__, str)
    assert "__version__" in {node.target.id for node in STUB.body if isinstance(node, ast.AnnAssign)}
