"""Edge Boxes (Zitnick and Dollár 2014), by OpenCV's contrib modules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgedet.errors import SourceError
from edgedet.image import to_bgr
from edgedet.proposals import Boxes, _contrib

HELP = "Edge Boxes, needs opencv-contrib-python; the argument is OpenCV's structured edge model, model.yml.gz"
TAKES_PATH = True
_ADDRESS = "https://github.com/opencv/opencv_extra/raw/master/testdata/cv/ximgproc/model.yml.gz"

_DIVISORS = ("stride", "shrinkNumber", "patchSize", "patchInnerSize", "numberOfTrees", "numberOfTreesToEvaluate")


@dataclass(frozen=True)
class EdgeBoxes:
    """Boxes that wholly contain many contours.

    Attributes:
        model: the file of the structured edge detector's forest, ``model.yml.gz`` of OpenCV's opencv_extra. OpenCV
            trusts what is in it: so must you.
        max_boxes: at most so many, the best first.
    """

    model: Path
    max_boxes: int = 2000

    def __post_init__(self) -> None:
        _contrib.check_most(self.max_boxes)
        self._detector()

    def _detector(self) -> Any:
        ximgproc = _contrib.ximgproc()
        if not Path(self.model).is_file():
            raise SourceError(f"{self.model}: expected a structured edge model, got no file; download {_ADDRESS}")
        try:
            _check_options(str(self.model))
            return ximgproc.createStructuredEdgeDetection(str(self.model))
        except (cv2.error, ValueError, SystemError) as error:
            why = " ".join(str(error).split())[:200]
            raise SourceError(
                f"{self.model}: expected a structured edge model, got {why}; download {_ADDRESS}"
            ) from error

    def __call__(self, image: npt.NDArray[Any]) -> Boxes:
        """(N, 4) float32 boxes in the (H, W, 3) uint8 BGR image."""
        detector, ximgproc = self._detector(), _contrib.ximgproc()
        rgb = np.ascontiguousarray(to_bgr(image)[..., ::-1], np.float32) / np.float32(255)
        edges = detector.detectEdges(rgb)
        directions = detector.computeOrientation(edges)
        finder = ximgproc.createEdgeBoxes()
        finder.setMaxBoxes(self.max_boxes)
        found = finder.getBoundingBoxes(detector.edgesNms(edges, directions), directions)
        # OpenCV 4 gives boxes and scores, older versions the boxes alone.
        return _contrib.corners(found[0] if isinstance(found, tuple) else found)


def _check_options(path: str) -> None:
    """Raises ValueError where OpenCV would end the process: it divides by these numbers without a look."""
    storage = cv2.FileStorage(path, cv2.FileStorage_READ)
    options = storage.getNode("options")
    for name in _DIVISORS:
        node = None if options.empty() or not options.isMap() else options.getNode(name)
        if node is None or not node.isInt() or not 1 <= node.real() <= 1e6:
            raise ValueError(f"no number for options.{name}")


def make(argument: str | None) -> EdgeBoxes:
    """See `edgedet.proposals.make`."""
    if not argument:
        raise ValueError("edge_boxes: expected a structured edge model, got none; do edge_boxes:model.yml.gz")
    return EdgeBoxes(Path(argument))
