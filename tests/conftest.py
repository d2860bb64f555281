"""Puts this folder on the import path: the tests share `bundles` and `reference`.

`bundles` needs the package onnx, so it is imported where it is used: `test_minimal` runs without.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flaky_server import Server, serving
from hypothesis import settings

# Without this MindSpore's convolutions crawl on AVX-512 hosts; it must be set before the import, in whatever test.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
# How long an example takes says something of the machine, nothing of the code.
settings.register_profile("edgedet", deadline=None)
# Where every instruction is emulated (.ci/aarch64), a few examples have to do.
settings.register_profile("emulated", deadline=None, max_examples=5)
settings.load_profile("edgedet")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A fresh toy bundle that the test may damage."""
    from bundles import toy_bundle

    return toy_bundle(tmp_path / "toy")


@pytest.fixture(scope="session")
def whole_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One toy bundle for all tests that only read."""
    from bundles import toy_bundle

    return toy_bundle(tmp_path_factory.mktemp("bundles") / "toy")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A web server that does as it is told, and no proxy before it."""
    monkeypatch.setenv("no_proxy", "*")
    with serving() as running:
        yield running
