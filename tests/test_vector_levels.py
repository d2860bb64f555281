"""Every set of instructions gives the same bits: each in a process of its own, since it is chosen once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgedet import _core

LEVELS = _core.build_info()["vector_levels"]
CASES = Path(__file__).with_name("kernel_cases.py")
NAME = "from edgedet import _core; print(_core.build_info()['vector_level'])"


def run(level: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EDGEDET_VECTOR_LEVEL": level}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def scalar() -> dict[str, str]:
    return json.loads(run("scalar", str(CASES)).stdout)


@pytest.mark.parametrize("level", LEVELS[1:])
def test_gives_the_bits_of_the_scalar_twin(level: str, scalar: dict[str, str]) -> None:
    assert run(level, "-c", NAME).stdout.split() == [level]
    assert json.loads(run(level, str(CASES)).stdout) == scalar


def test_a_level_that_this_machine_lacks_is_the_best_it_has() -> None:
    lacking = next(name for name in ("neon", "avx512", "avx2") if name not in LEVELS)
    for level in (lacking, ""):
        assert run(level, "-c", NAME).stdout.split() == [LEVELS[-1]]


def test_a_name_that_is_none_is_refused_at_the_import() -> None:
    done = run("sse9", "-c", NAME)
    assert done.returncode == 1
    assert "EDGEDET_VECTOR_LEVEL: expected scalar, baseline, neon, avx2 or avx512, got sse9; do unset it" in done.stderr
