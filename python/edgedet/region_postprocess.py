"""From what SVMs say of regions to what an image shows: scores, regression of boxes, suppression, caps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet import ops
from edgedet.errors import BundleError, InferenceError
from edgedet.results import Detections
from edgedet.spec import Spec, SvmHead

FloatArray = npt.NDArray[np.float32]


class RegionPostprocess:
    """What the SVMs say of an image's regions -> `Detections`, as ``model.json``'s head says. Needs no network."""

    def __init__(self, spec: Spec) -> None:
        """Takes the head and the labels.

        Raises:
            BundleError: the head is not one of SVMs.
        """
        self.head = svm_head(spec)
        self.labels = spec.labels

    def __call__(
        self,
        outputs: Mapping[str, npt.NDArray[Any]],
        image_wh: tuple[int, int],
        *,
        score_threshold: float | None = None,
        iou_threshold: float | None = None,
        max_detections: int | None = None,
    ) -> Detections:
        """``regions`` (R, 4) in pixels, ``logits`` (R, K) and ``deltas`` (R, 4 K) or (R, 0) -> what the image shows."""
        head = self.head
        least = head.score_threshold if score_threshold is None else score_threshold
        if not 0 <= least <= 1:  # NaN too
            raise ValueError(f"score_threshold: expected 0 to 1, got {least!r}; give a probability")
        logits = outputs["logits"]
        if not np.isfinite(logits).all():
            raise InferenceError("logits: expected finite numbers, got NaN or infinity; verify the bundle")
        with np.errstate(over="ignore"):
            scores = np.asarray(1 / (1 + np.exp(-logits.astype(np.float64))), np.float32)
        rows, class_ids = (axis.astype(np.int32) for axis in np.nonzero(scores > np.float32(least)))
        boxes = _moved(outputs["regions"][rows], _of_class(outputs["deltas"], rows, class_ids), image_wh)
        seen = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        rows, class_ids, boxes = rows[seen], class_ids[seen], boxes[seen]
        found = scores[rows, class_ids]
        kept = ops.nms(
            boxes, found, head.iou_threshold if iou_threshold is None else iou_threshold, class_ids=class_ids
        )
        # Ties by class, then by region, as `Detections` has them.
        kept = kept[np.lexsort((rows[kept], class_ids[kept], -found[kept]))]
        kept = kept[_places(class_ids[kept]) < head.max_per_class]
        kept = kept[: head.max_detections if max_detections is None else _count(max_detections)]
        return Detections(boxes[kept], found[kept], class_ids[kept], self.labels, image_wh)


def l2_normalized(features: FloatArray) -> FloatArray:
    """(R, D) rows of norm 1; a row of zeros stays one."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(np.divide(features, norms, out=np.zeros_like(features), where=norms > 0))


def svm_head(spec: Spec) -> SvmHead:
    """The head of a bundle with SVMs.

    Raises:
        BundleError: its head is another.
    """
    if not isinstance(spec.head, SvmHead):
        raise BundleError(f"model.json: head.type: expected svm, got {spec.head.type}; see the bundle's tasks")
    return spec.head


def _of_class(deltas: FloatArray, rows: npt.NDArray[np.int32], class_ids: npt.NDArray[np.int32]) -> FloatArray:
    """(N, 4) the deltas of a region for a class; zeros where there is no regression."""
    if not deltas.shape[1]:
        return np.zeros((len(rows), 4), np.float32)
    return np.ascontiguousarray(deltas.reshape(len(deltas), deltas.shape[1] // 4, 4)[rows, class_ids])


def _moved(regions: FloatArray, deltas: FloatArray, image_wh: tuple[int, int]) -> FloatArray:
    """(N, 4) the regions moved by their deltas, in pixels, cut off at the image's border."""
    size = np.tile(np.asarray(image_wh, np.float32), 2)
    unit = np.clip(regions, 0, size) / size
    corner, end = unit[:, 1::-1], unit[:, :1:-1]
    anchors = np.concatenate([(corner + end) / 2, end - corner], axis=1)
    return ops.decode_boxes(deltas, np.ascontiguousarray(anchors, np.float32), variances=(1.0, 1.0), clip=True) * size


def _places(class_ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """(N,) how many of its class come before each."""
    order = np.argsort(class_ids, kind="stable")
    sorted_ids = class_ids[order]
    places = np.empty(len(class_ids), np.int64)
    places[order] = np.arange(len(class_ids)) - np.searchsorted(sorted_ids, sorted_ids)
    return places


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"max_detections: expected a whole number from 1 or None, got {value!r}; give a count")
    return int(value)
