"""`Classification`: checked at birth, frozen, iterated by people, turned into plain Python."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from edgedet.results import Classification, ClassScore


def make(**changes: Any) -> Classification:
    fields: dict[str, Any] = {
        "class_ids": np.array([2, 0], np.int32),
        "scores": np.array([0.75, 0.125], np.float32),
        "labels": ("cat", "dog", "hen"),
    }
    return Classification(**{**fields, **changes})


def test_iterating_gives_labels_scores_and_ids() -> None:
    found = make()
    assert list(found) == [ClassScore("hen", 0.75, 2), ("cat", 0.125, 0)]
    assert found.top == ClassScore("hen", 0.75, 2) and len(found) == 2


def test_dicts_are_plain_python() -> None:
    rows = make().to_dicts()
    assert json.loads(json.dumps(rows)) == rows
    assert rows[1] == {"label": "cat", "score": 0.125, "class_id": 0}


def test_it_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().scores = None  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scores", np.array([0.1, 0.2], np.float32)),
        ("scores", np.array([0.5, np.nan], np.float32)),
        ("scores", np.array([0.5, 0.2])),
        ("scores", None),
        ("class_ids", np.array([2, 3], np.int32)),
        ("class_ids", np.array([-1, 0], np.int32)),
        ("class_ids", np.array([2], np.int32)),
        ("class_ids", np.array([2, 0])),
    ],
)
def test_wrong_array_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected .*, got .*; "):
        make(**{name: value})


def test_there_is_always_a_best_class() -> None:
    with pytest.raises(ValueError, match="^scores: expected one or more"):
        make(scores=np.zeros(0, np.float32), class_ids=np.zeros(0, np.int32))


def test_equal_scores_are_in_order() -> None:
    assert make(scores=np.array([0.5, 0.5], np.float32)).top.class_id == 2
