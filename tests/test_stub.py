"""The hand-written stub against the compiled module: mypy's stubtest cannot see pybind11's argument names."""

from __future__ import annotations

import ast
import inspect
import re
import types
from pathlib import Path

from edgedet import _core, ops

STUB = ast.parse(Path(ops.__file__).with_name("_core.pyi").read_text(encoding="utf-8"))


def stub_arguments():
    """{function or class.method: its arguments as text, with the star before those that must be named}."""
    found = {}
    for node in STUB.body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = arguments_of(node)
        elif isinstance(node, ast.ClassDef):
            methods = [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]
            found |= {f"{node.name}.{inner.name}": arguments_of(inner) for inner in methods}
    return found


def arguments_of(node):
    if any(ast.unparse(decorator) == "property" for decorator in node.decorator_list):
        return "property"
    names = [a.arg for a in node.args.args]
    named = [a.arg for a in node.args.kwonlyargs]
    return [*names, *(["*", *named] if named else [])]


def compiled_arguments():
    found = {}
    for name, thing in vars(_core).items():
        if inspect.isclass(thing):
            for key, value in vars(thing).items():
                inherited = isinstance(value, types.WrapperDescriptorType)  # of a class that can't be made from Python
                if not inherited and (key == "__init__" or not key.startswith("_")):
                    found[f"{name}.{key}"] = signature(key, value)
        elif callable(thing) and not name.startswith("_"):
            found[name] = signature(name, thing)
    return found


def signature(name, function):
    if isinstance(function, property):
        return "property"
    inside = re.match(rf"{name}\((.*)\) -> ", function.__doc__.splitlines()[0]).group(1)
    return [part.split(":")[0] for part in inside.split(", ")] if inside else []


def test_the_stub_names_the_same_functions_and_arguments():
    assert compiled_arguments() == stub_arguments()
    assert len(stub_arguments()) >= 7
    classes = {name for name, thing in vars(_core).items() if inspect.isclass(thing)}
    assert classes == {node.name for node in STUB.body if isinstance(node, ast.ClassDef)}


def test_the_stub_has_the_version():
    assert isinstance(_core.__version__, str)
    assert "__version__" in {node.target.id for node in STUB.body if isinstance(node, ast.AnnAssign)}
