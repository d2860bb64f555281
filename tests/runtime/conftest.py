"""MindSpore Lite for these tests, C library and Python package: doubles, or real where the environment names it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import mindspore_lite_double
import pytest
from mindspore_lite_double import write_mindir
from mslite_double import compile_double, compiler

from edgedet.runtime import _wheel_package
from edgedet.runtime.mslite_wheel import MsliteWheelSession


@pytest.fixture(scope="session")
def mslite_double(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The double's file."""
    if compiler() is None:
        pytest.skip("no C compiler here to build the double of MindSpore Lite with")
    return compile_double(tmp_path_factory.mktemp("mslite_double"))


@pytest.fixture
def mslite_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real library if both ``EDGEDET_MSLITE_LIBRARY`` and ``EDGEDET_TEST_MS_MODEL`` are set, else the double."""
    if not {"EDGEDET_MSLITE_LIBRARY", "EDGEDET_TEST_MS_MODEL"} <= os.environ.keys():
        monkeypatch.setenv("EDGEDET_MSLITE_LIBRARY", str(request.getfixturevalue("mslite_double")))


@pytest.fixture
def mindspore_lite(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The double of the Python package with two Ascend devices, or the real one if it and its model are there."""
    if importlib.util.find_spec("mindspore_lite") and os.environ.get("EDGEDET_TEST_WHEEL_MODEL"):
        yield
        return
    forget("mindspore_lite", monkeypatch)
    # Tests of the converters may have imported it into this process; the double minds as the real one does.
    forget("mindspore", monkeypatch)
    monkeypatch.syspath_prepend(mindspore_lite_double.FOLDER)
    monkeypatch.setenv("MINDSPORE_LITE_DOUBLE_DEVICES", "2")
    for name in ("ASCEND_HOME_PATH", "EDGEDET_ASCEND_PRECISION", "EDGEDET_ASCEND_PROVIDER"):
        monkeypatch.delenv(name, raising=False)
    yield
    for name in imported("mindspore_lite"):
        del sys.modules[name]


@pytest.fixture
def lite() -> ModuleType:
    """The double, imported."""
    return _wheel_package.load()[0]


@pytest.fixture
def wheel(tmp_path: Path) -> Callable[..., MsliteWheelSession]:
    """Writes a model file for the double and opens it."""

    def _wheel(*behaviours: str, graph: str = "affine 2 1", device: str = "cpu", **options: Any) -> MsliteWheelSession:
        path = write_mindir(tmp_path / "m.mindir", graph, *behaviours, **options)
        return MsliteWheelSession(path, device, 1, probe=False)

    return _wheel


@pytest.fixture
def raw_model(tmp_path: Path, lite: ModuleType) -> Callable[..., Any]:
    """Writes a model file and gives the double's own model of it."""

    def _raw_model(*behaviours: str, graph: str = "affine 2 1", **options: Any) -> Any:
        model = lite.Model()
        path = write_mindir(tmp_path / "raw.mindir", graph, *behaviours, **options)
        model.build_from_file(str(path), lite.ModelType.MINDIR)
        return model

    return _raw_model


def forget(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package had not been imported; undone after the test."""
    for name in imported(package):
        monkeypatch.delitem(sys.modules, name)


def imported(package: str) -> list[str]:
    """The package and its modules, as far as they have been imported."""
    return [name for name in sys.modules if name.partition(".")[0] == package]
