"""How far two answers are apart: what counts as a difference, and what is chance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edgedet.evaluate.agreement import Limits, compare_boxes, compare_raw, match_boxes
from edgedet.results import Detections

LIMITS = Limits(max_rel=1e-3, cosine=0.999, max_fraction=0.01, max_score=0.05, unmatched=0.0, misplaced=0)


def detections(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4].copy(), table[:, 4].copy(), table[:, 5].astype(np.int32), ("cat", "dog"), (100, 50))


def test_raw_difference_is_measured_against_the_largest_magnitude() -> None:
    agreement = compare_raw("deltas", np.array([1.0, -3.5]), np.array([1.0, -4.0]))
    assert agreement.max_abs == 0.5 and agreement.max_rel == 0.125
    assert agreement.cosine == pytest.approx((1 + 14) / np.sqrt((1 + 12.25) * 17))


@pytest.mark.parametrize("found", [np.zeros(3), np.array([np.nan, 0.0]), np.array([np.inf, 0.0])])
def test_other_shapes_and_what_is_not_finite_are_infinitely_bad(found: np.ndarray) -> None:
    agreement = compare_raw("logits", found, np.array([1.0, 2.0]))
    assert agreement.max_rel == np.inf and list(agreement.faults(LIMITS))


def test_zeros_agree_with_zeros_only() -> None:
    assert compare_raw("x", np.zeros(3), np.zeros(3)).max_rel == 0
    assert compare_raw("x", np.full(3, 1e-9), np.zeros(3)).max_rel == np.inf


def test_equal_boxes_have_no_fault() -> None:
    boxes = detections((10, 10, 40, 40, 0.9, 0), (10, 10, 40, 40, 0.8, 1), (5, 5, 5, 5, 0.7, 0))
    agreement = compare_boxes(boxes, boxes, 0.5)
    assert dataclasses.astuple(agreement)[:6] == (3, 0, 0, 0.0, 0.0, 0.0)
    assert list(agreement.faults(LIMITS)) == []


def test_boxes_match_within_a_class_and_by_overlap() -> None:
    expected = detections((0, 0, 20, 20, 0.9, 0), (50, 0, 70, 20, 0.8, 0))
    found = detections((50, 0, 70, 21, 0.85, 0), (0, 0, 20, 20, 0.6, 1), (0, 0, 20, 12, 0.5, 0))
    assert match_boxes(found, expected) == [(2, 0), (0, 1)]
    agreement = compare_boxes(found, expected)
    assert (agreement.matched, agreement.missing, agreement.extra) == (2, 0, 1)
    assert agreement.max_pixels == 8 and agreement.max_fraction == 0.08
    assert agreement.max_score == pytest.approx(0.4)


def test_a_box_far_from_the_threshold_must_be_there() -> None:
    expected = detections((0, 0, 20, 20, 0.9, 0), (50, 0, 70, 20, 0.56, 0))
    found = detections((0, 0, 20, 20, 0.88, 0))
    (fault,) = compare_boxes(found, expected, 0.5).faults(LIMITS)
    assert fault.startswith("boxes: expected up to 0 unmatched of 2, got 1 missing and 0 extra")


def test_a_box_as_near_the_threshold_as_scores_are_uncertain_is_chance() -> None:
    expected = detections((0, 0, 20, 20, 0.9, 0), (50, 0, 70, 20, 0.51, 0))
    assert list(compare_boxes(detections((0, 0, 20, 20, 0.88, 0)), expected, 0.5).faults(LIMITS)) == []
    # Where all other scores are equal to the last bit, nothing is uncertain.
    assert list(compare_boxes(detections((0, 0, 20, 20, 0.9, 0)), expected, 0.5).faults(LIMITS))
    # However bad the scores, only so much is excused, and they are a fault themselves.
    bad = detections((0, 0, 20, 20, 0.6, 0))
    far = detections((0, 0, 20, 20, 0.9, 0), (50, 0, 70, 20, 0.56, 0))
    assert len(list(compare_boxes(bad, far, 0.5).faults(LIMITS))) == 2
