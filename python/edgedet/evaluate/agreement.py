"""How far two answers to the same question are apart: raw tensors, boxes matched one to one, ranked classes.

Each kind of agreement prints itself and judges itself against what a precision is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edgedet.results import Classification, Detections


@dataclass(frozen=True)
class Limits:
    """What a precision is allowed.

    Attributes:
        max_rel: of a raw tensor, see `RawAgreement`.
        cosine: at least, of a raw tensor.
        max_fraction: of a coordinate, see `BoxAgreement`.
        max_score: of a score.
        unmatched: missing and extra boxes together, as a fraction of the checkpoint's boxes.
        misplaced: of the best classes, see `ClassAgreement`.
    """

    max_rel: float
    cosine: float
    max_fraction: float
    max_score: float
    unmatched: float
    misplaced: int


class Agreement(Protocol):
    """What every kind of agreement can do."""

    def row(self) -> str:
        """The measurements in a line."""
        ...

    def faults(self, limits: Limits) -> Iterator[str]:
        """A sentence for each limit that is passed."""
        ...


@dataclass(frozen=True)
class RawAgreement:
    """A tensor against the checkpoint's own.

    Attributes:
        role: which tensor.
        max_abs: the largest difference of two elements.
        max_rel: that, as a fraction of the checkpoint's largest magnitude.
        cosine: of the angle between the two, taken as vectors.
    """

    role: str
    max_abs: float
    max_rel: float
    cosine: float

    def row(self) -> str:
        """See `Agreement`."""
        return f"{self.role:<8} max abs {self.max_abs:.2e}  relative {self.max_rel:.2e}  cosine {self.cosine:.7f}"

    def faults(self, limits: Limits) -> Iterator[str]:
        """See `Agreement`."""
        if not (self.max_rel <= limits.max_rel and self.cosine >= limits.cosine):
            yield (
                f"{self.role}: expected relative error up to {limits.max_rel:g} and cosine from {limits.cosine:g}, "
                f"got {self.max_rel:.2e} and {self.cosine:.7f}"
            )


def compare_raw(role: str, found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> RawAgreement:
    """Compares two tensors of one shape; other shapes or a NaN anywhere make the agreement infinitely bad."""
    if found.shape != expected.shape:
        return RawAgreement(role, float("inf"), float("inf"), -1.0)
    a, b = found.astype(np.float64).ravel(), expected.astype(np.float64).ravel()
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return RawAgreement(role, float("inf"), float("inf"), -1.0)
    largest, scale = float(np.abs(a - b).max(initial=0.0)), float(np.abs(b).max(initial=0.0))
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    cosine = float(a @ b) / norms if norms else float(largest == 0.0)
    return RawAgreement(role, largest, largest / scale if scale else (0.0 if largest == 0 else float("inf")), cosine)


@dataclass(frozen=True)
class BoxAgreement:
    """Boxes against the checkpoint's own, of one image.

    Attributes:
        matched: pairs of the same class that overlap by more than half.
        missing: boxes of the checkpoint that have no partner.
        extra: boxes that the checkpoint doesn't give.
        max_pixels: the largest difference of two coordinates among the pairs.
        max_fraction: that, as a fraction of the image's longer side.
        max_score: the largest difference of two scores among the pairs.
        margins: by how much the score of each missing and extra box is above the threshold.
    """

    matched: int
    missing: int
    extra: int
    max_pixels: float
    max_fraction: float
    max_score: float
    margins: tuple[float, ...] = ()

    def row(self) -> str:
        """See `Agreement`."""
        return (
            f"boxes    {self.matched} matched, {self.missing} missing, {self.extra} extra; "
            f"at most {self.max_pixels:.4f} px and {self.max_score:.6f} in score apart"
        )

    def faults(self, limits: Limits) -> Iterator[str]:
        """See `Agreement`."""
        expected = self.matched + self.missing
        allowed = int(limits.unmatched * expected)
        # What is as near the threshold as the scores are uncertain, is on either side of it by chance.
        chance = sum(margin <= min(self.max_score, limits.max_score) for margin in self.margins)
        if self.missing + self.extra - chance > allowed:
            yield (
                f"boxes: expected up to {allowed} unmatched of {expected}, got {self.missing} missing and "
                f"{self.extra} extra" + (f", {chance} of them near the threshold" if chance else "")
            )
        if not (self.max_fraction <= limits.max_fraction and self.max_score <= limits.max_score):
            yield (
                f"boxes: expected corners within {limits.max_fraction:g} of the image's side and scores within "
                f"{limits.max_score:g}, got {self.max_fraction:.2e} and {self.max_score:.2e}"
            )


def _iou(box: npt.NDArray[Any], boxes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    inner = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    overlap = np.prod(np.maximum(inner, 0), axis=1)
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    union = areas + np.prod(np.maximum(box[2:] - box[:2], 0)) - overlap
    # Two empty boxes at the same place are the same answer.
    same = (boxes == box).all(axis=1)
    return np.where(same, 1.0, np.divide(overlap, union, out=np.zeros_like(union), where=union > 0))


def match_boxes(found: Detections, expected: Detections) -> list[tuple[int, int]]:
    """Pairs (found, expected) of one class, the best expected first, each with the found box it overlaps most."""
    pairs, taken = [], np.zeros(len(found), bool)
    found_boxes, expected_boxes = found.boxes.astype(np.float64), expected.boxes.astype(np.float64)
    for j in range(len(expected)):
        candidates = np.flatnonzero((found.class_ids == expected.class_ids[j]) & ~taken)
        if len(candidates):
            overlaps = _iou(expected_boxes[j], found_boxes[candidates])
            best = int(overlaps.argmax())
            if overlaps[best] > 0.5:
                taken[candidates[best]] = True
                pairs.append((int(candidates[best]), j))
    return pairs


def compare_boxes(found: Detections, expected: Detections, threshold: float = 0.0) -> BoxAgreement:
    """Matches the boxes of one image one to one and measures what is left between them.

    Args:
        found: the boxes in question.
        expected: the checkpoint's own.
        threshold: the score that both had to exceed.
    """
    pairs = match_boxes(found, expected)
    i, j = (list(column) for column in zip(*pairs)) if pairs else ([], [])
    pixels = float(np.abs(found.boxes[i] - expected.boxes[j]).max(initial=0.0))
    score = float(np.abs(found.scores[i] - expected.scores[j]).max(initial=0.0))
    missing, extra = len(expected) - len(pairs), len(found) - len(pairs)
    unmatched = np.concatenate([np.delete(found.scores, i), np.delete(expected.scores, j)])
    margins = tuple(sorted((unmatched - np.float32(threshold)).tolist()))
    return BoxAgreement(len(pairs), missing, extra, pixels, pixels / max(expected.image_wh), score, margins)


@dataclass(frozen=True)
class ClassAgreement:
    """The best classes against the checkpoint's own, of one image.

    Attributes:
        top: how many were compared.
        misplaced: how many of the checkpoint's are not at their own place.
        max_score: the largest difference of the two scores of one of them.
    """

    top: int
    misplaced: int
    max_score: float

    def row(self) -> str:
        """See `Agreement`."""
        places = f"{self.misplaced} of the top {self.top} misplaced" if self.misplaced else f"top {self.top} identical"
        return f"classes  {places}; at most {self.max_score:.6f} in score apart"

    def faults(self, limits: Limits) -> Iterator[str]:
        """See `Agreement`."""
        if self.misplaced > limits.misplaced:
            yield (f"classes: expected up to {limits.misplaced} misplaced of the top {self.top}, got {self.misplaced}")
        if not self.max_score <= limits.max_score:
            yield f"classes: expected scores within {limits.max_score:g}, got {self.max_score:.2e}"


def compare_classes(scores: npt.NDArray[Any], expected: Classification) -> ClassAgreement:
    """Compares the (C,) scores of all classes with the best ones expected; a NaN makes it infinitely bad."""
    top = len(expected)
    if not np.isfinite(scores).all():
        return ClassAgreement(top, top, float("inf"))
    best = np.argsort(-scores, kind="stable")[:top]
    apart = float(np.abs(scores[expected.class_ids] - expected.scores).max())
    return ClassAgreement(top, int(np.count_nonzero(best != expected.class_ids)), apart)
