"""``model.json``: the round trip, the anchors in literal numbers, and what every wrong key says."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import published_levels
from hypothesis import given
from hypothesis import strategies as st

from edgedet import spec as specs
from edgedet.errors import BundleError
from edgedet.spec import Level, Spec, parse


@pytest.fixture(scope="module")
def data(whole_bundle: Path) -> dict[str, Any]:
    return json.loads((whole_bundle / "model.json").read_text(encoding="utf-8"))


def test_round_trip(data: dict[str, Any]) -> None:
    spec = parse(json.dumps(data))
    assert parse(spec.to_json()) == spec
    assert json.loads(spec.to_json())["labels"] == data["labels"]


def test_round_trip_of_every_optional_key(data: dict[str, Any]) -> None:
    data = copy.deepcopy(data)
    data["input"].update(size_wh=[224, 224], resize_wh=[256, 256], resize="letterbox", color="bgr")
    data["head"].update(background=None, max_detections=7, activation="softmax")
    data["source"].update(url="https://example.org", metric="mAP 0.25", licence="MIT", citation="A, 2020")
    data["variants"][0]["soc"] = "Ascend310B4"
    data.update(category_ids=[1, 2, 90], labels=["größer", "猫", "a b"])
    spec = parse(json.dumps(data))
    assert json.loads(spec.to_json()) == data
    assert parse(spec.to_json()) == spec


def test_optional_keys_may_be_absent(data: dict[str, Any]) -> None:
    data = copy.deepcopy(data)
    for key in ("category_ids", "golden"):
        del data[key]
    del data["input"]["resize_wh"], data["variants"][0]["soc"], data["source"]["url"]
    spec = parse(json.dumps(data))
    assert (spec.category_ids, spec.golden, spec.input.resize_wh) == (None, (), None)


def test_spec_is_frozen(data: dict[str, Any]) -> None:
    spec = parse(json.dumps(data))
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]


def test_anchors_of_a_3_by_3_grid() -> None:
    level = Level((3, 3), (8.0, 4.0), ((0.5, 0.25),))
    literal = [
        [1 / 6, 1 / 6, 0.25, 0.5],
        [1 / 6, 3 / 6, 0.25, 0.5],
        [1 / 6, 5 / 6, 0.25, 0.5],
        [3 / 6, 1 / 6, 0.25, 0.5],
        [3 / 6, 3 / 6, 0.25, 0.5],
        [3 / 6, 5 / 6, 0.25, 0.5],
        [5 / 6, 1 / 6, 0.25, 0.5],
        [5 / 6, 3 / 6, 0.25, 0.5],
        [5 / 6, 5 / 6, 0.25, 0.5],
    ]
    np.testing.assert_allclose(level.anchors((24, 12)), literal, rtol=1e-15)


def test_anchors_run_row_column_cell() -> None:
    level = Level((2, 1), (10.0, 10.0), ((0.1, 0.2), (0.3, 0.4)))
    literal = [[0.5, 0.25, 0.2, 0.1], [0.5, 0.25, 0.4, 0.3], [0.5, 0.75, 0.2, 0.1], [0.5, 0.75, 0.4, 0.3]]
    np.testing.assert_allclose(level.anchors((20, 10)), literal, rtol=1e-15)


def test_published_levels_start_where_they_should() -> None:
    head = specs.AnchorHead(
        "anchors", published_levels(), (0.1, 0.2), True, "sigmoid", 0, 0.1, 0.6, 100, None, plus_one=True
    )
    assert np.cumsum([0, *(level.count for level in head.levels)]).tolist() == [0, 1200, 1800, 1950, 2004, 2028, 2034]
    anchors = head.anchors((320, 320))
    assert (anchors.shape, anchors.dtype, head.count, head.columns(80)) == ((2034, 4), np.float32, 2034, 81)
    np.testing.assert_allclose(anchors[0], [0.025, 0.025, 0.1, 0.1], rtol=1e-6)
    np.testing.assert_allclose(anchors[1], [0.025, 0.025, 0.2 / 2**0.5, 0.2 * 2**0.5], rtol=1e-6)
    np.testing.assert_allclose(anchors[3], [0.025, 0.075, 0.1, 0.1], rtol=1e-6)
    # A stride that does not divide the input: the centres are not those of an even grid.
    np.testing.assert_allclose(anchors[1950::6, 1][:3], [0.16875, 0.50625, 0.84375], rtol=1e-6)
    np.testing.assert_allclose(anchors[2033], [0.5, 0.5, 0.95**0.5, 0.95**0.5], rtol=1e-6)


WRONG = [
    ("schema", 2, "schema"),
    ("schema", True, "schema"),
    ("schema", None, "schema"),
    ("name", 3, "name"),
    ("tasks", [], "tasks"),
    ("labels", [], "labels"),
    ("labels", "abc", "labels"),
    ("variants", [], "variants"),
    ("category_ids", [1], "category_ids"),
    ("head", None, "head.type"),
    ("input.size_wh", [0, 4], "input.size_wh"),
    ("input.size_wh", [64, 16385], "input.size_wh"),
    ("input.size_wh", [64], "input.size_wh"),
    ("input.color", "BGR", "input.color"),
    ("input.mean", [0, 0], "input.mean"),
    ("input.mean", [0, 0, 1e300], "input.mean"),
    ("input.std", [1, 1, 0], "input.std"),
    ("input.std", [1, 1, -1], "input.std"),
    ("input.std", [1, 1, 1e-300], "input.std"),
    ("input.resize", "crop", "input.resize"),
    ("input.resize_wh", [63, 48], "input.resize_wh"),
    ("input.resize_wh", [64, 10**9], "input.resize_wh"),
    ("head.type", "transformer", "head.type"),
    ("head.levels", [], "head.levels"),
    ("head.levels.0.grid_wh", [0, 3], "head.levels.grid_wh"),
    ("head.levels.0.grid_wh", [10**6, 10**6], "head.levels"),
    ("head.levels.0.stride_wh", [0, 8], "head.levels.stride_wh"),
    ("head.levels.0.stride_wh", [1e300, 8], "head.levels.stride_wh"),
    ("head.levels.0.cells_wh", [], "head.levels.cells_wh"),
    ("head.levels.0.cells_wh", [[0.1, -0.1]], "head.levels.cells_wh"),
    ("head.levels.0.cells_wh", [[0.1, 1e300]], "head.levels.cells_wh"),
    ("head.levels.0.cells_wh", [[0.1]], "head.levels[0].cells_wh[0]"),
    ("head.variances", [0.1, 0], "head.variances"),
    ("head.clip", 1, "head.clip"),
    ("head.activation", "relu", "head.activation"),
    ("head.background", -1, "head.background"),
    ("head.background", 4, "head.background"),
    ("head.score_threshold", 1.5, "head.score_threshold"),
    ("head.iou_threshold", -0.5, "head.iou_threshold"),
    ("head.max_per_class", 0, "head.max_per_class"),
    ("head.max_per_class", 10**30, "head.max_per_class"),
    ("head.max_detections", 0, "head.max_detections"),
    ("head.max_detections", 10**30, "head.max_detections"),
    ("head.plus_one", "yes", "head.plus_one"),
    ("variants.0.files", [], "variants[0].files"),
    ("variants.0.files.model", "model.onnx", "variants[0].files.model"),
    ("variants.0.files.model.outputs", {"deltas": 1}, "variants[0].files.model.outputs.deltas"),
    ("golden.0.image.sha256", 0, "golden[0].image.sha256"),
    ("source", [], "source"),
]


def _put(data: Any, path: str, value: object) -> None:
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    for part in parents:
        data = data[part]
    data[last] = value


@pytest.mark.parametrize(("path", "value", "named"), WRONG)
def test_wrong_value_names_its_key(data: dict[str, Any], path: str, value: object, named: str) -> None:
    data = copy.deepcopy(data)
    _put(data, path, value)
    with pytest.raises(BundleError) as caught:
        parse(json.dumps(data))
    assert str(caught.value).startswith(f"model.json: {named}: expected ")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "1", '"model"', "{}", "NaN", "[" * 100_000, '{"schema": ' + "9" * 5000 + "}"]
)
def test_text_that_is_no_model_json(text: str) -> None:
    with pytest.raises(BundleError, match=r"^model\.json: "):
        parse(text)


@pytest.mark.parametrize("depth", [*range(900, 1000, 7), 50_000])
def test_deep_nesting_in_any_key(data: dict[str, Any], depth: int) -> None:
    text = json.dumps({**data, "name": "PLACE"}).replace('"PLACE"', "[" * depth + "]" * depth)
    with pytest.raises(BundleError, match=r"^model\.json: "):
        parse(text)


def _paths(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [at, *(path for key, value in items for path in _paths(value, (*at, key)))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@given(st.data())
def test_any_change_is_a_spec_or_a_bundle_error(data: dict[str, Any], draw: st.DataObject) -> None:
    changed = copy.deepcopy(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        *parents, last = draw.draw(st.sampled_from(_paths(changed)[1:]))
        part = changed
        for key in parents:
            part = part[key]
        if draw.draw(st.booleans()):
            del part[last]
        else:
            part[last] = draw.draw(JSON)
    try:
        spec = parse(json.dumps(changed))
    except BundleError as error:
        assert str(error).startswith("model.json: ")
        return
    assert isinstance(spec, Spec)
    assert parse(spec.to_json()) == spec
    if spec.head.count < 10_000:
        assert np.isfinite(spec.head.anchors(spec.input.size_wh)).all()


@given(st.data())
def test_any_damaged_text_is_a_spec_or_a_bundle_error(data: dict[str, Any], draw: st.DataObject) -> None:
    text = json.dumps(data)
    at = draw.draw(st.integers(0, len(text) - 1))
    try:
        parse(text[:at] + draw.draw(st.text(max_size=3)) + text[at + draw.draw(st.integers(0, 40)) :])
    except BundleError as error:
        assert str(error).startswith("model.json: ")
