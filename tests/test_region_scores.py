"""`RegionScores`: checked at birth, frozen, indexed like an array, and turned into detections."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import reference

from edgedet.region_scores import RegionScores
from edgedet.results import Detection

LABELS = ("cat", "dog", "hen")


def make(**changes: Any) -> RegionScores:
    fields: dict[str, Any] = {
        "boxes": np.array([[0, 1, 10, 21], [0, 2, 10, 21], [60, 7, 120, 9], [20, 30, 20, 40]], np.float32),
        "scores": np.array([[0.25, 0.75, 0], [0.5, 0.5, 0], [0, 0.125, 0.875], [0, 0, 1]], np.float32),
        "labels": LABELS,
        "image_wh": (100, 50),
    }
    return RegionScores(**{**fields, **changes})


def nothing() -> RegionScores:
    return make(boxes=np.zeros((0, 4), np.float32), scores=np.zeros((0, 3), np.float32))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("boxes", np.zeros((4, 5), np.float32)),
        ("boxes", np.zeros((4, 4))),
        ("boxes", None),
        ("boxes", np.full((4, 4), np.nan, np.float32)),
        ("scores", np.zeros((3, 3), np.float32)),
        ("scores", np.zeros((4, 2), np.float32)),
        ("scores", np.zeros((4, 3))),
        ("scores", np.full((4, 3), np.inf, np.float32)),
        ("scores", [[0.0] * 3] * 4),
    ],
)
def test_wrong_array_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected .*, got .*; "):
        make(**{name: value})


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().scores = None  # type: ignore[misc]


def test_a_region_is_its_best_class() -> None:
    found = make()
    assert len(found) == 4 and [row.label for row in found] == ["dog", "cat", "hen", "hen"]
    assert found[0] == Detection("dog", 0.75, (0, 1, 10, 21), 1)
    assert found[np.int64(-1)].score == 1
    with pytest.raises(IndexError):
        found[4]


@pytest.mark.parametrize("index", [slice(1, 3), [1, 2], np.array([1, 2]), [False, True, True, False]])
def test_some_regions(index: Any) -> None:
    some = make()[index]
    assert isinstance(some, RegionScores)
    np.testing.assert_array_equal(some.boxes, make().boxes[1:3])
    np.testing.assert_array_equal(some.scores, make().scores[1:3])
    assert some.labels == LABELS and some.image_wh == (100, 50)
    assert len(make()[[]]) == 0


def test_the_classes_of_a_region() -> None:
    found = make().classification(0, top_k=2)
    assert [(row.label, row.score) for row in found] == [("dog", 0.75), ("cat", 0.25)]
    assert len(make().classification(0)) == 3
    assert make().classification(1).top.label == "cat"  # of equals the lower
    with pytest.raises(ValueError, match="^top_k: expected a whole number from 1"):
        make().classification(0, top_k=0)


def test_dicts_are_ready_for_json() -> None:
    (first, *_) = json.loads(json.dumps(make().to_dicts(top_k=2)))
    assert first["box"] == [0, 1, 10, 21]
    assert first["classes"][0] == {"label": "dog", "score": 0.75, "class_id": 1}
    assert len(first["classes"]) == 2 and len(make().to_dicts()[0]["classes"]) == 1
    assert nothing().to_dicts() == []


def test_detections_are_confident_and_apart() -> None:
    found = make().to_detections(score_threshold=0.3)
    # The second dog is a cat as well, and that first; the last region has no area; what leaves the image is clipped.
    assert [(d.label, d.score, d.box) for d in found] == [
        ("hen", 0.875, (60, 7, 100, 9)),
        ("dog", 0.75, (0, 1, 10, 21)),
        ("cat", 0.5, (0, 2, 10, 21)),
    ]
    assert found.image_wh == (100, 50)
    assert len(make().to_detections()) == 2  # strictly more than a half
    assert [d.label for d in make().to_detections(score_threshold=0.3, max_detections=1)] == ["hen"]
    assert len(nothing().to_detections(score_threshold=0)) == 0


def test_detections_of_all_classes() -> None:
    found = make().to_detections(score_threshold=0.2, all_classes=True, iou_threshold=1.0)
    assert [(d.label, d.score) for d in found] == [
        ("hen", 0.875),
        ("dog", 0.75),
        ("cat", 0.5),
        ("dog", 0.5),
        ("cat", 0.25),
    ]
    apart = make().to_detections(score_threshold=0.2, all_classes=True)
    assert [(d.label, d.score) for d in apart] == [("hen", 0.875), ("dog", 0.75), ("cat", 0.5)]


def test_detections_are_those_of_greedy_suppression() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 60, (150, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 40, (150, 2))], axis=1).astype(np.float32)
    scores = rng.dirichlet([0.3] * 3, 150).astype(np.float32)
    found = make(boxes=boxes, scores=scores).to_detections(score_threshold=0.4, all_classes=True)
    clipped = np.clip(boxes, 0, np.array([100, 50, 100, 50], np.float32))
    seen = (clipped[:, 2:] > clipped[:, :2]).all(axis=1)
    wanted = []
    for class_id in range(3):
        rows = np.flatnonzero(seen & (scores[:, class_id] > np.float32(0.4)))
        kept = rows[reference.nms(clipped[rows], scores[rows, class_id], 0.3)]
        wanted += [(-scores[i, class_id], class_id, tuple(clipped[i].tolist())) for i in kept]
    assert [(-d.score, d.class_id, d.box) for d in found] == sorted(wanted)
    assert len(found) > 10


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_thresholds_are_fractions(threshold: float) -> None:
    with pytest.raises(ValueError, match="^score_threshold: expected 0 to 1"):
        make().to_detections(score_threshold=threshold)
    with pytest.raises(ValueError, match="^iou_threshold: "):
        make().to_detections(iou_threshold=threshold)
