"""The head of a region detector: linear SVMs on what a network makes of a region."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Optional

from edgedet.heads import MAX_CAP, HashedFile, SppHead, fraction, require


@dataclass(frozen=True)
class SvmHead(SppHead):
    """A linear SVM for each class, on a layer's features of a region (He et al. 2015, section 4).

    The labels of the bundle are the SVMs' classes; those that the network itself was trained for don't matter.

    Attributes:
        layer: whose features: ``spp``, or one of the head's, ``fc1`` or ``fc2``.
        normalize: ``l2``: a region's features are divided by their norm; ``none``: they are taken as they are.
        weights: an ``.npz`` of float32: ``weights`` (K, D) and ``bias`` (K,), the log-odds of K classes from D
            features; optional ``box_weights`` (4 K, S) and ``box_bias`` (4 K,), class by class ``ty tx th tw`` from the
            S numbers of a pooled region, normalised likewise.
        proposals: what says where to look if the caller doesn't, ``NAME`` or ``NAME:ARGUMENT`` as
            `edgedet.proposals.make` takes it; none whose argument is a path, for a bundle must not name files outside.
        score_threshold: only what scores strictly more.
        iou_threshold: of two of a class that overlap by more, the better stays.
        max_per_class: at most so many of a class.
        max_detections: at most so many altogether; null: all.
    """

    layer: str
    normalize: Literal["l2", "none"]
    weights: HashedFile
    proposals: str
    score_threshold: float
    iou_threshold: float
    max_per_class: int
    max_detections: Optional[int]

    def __post_init__(self) -> None:
        super().__post_init__()
        safe = re.fullmatch("[a-z_]{1,40}(:[0-9a-z.,]{1,40})?", self.proposals) is not None
        require(safe, "head.proposals", "a name, or a name and plain words or numbers after a colon", self.proposals)
        require(fraction(self.score_threshold), "head.score_threshold", "0 to 1", self.score_threshold)
        require(fraction(self.iou_threshold), "head.iou_threshold", "0 to 1", self.iou_threshold)
        require(0 < self.max_per_class <= MAX_CAP, "head.max_per_class", f"1 to {MAX_CAP}", self.max_per_class)
        cap = self.max_detections
        require(cap is None or 0 < cap <= MAX_CAP, "head.max_detections", f"1 to {MAX_CAP} or null", cap)

    @property
    def files(self) -> tuple[HashedFile, ...]:
        """The files of the bundle that belong to the head."""
        return (self.weights,)

    def columns(self, classes: int) -> int | None:
        """None: the network's own classes are not the SVMs'."""
        return None
