"""`Detections`: checked at birth, frozen, indexed like an array, and turned into what others read."""

from __future__ import annotations

import dataclasses
import json
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgedet.results import Detection, Detections

LABELS = ("cat", "dog", "hen")


def make(**changes: Any) -> Detections:
    fields: dict[str, Any] = {
        "boxes": np.array([[0, 1, 10, 21], [2.5, 3, 4, 5], [6, 7, 8, 9]], np.float32),
        "scores": np.array([0.75, 0.5, 0.25], np.float32),
        "class_ids": np.array([2, 0, 0], np.int32),
        "labels": LABELS,
        "image_wh": (100, 50),
    }
    return Detections(**{**fields, **changes})


def nothing() -> Detections:
    empty = np.zeros(0, np.float32)
    return make(boxes=np.zeros((0, 4), np.float32), scores=empty, class_ids=empty.astype(np.int32))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("boxes", np.zeros((2, 4), np.float32)),
        ("boxes", np.zeros((3, 5), np.float32)),
        ("boxes", np.zeros(12, np.float32)),
        ("boxes", np.zeros((3, 4), np.float64)),
        ("boxes", [[0.0, 0.0, 1.0, 1.0]] * 3),
        ("boxes", np.array([[0, 0, 1, np.nan]] * 3, np.float32)),
        ("boxes", np.array([[0, 0, 1, np.inf]] * 3, np.float32)),
        ("boxes", None),
        ("scores", np.zeros((3, 1), np.float32)),
        ("scores", np.zeros(3, np.float64)),
        ("scores", np.array([0.5, np.nan, 0.2], np.float32)),
        ("scores", [0.5, 0.5, 0.5]),
        ("scores", np.float32(1)),
        ("scores", None),
        ("class_ids", np.zeros(3, np.int64)),
        ("class_ids", np.zeros(4, np.int32)),
        ("class_ids", np.array([0, 1, 3], np.int32)),
        ("class_ids", np.array([0, -1, 2], np.int32)),
        ("class_ids", [0, 1, 2]),
    ],
)
def test_wrong_array_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected .*, got .*; "):
        make(**{name: value})


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().scores = np.zeros(3, np.float32)  # type: ignore[misc]


def test_iterates_over_plain_python() -> None:
    found = list(make())
    assert found[0] == Detection("hen", 0.75, (0.0, 1.0, 10.0, 21.0), 2)
    assert found[1] == ("cat", 0.5, (2.5, 3.0, 4.0, 5.0), 0)
    assert [type(value) for value in found[0]] == [str, float, tuple, int]


def test_length_and_truth() -> None:
    assert len(make()) == 3
    assert len(nothing()) == 0
    assert make()
    assert not nothing()
    assert list(nothing()) == []


def test_int_gives_one_detection() -> None:
    found = make()
    assert found[0] == found[np.int64(0)] == found[-3]
    assert found[-1].score == 0.25
    for index in (3, -4):
        with pytest.raises(IndexError):
            found[index]


@pytest.mark.parametrize(
    ("index", "scores"),
    [
        (slice(1, None), [0.5, 0.25]),
        (slice(None, None, -1), [0.25, 0.5, 0.75]),
        (slice(0, 0), []),
        ([2, 0], [0.25, 0.75]),
        ([], []),
        ([True, False, True], [0.75, 0.25]),
        (np.array([False, False, False]), []),
        (np.array([True, False, True]), [0.75, 0.25]),
        (np.array([1, 1]), [0.5, 0.5]),
        (np.array([], int), []),
    ],
)
def test_other_indices_give_detections(index: Any, scores: list[float]) -> None:
    found = make()[index]
    assert isinstance(found, Detections)
    assert found.scores.tolist() == scores
    assert (found.labels, found.image_wh) == (LABELS, (100, 50))
    assert len(found.boxes) == len(found.class_ids) == len(scores)


def test_mask_from_own_arrays() -> None:
    found = make()
    kept = found[(found.scores > 0.3) & (found.class_ids == 0)]
    assert [d.label for d in kept] == ["cat"]


def test_mask_of_wrong_length_is_an_error() -> None:
    with pytest.raises(IndexError):
        make()[np.array([True, False])]


def test_dicts_are_json() -> None:
    dicts = make().to_dicts()
    assert json.loads(json.dumps(dicts)) == dicts
    assert dicts[1] == {"label": "cat", "score": 0.5, "box": [2.5, 3.0, 4.0, 5.0], "class_id": 0}
    assert nothing().to_dicts() == []


def test_coco_entries() -> None:
    first, *_ = make().to_coco(7, (1, 2, 90))
    assert first == {"image_id": 7, "category_id": 90, "bbox": [0.0, 1.0, 10.0, 20.0], "score": 0.75}
    assert [entry["category_id"] for entry in make().to_coco(7)] == [2, 0, 0]
    assert [entry["category_id"] for entry in make().to_coco(7, {0: 5, 2: 6})] == [6, 5, 5]
    assert json.loads(json.dumps(make().to_coco(7))) == make().to_coco(7)
    with pytest.raises(KeyError):
        make().to_coco(7, {})


def test_supervision_gets_arrays_and_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", SimpleNamespace(Detections=SimpleNamespace))
    given = make().to_supervision()
    assert given.class_id.tolist() == [2, 0, 0]
    assert given.data["class_name"].tolist() == ["hen", "cat", "cat"]
    np.testing.assert_array_equal(given.xyxy, make().boxes)
    np.testing.assert_array_equal(given.confidence, make().scores)
    assert nothing().to_supervision().data["class_name"].shape == (0,)


def test_draw_gives_another_picture() -> None:
    image = np.zeros((50, 100, 3), np.uint8)
    drawn = make().draw(image)
    assert drawn.any()
    assert not image.any()
