"""The kernels give the recorded answers, bit for bit, whatever the processor."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from kernel_cases import KERNELS, answers, digest

from edgedet import ops

RECORDED = json.loads((Path(__file__).parent / "data" / "kernel_answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    return answers()


@pytest.mark.parametrize("case", RECORDED)
def test_the_recorded_answer(case: str, found: dict[str, str]) -> None:
    assert found[case] == RECORDED[case]


def test_every_case_of_every_kernel_is_recorded(found: dict[str, str]) -> None:
    assert found.keys() == RECORDED.keys()
    assert set(KERNELS) <= set(ops.__all__)
    assert {case.split()[0] for case in RECORDED} == set(KERNELS)


def test_a_digest_minds_a_single_bit() -> None:
    array = np.zeros((2, 3), np.float32)
    other = array.copy()
    other[1, 2] = np.float32(1e-45)
    assert len({digest((array,)), digest((other,)), digest((array.T,)), digest((array.astype(np.float16),))}) == 4
    odd = np.array([0x7FC00000, 0xFFC00001], np.uint32).view(np.float32)
    assert digest((odd,)) == digest((odd[::-1],))
