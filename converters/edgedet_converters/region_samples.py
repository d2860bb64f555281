"""Which regions of annotated pictures a region detector learns from (He et al. 2015, section 4.1).

Positive is the truth itself. Negative for a class is a proposed region that overlaps every thing of the class by an
IoU of less than 0.3; of negatives that overlap each other by more than 0.7 only one stays. Boxes are regressed from
proposed regions that overlap a thing by 0.5 or more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet import ops
from edgedet.errors import AnnotationError
from edgedet.evaluate.voc import iou
from edgedet.regions import RegionClassifier
from edgedet_converters.annotations import Annotated

Rows = npt.NDArray[np.float32]

NEGATIVE_BELOW = 0.3
DUPLICATE_ABOVE = 0.7
NEAR_FROM = 0.5


@dataclass(frozen=True)
class Picture:
    """The regions of one picture: the truth first, then what was proposed.

    Attributes:
        truth: how many of them are the truth.
        class_ids: (truth,) of the truth.
        boxes: (R, 4) float32.
        overlaps: (R, truth) IoU with the truth.
        ignored: (R,) whether it overlaps what counts neither way.
    """

    truth: int
    class_ids: npt.NDArray[np.int32]
    boxes: Rows
    overlaps: npt.NDArray[np.float64]
    ignored: npt.NDArray[np.bool_]

    def by_class(self, classes: int) -> Rows:
        """(R, classes) the largest IoU with a thing of each class."""
        table = np.zeros((len(self.boxes), classes), np.float32)
        for place, class_id in enumerate(self.class_ids):
            table[:, class_id] = np.maximum(table[:, class_id], self.overlaps[:, place])
        return table

    def distinct(self, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Indices of the truth, and of proposed regions of which no two are near-duplicates; which stay is chance."""
        proposed = rng.permutation(np.flatnonzero(~self.ignored[self.truth :])) + self.truth
        ranks = np.arange(len(proposed), 0, -1).astype(np.float32)
        kept = ops.nms(np.ascontiguousarray(self.boxes[proposed]), ranks, DUPLICATE_ABOVE)
        return np.concatenate([np.arange(self.truth), proposed[kept]])

    def near(self) -> npt.NDArray[np.int64]:
        """Indices of proposed regions near a thing."""
        close = (self.overlaps.max(axis=1, initial=0.0) >= NEAR_FROM) & ~self.ignored
        close[: self.truth] = False
        return np.flatnonzero(close)


def lay_out(annotated: Annotated, proposed: Rows, image_wh: tuple[int, int]) -> Picture:
    """The regions of a picture, cut off at its border.

    Raises:
        AnnotationError: a thing is outside the picture: it was drawn in another, or in one of another size.
    """
    limits = np.tile(np.array(image_wh, np.float32), 2)
    boxes = np.clip(np.concatenate([annotated.boxes, proposed]), 0, limits)
    things = boxes[: len(annotated.boxes)]
    outside = ~(things[:, 2:] > things[:, :2]).all(axis=1)
    if outside.any():
        raise AnnotationError(
            f"{annotated.path}: expected boxes in its {image_wh[0]}×{image_wh[1]} pixels, got "
            f"{annotated.boxes[outside][0].tolist()}; give the pictures at the size in which they were annotated"
        )
    return Picture(
        truth=len(annotated.boxes),
        class_ids=annotated.class_ids,
        boxes=boxes,
        overlaps=iou(boxes, boxes[: len(annotated.boxes)]),
        ignored=iou(boxes, annotated.ignored).max(axis=1, initial=0.0) >= NEGATIVE_BELOW,
    )


def take_features(model: RegionClassifier, image: npt.NDArray[np.uint8], boxes: Rows, layer: str) -> tuple[Rows, Rows]:
    """(R, S) pooled from the feature map, and (R, D) of the layer, from one pass of the trunk."""
    pooled = model.features(image, boxes, "spp")
    return pooled, pooled if layer == "spp" else np.concatenate(list(_through_head(model, pooled, layer)))


def _through_head(model: RegionClassifier, pooled: Rows, layer: str) -> Iterator[Rows]:
    for begin in range(0, max(len(pooled), 1), model.most_rows):
        yield model.run_head(pooled[begin : begin + model.most_rows])[layer]


class Reservoir:
    """Keeps rows, and of too many an even sample.

    Args:
        most: how many to keep.
        rng: decides which.
    """

    def __init__(self, most: int, rng: np.random.Generator) -> None:
        self._most, self._rng = most, rng
        self._parts: list[tuple[npt.NDArray[Any], ...]] = []
        self._keys = np.zeros(0)

    def add(self, *columns: npt.NDArray[Any]) -> None:
        """Offers rows; every call has the same columns."""
        self._parts.append(columns)
        # A row stays if its random key is among the smallest of all that were ever offered.
        self._keys = np.concatenate([self._keys, self._rng.random(len(columns[0]))])
        if len(self._keys) > 2 * self._most:
            self._shrink()

    def _shrink(self) -> None:
        joined = tuple(np.concatenate(column) for column in zip(*self._parts))
        kept = np.sort(np.argsort(self._keys, kind="stable")[: self._most])
        self._parts, self._keys = [tuple(column[kept] for column in joined)], self._keys[kept]

    def rows(self) -> tuple[npt.NDArray[Any], ...]:
        """The columns of what was kept."""
        self._shrink()
        return self._parts[0]

    def __len__(self) -> int:
        return min(len(self._keys), self._most)
