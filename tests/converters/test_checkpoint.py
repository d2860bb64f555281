"""Strict loading: both sides of every misfit are named. No MindSpore needed for the rules themselves."""

from __future__ import annotations

import numpy as np
import pytest

from edgedet.errors import CheckpointError
from edgedet_converters.checkpoint import match
from edgedet_converters.family import Family

FAMILY = Family(
    name="toy", config=object, build=lambda c: c, networks=dict, describe=dict, labels="coco", prefix="network."
)
WANTED = {"conv.weight": (2, 3), "conv.bias": (2,)}


def entries(prefix: str = "network.") -> dict[str, np.ndarray]:
    return {prefix + name: np.ones(shape, np.float32) for name, shape in WANTED.items()}


@pytest.mark.parametrize("prefix", ["network.", ""])
def test_prefix_may_stand_or_not(prefix: str) -> None:
    found = match(entries(prefix), WANTED, FAMILY, "x.ckpt")
    assert {name: values.shape for name, values in found.items()} == WANTED


def test_training_leftovers_are_known() -> None:
    extras = {
        "moments.network.conv.weight": np.ones((2, 3), np.float32),
        "momentum": np.float32(0.9),
        "global_step": np.ones(1, np.int32),
        "learning_rate": np.ones(100, np.float32),
        "learning_rate_group_1": np.ones(100, np.float32),
    }
    assert len(match({**entries(), **extras}, WANTED, FAMILY, "x.ckpt")) == 2


def test_half_precision_becomes_float32() -> None:
    given = {name: values.astype(np.float16) for name, values in entries().items()}
    assert all(values.dtype == np.float32 for values in match(given, WANTED, FAMILY, "x.ckpt").values())


def test_missing_and_extra_are_both_listed() -> None:
    given = entries()
    given["network.head.weight"] = given.pop("network.conv.bias")
    with pytest.raises(
        CheckpointError, match=r"missing \(1\): network.conv.bias; not in the network \(1\): network.he"
    ):
        match(given, WANTED, FAMILY, "x.ckpt")


def test_wrong_shape_names_both() -> None:
    given = {**entries(), "network.conv.weight": np.ones((3, 2), np.float32)}
    with pytest.raises(CheckpointError, match=r"network.conv.weight: expected shape \(2, 3\), got \(3, 2\)"):
        match(given, WANTED, FAMILY, "x.ckpt")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_diverged_training_is_refused(value: float) -> None:
    given = {**entries(), "network.conv.bias": np.array([0, value], np.float32)}
    with pytest.raises(CheckpointError, match="network.conv.bias: expected finite values"):
        match(given, WANTED, FAMILY, "x.ckpt")


def test_integers_are_refused() -> None:
    with pytest.raises(CheckpointError, match="expected float32, got int32"):
        match({**entries(), "network.conv.bias": np.ones(2, np.int32)}, WANTED, FAMILY, "x.ckpt")


def test_a_parameter_that_stands_twice_is_refused() -> None:
    with pytest.raises(CheckpointError, match="stands twice"):
        match({**entries(), **entries("")}, WANTED, FAMILY, "x.ckpt")


def test_long_lists_are_cut() -> None:
    given = {f"other.{i}": np.ones(1, np.float32) for i in range(100)}
    with pytest.raises(CheckpointError, match=r"not in the network \(100\).*… and 88 more"):
        match(given, WANTED, FAMILY, "x.ckpt")
