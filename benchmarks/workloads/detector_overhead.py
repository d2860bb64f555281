"""What a Detector adds to its network's own time: everything of a call that is not `Session.run`."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

import edgedet
from benchmarks import models
from benchmarks.case import Case, Floor
from edgedet.results import Detections

FRAME_WH = (1280, 720)


def cases(quick: bool) -> Iterator[Case]:
    """SSD-MobileNetV2 on photographs; the packaged toy when only the answers are asked for."""
    with edgedet.load("demo" if quick else models.published("ssd_mobilenet_v2"), threads=1) as model:
        yield _case(model)


def _case(model: edgedet.Detector) -> Case:
    golden = model.bundle.spec.golden[0]
    small = cv2.imread(str(model.bundle.check(golden.image)))
    expected = model.bundle.expected(golden)["boxes"]
    image = cv2.resize(small, FRAME_WH)

    def check(_: Detections) -> None:
        """Of the small picture: the boxes that the checkpoint itself gave; the runtime's last bits may cost a few."""
        found = model(small)
        assert abs(len(found) - len(expected)) <= 0.02 * len(expected)
        gaps = np.abs(found[: len(expected) // 2].boxes[:, None] - expected[None]).max(axis=2)
        assert (gaps.min(axis=1) < 1).all()

    return Case(
        "{}, frame of {}×{}".format(model.spec.family, *FRAME_WH),
        lambda: model(image),
        check,
        [Floor("Session.run", lambda: lambda: model(image), 0.05, seconds=lambda _: model.timings.infer)],
        seconds=lambda wall: wall - model.timings.infer,
        budget_s=4.0,
    )
