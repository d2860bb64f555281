"""Python, NumPy, OpenCV and the compiled module."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from pathlib import Path

import cv2
import numpy as np

from edgedet import _core
from edgedet.diagnose.facts import Fact, guarded

BUILD_AGAIN = "pip install --force-reinstall --no-deps edgedet"


def facts() -> list[Fact]:
    """One fact for each."""
    return [
        *guarded("python", _python),
        *guarded("numpy", lambda: _package("numpy", np.__version__, np.__file__)),
        *guarded("opencv", lambda: _package("opencv", cv2.__version__, cv2.__file__)),
        *guarded("edgedet", _edgedet),
        *guarded("compiled", _compiled),
    ]


def _python() -> Fact:
    version = platform.python_version()
    data = {"version": version, "implementation": platform.python_implementation(), "path": sys.executable}
    return Fact("python", "ok", f"{data['implementation']} {version}, {sys.executable or 'path unknown'}", None, data)


def _package(name: str, version: str, file: str | None) -> Fact:
    path = str(Path(file).parent) if file else "path unknown"
    return Fact(name, "ok", f"{version}, {path}", None, {"version": version, "path": path})


def _edgedet() -> Fact:
    path = str(Path(__file__).parent.parent)
    try:
        version = importlib.metadata.version("edgedet")
    except importlib.metadata.PackageNotFoundError:
        return Fact("edgedet", "wrong", f"not installed, run from {path}", "pip install edgedet", {"path": path})
    return Fact("edgedet", "ok", f"{version}, {path}", None, {"version": version, "path": path})


def _compiled() -> Fact:
    built = _core.build_info()
    told = {**built, "path": _core.__file__}
    text = (
        f"{built.get('version')}, vector level {built.get('vector_level')}, compiler {built.get('compiler')}, "
        f"{built.get('build_type')}, {_core.__file__}"
    )
    if built.get("assertions"):
        return Fact("compiled", "wrong", f"{text}; a debug build, which is slow", BUILD_AGAIN, told)
    return Fact("compiled", "ok", text, None, told)
