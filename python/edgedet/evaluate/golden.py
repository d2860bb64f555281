"""What ``golden/`` holds for each task: the final result of an image, made from the checkpoint's raw outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet.classifier import TOP_K, Ranking
from edgedet.detector import Postprocess
from edgedet.errors import BundleError
from edgedet.evaluate.agreement import Agreement, compare_boxes, compare_classes
from edgedet.image import to_tensor
from edgedet.region_postprocess import RegionPostprocess
from edgedet.results import Classification, Detections
from edgedet.spec import AnchorHead, Spec, SvmHead
from edgedet.spp import softmax

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class GoldenTask:
    """How a task's answer is recorded and compared.

    Attributes:
        expect: (spec, raw outputs, BGR image) -> the arrays of the final result.
        compare: (spec, raw outputs found, arrays expected, BGR image) -> how well the final results agree.
    """

    expect: Callable[[Spec, Arrays, npt.NDArray[np.uint8]], dict[str, npt.NDArray[Any]]]
    compare: Callable[[Spec, Arrays, Arrays, npt.NDArray[np.uint8]], Agreement]


def _of_anchors(spec: Spec, raw: Arrays, image: npt.NDArray[np.uint8]) -> Detections:
    _, placed = to_tensor(image, spec.input)
    return Postprocess(spec)(raw, placed)


def _of_regions(spec: Spec, raw: Arrays, image: npt.NDArray[np.uint8]) -> Detections:
    return RegionPostprocess(spec)(raw, (image.shape[1], image.shape[0]))


#: type of the head -> what turns a detector's raw outputs into boxes.
_DETECTORS = {"anchors": _of_anchors, "svm": _of_regions}


def _detections(spec: Spec, raw: Arrays, image: npt.NDArray[np.uint8]) -> Detections:
    if spec.head.type not in _DETECTORS:
        raise BundleError(
            f"model.json: head.type: expected {' or '.join(_DETECTORS)} for the task detect, got {spec.head.type}; "
            "convert the checkpoint again"
        )
    return _DETECTORS[spec.head.type](spec, raw, image)


def _expect_boxes(spec: Spec, raw: Arrays, image: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
    found = _detections(spec, raw, image)
    return {"boxes": found.boxes, "scores": found.scores, "class_ids": found.class_ids}


def _compare_boxes(spec: Spec, raw: Arrays, expected: Arrays, image: npt.NDArray[np.uint8]) -> Agreement:
    try:
        truth = Detections(
            expected["boxes"], expected["scores"], expected["class_ids"], spec.labels, (image.shape[1], image.shape[0])
        )
    except (KeyError, ValueError) as error:
        raise BundleError(f"golden: expected boxes, scores and class_ids, got {error}; convert it again") from error
    found = _detections(spec, raw, image)
    assert isinstance(spec.head, (AnchorHead, SvmHead))  # else there were no detections
    return compare_boxes(found, truth, spec.head.score_threshold)


def _expect_classes(spec: Spec, raw: Arrays, image: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
    found = Ranking(spec)(raw, top_k=TOP_K)
    return {"class_ids": found.class_ids, "scores": found.scores}


def _compare_classes(spec: Spec, raw: Arrays, expected: Arrays, image: npt.NDArray[np.uint8]) -> Agreement:
    try:
        truth = Classification(expected["class_ids"], expected["scores"], spec.labels)
    except (KeyError, ValueError) as error:
        raise BundleError(f"golden: expected class_ids and scores, got {error}; convert it again") from error
    return compare_classes(softmax(raw["logits"][0]), truth)


TASKS = {
    "classify": GoldenTask(_expect_classes, _compare_classes),
    "detect": GoldenTask(_expect_boxes, _compare_boxes),
    # The region that is the whole input is to be what the classifier says.
    "regions": GoldenTask(_expect_classes, _compare_classes),
}


def task_of(spec: Spec) -> GoldenTask:
    """The golden task of a bundle: that of its first task.

    Raises:
        BundleError: this version knows no such task.
    """
    if spec.tasks[0] not in TASKS:
        raise BundleError(
            f"model.json: tasks: expected one of {', '.join(TASKS)}, got {spec.tasks[0]!r}; update edgedet"
        )
    return TASKS[spec.tasks[0]]


def expected_results(spec: Spec, raw: Arrays, image: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of the final result of an image whose raw outputs are known."""
    return task_of(spec).expect(spec, raw, image)
