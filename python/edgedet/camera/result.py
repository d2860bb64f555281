"""What a pipeline hands on for each frame: the frame, what the models made of it, and how long that took."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edgedet.camera.frame import Frame
from edgedet.image import image_wh


class StageTimes(NamedTuple):
    """Seconds that the stages of one frame took, on the monotonic clock.

    Attributes:
        capture: waiting for the source to give the frame.
        queue: waiting for the models to be free.
        preprocess: frame -> the networks' input.
        infer: the networks; the whole call for a model that has no ``timings``.
        postprocess: the networks' output -> result.
    """

    capture: float
    queue: float
    preprocess: float
    infer: float
    postprocess: float


@dataclass(frozen=True, eq=False)
class Result:
    """One frame and what the models made of it. All sinks get the same: its arrays can't be written to.

    Attributes:
        frame: the frame itself.
        outputs: what each model gave, by the model's name (``model`` for a sole one without a name).
        age_s: seconds from the frame's capture to the moment in which this was handed on.
        captured_at: when it was captured, in seconds since 1970 by the system's clock.
        times: seconds of the stages; of several models the sum.
        drops: how many frames of this source have been dropped until now, by reason.
    """

    frame: Frame
    outputs: Mapping[str, Any]
    age_s: float
    captured_at: float
    times: StageTimes
    drops: Mapping[str, int]

    @property
    def detections(self) -> Any:
        """What the first model gave: `Detections` of a `Detector`, or whatever it returns."""
        return next(iter(self.outputs.values()))

    @property
    def image_wh(self) -> tuple[int, int]:
        """Width and height of the frame as a picture, in pixels."""
        return image_wh(self.frame.image, self.frame.color)

    @functools.cached_property
    def picture(self) -> npt.NDArray[np.uint8]:
        """The frame as (H, W, 3) uint8 BGR, made once for all sinks; can't be written to."""
        picture = self.frame.bgr()
        picture.flags.writeable = False
        return picture

    def draw(self) -> npt.NDArray[np.uint8]:
        """A copy of the frame, (H, W, 3) uint8 BGR, with everything drawn on it that can draw itself."""
        picture: npt.NDArray[np.uint8] = self.picture.copy()
        for output in self.outputs.values():
            if hasattr(output, "draw"):
                picture = output.draw(picture)
        return picture

    def to_dict(self) -> dict[str, Any]:
        """Everything but the pixels, ready for ``json.dumps``: a line of the sink ``jsonl``, which describes it."""
        named = len(self.outputs) > 1
        found = [
            {"model": name, **entry} if named else entry
            for name, output in self.outputs.items()
            for entry in _entries(output)
        ]
        return {
            "source": self.frame.source,
            "index": self.frame.index,
            "captured_at": datetime.fromtimestamp(self.captured_at, timezone.utc).isoformat(timespec="milliseconds"),
            "source_s": self.frame.source_s,
            "image_wh": list(self.image_wh),
            "age_s": self.age_s,
            "times_s": self.times._asdict(),
            "drops": dict(self.drops),
            "detections": found,
        }


def _entries(output: Any) -> list[dict[str, Any]]:
    """A model's output as dicts: its own, if it can; else the thing itself."""
    if output is None:
        return []
    entries: list[dict[str, Any]] = output.to_dicts() if hasattr(output, "to_dicts") else [{"value": output}]
    return entries
