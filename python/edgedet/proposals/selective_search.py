"""Selective search (Uijlings et al. 2013), by OpenCV's contrib modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet.image import to_bgr
from edgedet.proposals import Boxes, _contrib

HELP = "selective search, needs opencv-contrib-python; the argument is fast or quality (fast)"
MODES = {"fast": "switchToSelectiveSearchFast", "quality": "switchToSelectiveSearchQuality"}


@dataclass(frozen=True)
class SelectiveSearch:
    """Segments that belong together, merged step by step, and the box of each.

    Attributes:
        mode: ``fast`` (some seconds for a megapixel), or ``quality``: more boxes in more time.
        max_boxes: at most so many, the best first; the paper's pipelines use 2000.
    """

    mode: str = "fast"
    max_boxes: int = 2000

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"selective_search: expected one of {', '.join(MODES)}, got {self.mode!r}; correct it")
        _contrib.check_most(self.max_boxes)
        _contrib.ximgproc()

    def __call__(self, image: npt.NDArray[Any]) -> Boxes:
        """(N, 4) float32 boxes in the (H, W, 3) uint8 BGR image."""
        search = _contrib.ximgproc().segmentation.createSelectiveSearchSegmentation()
        search.setBaseImage(np.ascontiguousarray(to_bgr(image)))
        getattr(search, MODES[self.mode])()
        return _contrib.corners(search.process()[: self.max_boxes])


def make(argument: str | None) -> SelectiveSearch:
    """See `edgedet.proposals.make`."""
    return SelectiveSearch() if argument is None else SelectiveSearch(mode=argument)
