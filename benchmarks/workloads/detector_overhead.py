"""What a Detector adds to its network's own time: everything of a call that is not the runtime's run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

import edgedet
from benchmarks import models
from benchmarks.case import Case, Floor
from benchmarks.peers.published import reference
from edgedet.results import Detections
from edgedet.spec import AnchorHead

FRAME_WH = (1280, 720)
# A street has so many logits above the threshold, or weights drawn at random would tell of another work.
SURVIVORS = range(100, 1001)
RULE = ("score_threshold", "iou_threshold", "activation", "background", "max_per_class", "max_detections", "plus_one")


class Clocked:
    """ONNX Runtime's own session with a watch in its hand."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.seconds = 0.0

    def run(self, *arguments: Any) -> Any:
        """As the session's."""
        began = time.perf_counter()
        values = self._session.run(*arguments)
        self.seconds = time.perf_counter() - began
        return values


def cases(quick: bool) -> Iterator[Case]:
    """SSD-MobileNetV2 on a photograph; the packaged toy when only the answers are asked for."""
    with edgedet.load("demo" if quick else models.published("ssd_mobilenet_v2"), runtime="onnx", threads=1) as model:
        golden = model.bundle.spec.golden[0]
        image = cv2.resize(cv2.imread(str(model.bundle.check(golden.image))), FRAME_WH)
        yield _case(model, image, typical=not quick)


def _case(model: edgedet.Detector, image: np.ndarray, *, typical: bool) -> Case:
    session = model._network._session
    watch = session._session = Clocked(session._session)

    def check(found: Detections) -> None:
        boxes, scores, class_ids, survivors = _truth(model, image)
        assert not typical or survivors in SURVIVORS, f"{survivors} logits above the threshold"
        assert found.class_ids.tolist() == class_ids.tolist() and len(found) > 3
        np.testing.assert_allclose(found.boxes, boxes, atol=0.02)
        np.testing.assert_allclose(found.scores, scores, atol=1e-4)

    return Case(
        "{}, frame of {}×{}".format(model.spec.family, *FRAME_WH),
        lambda: model(image),
        check,
        [Floor("Session.run", lambda: lambda: model(image), 0.05, seconds=lambda _: watch.seconds)],
        seconds=lambda wall: wall - watch.seconds,
        budget_s=4.0,
    )


def _truth(model: edgedet.Detector, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Boxes, scores and class ids of the same network between OpenCV's resize and the slow reference."""
    rule, head = model.spec.input, model.spec.head
    assert isinstance(head, AnchorHead) and rule.resize == "stretch"
    pixels = cv2.resize(image, rule.size_wh)[:, :, :: -1 if rule.color == "rgb" else 1]
    tensor = np.ascontiguousarray(reference().normalize(pixels, rule.mean, rule.std)[None])
    outputs = model._network.run({"image": tensor})
    deltas, logits = outputs["deltas"][0], outputs["logits"][0]
    boxes = reference().decode_boxes(deltas, head.anchors(rule.size_wh), head.variances, head.clip)
    options = {name: getattr(head, name) for name in RULE}
    found = reference().detect(boxes.astype(np.float32), logits, image_wh=FRAME_WH, **options)
    classes = np.delete(logits, head.background, axis=1) if head.background is not None else logits
    return (*found, int((reference().sigmoid(classes) > head.score_threshold).sum()))
