"""A detector's own boxes: it finds, another model names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from edgedet import ops, tasks
from edgedet.detector import Detector
from edgedet.proposals import Boxes
from edgedet.region_detector import RegionDetector

HELP = "what a detector finds, of whatever class; the argument is its bundle (demo: the packaged toy)"
TAKES_PATH = True
SCORE_THRESHOLD = 0.3


@dataclass(frozen=True, eq=False)
class DetectorBoxes:
    """The boxes of a detector, its classes forgotten: what several classes claim is one box.

    Attributes:
        model: an open detector; closing it is its owner's work.
        score_threshold: only what scores strictly more.
        iou_threshold: of two boxes that overlap by more, of whatever classes, the better stays.
        max_boxes: at most so many, the best first; None: all.
    """

    model: Union[Detector, RegionDetector]
    score_threshold: float = SCORE_THRESHOLD
    iou_threshold: float = 0.7
    max_boxes: int | None = None

    def __call__(self, image: npt.NDArray[Any]) -> Boxes:
        """(N, 4) float32 boxes in the (H, W, 3) uint8 BGR image, the best first."""
        found = self.model(image, score_threshold=self.score_threshold)
        kept = ops.nms(found.boxes, found.scores, self.iou_threshold, max_detections=self.max_boxes)
        return np.ascontiguousarray(found.boxes[kept])


def make(argument: str | None) -> DetectorBoxes:
    """See `edgedet.proposals.make`; the bundle stays open as long as the object lives."""
    if not argument:
        raise ValueError("detector: expected a detector's bundle, got none; do detector:models/ssd_mobilenet_v2")
    return DetectorBoxes(tasks.load(argument, task="detect"))
