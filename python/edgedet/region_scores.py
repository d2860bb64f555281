"""What a region classifier gives back: the scores of every class in every region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from edgedet import _core
from edgedet.results import Classification, Detection, Detections, Index


@dataclass(frozen=True, eq=False)
class RegionScores:
    """How well each class fits each region of one image, in the order of the boxes that were given.

    Attributes:
        boxes: (R, 4) float32, ``x1 y1 x2 y2`` in pixels of the image, as they were given.
        scores: (R, C) float32, probabilities: every row adds up to 1.
        labels: the vocabulary, one name for each column of ``scores``.
        image_wh: width and height of the image.
    """

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    image_wh: tuple[int, int]

    def __post_init__(self) -> None:
        count = len(self.boxes) if np.ndim(self.boxes) else 0
        for name, columns in (("boxes", 4), ("scores", len(self.labels))):
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.shape != (count, columns) or array.dtype != np.float32:
                got = f"{array.shape} {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
                raise ValueError(f"{name}: expected ({count}, {columns}) float32, got {got}; give a row for each box")
            if not np.isfinite(array).all():
                raise ValueError(f"{name}: expected finite numbers, got NaN or infinity; drop these rows")

    def __len__(self) -> int:
        return len(self.boxes)

    def __iter__(self) -> Iterator[Detection]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, index: int | np.integer) -> Detection: ...
    @overload
    def __getitem__(self, index: slice | npt.NDArray[Any] | Sequence[int] | Sequence[bool]) -> RegionScores: ...
    def __getitem__(self, index: Index) -> Detection | RegionScores:
        """A region with its best class for an int; `RegionScores` for a slice, a mask or an array of indices."""
        if isinstance(index, (int, np.integer)):
            x1, y1, x2, y2 = self.boxes[index].tolist()
            class_id = int(self.scores[index].argmax())
            return Detection(self.labels[class_id], float(self.scores[index, class_id]), (x1, y1, x2, y2), class_id)
        # An empty list would become a float array, which is no index.
        rows = index if isinstance(index, (slice, np.ndarray)) else np.asarray(index, None if len(index) else np.intp)
        return RegionScores(self.boxes[rows], self.scores[rows], self.labels, self.image_wh)

    def classification(self, index: int | np.integer, *, top_k: int = 5) -> Classification:
        """The best ``top_k`` classes of one region (all, if there are fewer); of equals the lower class id first."""
        if isinstance(top_k, bool) or not isinstance(top_k, (int, np.integer)) or top_k < 1:
            raise ValueError(f"top_k: expected a whole number from 1, got {top_k!r}; say how many classes to give")
        row = self.scores[index]
        best = np.argsort(-row, kind="stable")[:top_k]
        return Classification(best.astype(np.int32), row[best], self.labels)

    def to_dicts(self, *, top_k: int = 1) -> list[dict[str, Any]]:
        """One dict per region with ``box`` and its best ``classes``: plain Python, ready for ``json.dumps``."""
        return [
            {"box": self.boxes[i].tolist(), "classes": self.classification(i, top_k=top_k).to_dicts()}
            for i in range(len(self))
        ]

    def to_detections(
        self,
        *,
        score_threshold: float = 0.5,
        iou_threshold: float = 0.3,
        max_detections: int | None = None,
        all_classes: bool = False,
    ) -> Detections:
        """What is found in the image if the regions are taken for boxes around things.

        A region counts with its best class, if that scores more than the threshold; of regions of one class that
        overlap by more than ``iou_threshold`` the better stays (0.3 is the paper's). Boxes are clipped to the image;
        what has no area in it is left out.

        Args:
            score_threshold: 0 to 1; only what scores strictly more.
            iou_threshold: 0 to 1.
            max_detections: at most so many of all classes together, the best; None: all.
            all_classes: let a region count with every class that scores more, as evaluations do.
        """
        if not 0 <= score_threshold <= 1:  # NaN too
            raise ValueError(f"score_threshold: expected 0 to 1, got {score_threshold!r}; give a probability")
        boxes = np.clip(self.boxes, 0, np.tile(np.asarray(self.image_wh, np.float32), 2))
        seen = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        passed = self.scores[seen] > np.float32(score_threshold)
        if not all_classes:
            passed &= np.arange(len(self.labels)) == self.scores[seen].argmax(axis=1)[:, None]
        rows, columns = np.nonzero(passed)
        rows = seen[rows]
        found, class_ids = self.scores[rows, columns], columns.astype(np.int32)
        kept = _core.nms(
            boxes[rows], found, iou_threshold, class_ids=class_ids, max_detections=max_detections, plus_one=False
        )
        # Ties by class, then by region, as `Detections` has them.
        kept = kept[np.lexsort((rows[kept], class_ids[kept], -found[kept]))]
        return Detections(boxes[rows[kept]], found[kept], class_ids[kept], self.labels, self.image_wh)
