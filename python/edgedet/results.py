"""What the models give back: frozen structures of arrays, checked at birth, ignorant of who made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Union, overload

import numpy as np
import numpy.typing as npt

# ``|`` between types can't be evaluated by Python 3.9, so this alias is written with Union.
Index = Union[int, np.integer, slice, npt.NDArray[Any], Sequence[int], Sequence[bool]]


def _check_rows(result: Any, labels: tuple[str, ...], tables: Mapping[str, int]) -> None:
    """Refuses arrays that are no result: ``scores``, ``class_ids`` and float32 tables (name -> columns)."""
    count = len(result.scores) if np.ndim(result.scores) else 0
    floats = {name: ((count, columns), np.float32) for name, columns in tables.items()}
    rows = {"scores": ((count,), np.float32), **floats, "class_ids": ((count,), np.int32)}
    for name, (shape, dtype) in rows.items():
        array = getattr(result, name)
        if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
            got = f"{array.shape} {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
            raise ValueError(
                f"{name}: expected {shape} {np.dtype(dtype)}, got {got}; give an array with one row for each score"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: expected finite numbers, got NaN or infinity; drop these rows")
    ids = result.class_ids
    if count and not (ids.min() >= 0 and ids.max() < len(labels)):
        raise ValueError(
            f"class_ids: expected indices into {len(labels)} labels, got {ids.min()} to {ids.max()}; "
            "give the labels that the model was trained with"
        )


class Detection(NamedTuple):
    """One detected thing, for people: ``box`` is x1, y1, x2, y2 in pixels of the image."""

    label: str
    score: float
    box: tuple[float, float, float, float]
    class_id: int


@dataclass(frozen=True, eq=False)
class Detections:
    """What a detector found in one image.

    Sorted by score (descending), then class, then the anchor's index.

    Attributes:
        boxes: (N, 4) float32, ``x1 y1 x2 y2`` in pixels of the image that was given.
        scores: (N,) float32 in 0..1.
        class_ids: (N,) int32, indices into ``labels``; background is not counted.
        labels: the vocabulary, not one label per box.
        image_wh: width and height of the image.
    """

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    class_ids: npt.NDArray[np.int32]
    labels: tuple[str, ...]
    image_wh: tuple[int, int]

    def __post_init__(self) -> None:
        _check_rows(self, self.labels, {"boxes": 4})

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detection]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, index: int | np.integer) -> Detection: ...
    @overload
    def __getitem__(self, index: slice | npt.NDArray[Any] | Sequence[int] | Sequence[bool]) -> Detections: ...
    def __getitem__(self, index: Index) -> Detection | Detections:
        """A `Detection` for an int; `Detections` for a slice, a boolean mask or an array of indices."""
        if isinstance(index, (int, np.integer)):
            x1, y1, x2, y2 = self.boxes[index].tolist()
            class_id = int(self.class_ids[index])
            return Detection(self.labels[class_id], float(self.scores[index]), (x1, y1, x2, y2), class_id)
        # An empty list would become a float array, which is no index.
        rows = index if isinstance(index, (slice, np.ndarray)) else np.asarray(index, None if len(index) else np.intp)
        return Detections(self.boxes[rows], self.scores[rows], self.class_ids[rows], self.labels, self.image_wh)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dict per detection with ``label, score, box, class_id``: plain Python, ready for ``json.dumps``."""
        return [{**found._asdict(), "box": list(found.box)} for found in self]

    def to_coco(
        self, image_id: int, category_ids: Sequence[int] | Mapping[int, int] | None = None
    ) -> list[dict[str, Any]]:
        """COCO result entries; ``bbox`` is ``x y width height`` in pixels.

        Args:
            image_id: the image's id in the annotation file.
            category_ids: class id -> category id (``model.spec.category_ids``); None: the class id itself.
        """
        entries = []
        for found in self:
            x1, y1, x2, y2 = found.box
            category = found.class_id if category_ids is None else category_ids[found.class_id]
            bbox = [x1, y1, x2 - x1, y2 - y1]
            entries.append({"image_id": image_id, "category_id": category, "bbox": bbox, "score": found.score})
        return entries

    def to_supervision(self) -> Any:
        """A ``supervision.Detections`` with the class names in ``data["class_name"]``.

        Raises:
            ImportError: supervision is not installed.
        """
        try:
            import supervision
        except ImportError as error:
            raise ImportError("to_supervision: expected supervision, got none; do pip install supervision") from error
        names = np.array([self.labels[i] for i in self.class_ids], dtype=str)
        return supervision.Detections(
            xyxy=self.boxes,
            confidence=self.scores,
            class_id=self.class_ids.astype(int),
            data={"class_name": names},
        )

    def draw(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """A copy of the (H, W, 3) uint8 BGR image with boxes and labels drawn on it."""
        from edgedet.drawing import draw_detections

        return draw_detections(image, self)


class ClassScore(NamedTuple):
    """One class that an image may show, for people; ``score`` is its probability."""

    label: str
    score: float
    class_id: int


@dataclass(frozen=True, eq=False)
class Classification:
    """What a classifier made of one image: its best classes, the best first.

    Iterating gives a `ClassScore` each.

    Attributes:
        class_ids: (K,) int32, indices into ``labels``; K is at least 1.
        scores: (K,) float32, probabilities among all classes, descending; of equal ones the lower class id is first.
        labels: the vocabulary, not one label per row.
    """

    class_ids: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_rows(self, self.labels, {})
        if not len(self.scores) or (np.diff(self.scores) > 0).any():
            raise ValueError(
                f"scores: expected one or more, descending, got {self.scores[:5].tolist()}; sort them with class_ids"
            )

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[ClassScore]:
        return (
            ClassScore(self.labels[class_id], score, class_id)
            for class_id, score in zip(self.class_ids.tolist(), self.scores.tolist())
        )

    @property
    def top(self) -> ClassScore:
        """The best class."""
        return next(iter(self))

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dict per class with ``label, score, class_id``: plain Python, ready for ``json.dumps``."""
        return [found._asdict() for found in self]
