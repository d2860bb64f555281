"""One picture of a camera or a video, and when it was taken."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgedet.image import to_bgr

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Frame:
    """One captured picture.

    Attributes:
        image: (H, W, 3) uint8 BGR, or as ``color`` says: a YUV frame has another shape.
        index: counts the frames that the source captured, from 0; a gap is frames that were dropped before this one.
        captured_s: `time.monotonic` when the frame was captured, as near to the sensor as the source can tell.
        source_s: the stream's own time (its presentation time stamp) in seconds; None if it has none.
        source: the source's name, without any password.
        color: how the image's colours lie in it, one of `edgedet.image.COLORS`.
    """

    image: Image
    index: int
    captured_s: float
    source_s: float | None
    source: str
    color: str = "bgr"

    def age_s(self, now: float | None = None) -> float:
        """Seconds since the frame was captured, at ``now`` (`time.monotonic`; None: at once)."""
        return (time.monotonic() if now is None else now) - self.captured_s

    def bgr(self) -> Image:
        """The picture as (H, W, 3) uint8 BGR, for drawing; the frame's own memory if it is BGR already."""
        return to_bgr(self.image, self.color)
