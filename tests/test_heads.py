"""Heads with a trunk: where its cells lie for any input size, and what every wrong key says."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toyspp import spp_bundle

from edgedet.errors import BundleError
from edgedet.spec import SppHead, TrunkLayer, parse

WINDOWS = ((7, 2, "same"), (3, 2, "valid"), (5, 2, "same"), (3, 2, "valid"), *((3, 1, "same"),) * 3)
SPPNET = SppHead("spp", (6, 3, 2, 1), tuple(TrunkLayer(*window) for window in WINDOWS), "softmax", 688)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = spp_bundle(tmp_path_factory.mktemp("bundles"), goldens=0)
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("size_wh", "offset", "feature_wh"),
    [
        ((224, 224), (11, 11), (13, 13)),
        ((180, 180), (15, 15), (10, 10)),
        ((224, 180), (11, 15), (13, 10)),
        ((451, 300), (14, 15), (27, 18)),
    ],
)
def test_the_published_trunk(size_wh: tuple[int, int], offset: tuple[int, int], feature_wh: tuple[int, int]) -> None:
    assert SPPNET.grid(size_wh) == ((16, 16), offset, feature_wh)
    assert SPPNET.bins == 50


def receptive_field(layers: tuple[TrunkLayer, ...], size: int) -> list[tuple[int, int]]:
    """First and last pixel that each cell sees, padding counted, found by walking back through the layers."""
    sizes = [size]
    for layer in layers:
        fits = (sizes[-1] - layer.kernel) // layer.stride + 1
        sizes.append(-(-sizes[-1] // layer.stride) if layer.pad == "same" else fits)
    fields = []
    for cell in range(sizes[-1]):
        first = last = cell
        for layer, before, after in zip(layers[::-1], sizes[-2::-1], sizes[::-1]):
            total = max((after - 1) * layer.stride + layer.kernel - before, 0) if layer.pad == "same" else 0
            first = first * layer.stride - total // 2
            last = last * layer.stride - total // 2 + layer.kernel - 1
        fields.append((first, last))
    return fields


LAYERS = st.lists(
    st.builds(TrunkLayer, st.integers(1, 7), st.integers(1, 3), st.sampled_from(["same", "valid"])),
    min_size=1,
    max_size=4,
)


@given(LAYERS, st.integers(1, 90), st.integers(1, 90))
def test_cells_lie_at_the_middle_of_what_they_see(layers: list[TrunkLayer], width: int, height: int) -> None:
    head = dataclasses.replace(SPPNET, trunk=tuple(layers))
    fields = [receptive_field(head.trunk, size) for size in (width, height)]
    if not all(fields):
        with pytest.raises(ValueError, match=r"^size_wh: expected .*, got "):
            head.grid((width, height))
        return
    grid = head.grid((width, height))
    for axis, field in enumerate(fields):
        centres = grid.stride[axis] * np.arange(grid.feature_wh[axis]) + grid.offset[axis]
        np.testing.assert_array_equal(centres, np.mean(field, axis=1))


def test_round_trip(data: dict[str, Any]) -> None:
    spec = parse(json.dumps(data))
    assert isinstance(spec.head, SppHead)
    assert parse(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("levels", [], "head.levels"),
        ("levels", [0], "head.levels"),
        ("levels", [65], "head.levels"),
        ("levels", [6.5], "head.levels[0]"),
        ("trunk", [], "head.trunk"),
        ("trunk", [{"kernel": 0, "stride": 1, "pad": "same"}], "head.trunk.kernel"),
        ("trunk", [{"kernel": 1, "stride": 0, "pad": "same"}], "head.trunk.stride"),
        ("trunk", [{"kernel": 1, "stride": 10**9, "pad": "same"}], "head.trunk.stride"),
        ("trunk", [{"kernel": 1, "stride": 1, "pad": "full"}], "head.trunk.pad"),
        ("trunk", [{"kernel": 1, "stride": 1}], "head.trunk[0].pad"),
        ("trunk", [{"kernel": 33, "stride": 1, "pad": "valid"}], "head.trunk"),
        ("activation", "sigmoid", "head.activation"),
        ("shorter_side", 0, "head.shorter_side"),
        ("background", 0, "head.background"),
    ],
)
def test_wrong_value_names_its_key(data: dict[str, Any], key: str, value: object, named: str) -> None:
    data = copy.deepcopy(data)
    data["head"][key] = value
    with pytest.raises(BundleError) as caught:
        parse(json.dumps(data))
    assert str(caught.value).startswith(f"model.json: {named}: expected ")
    assert len(str(caught.value)) < 400
