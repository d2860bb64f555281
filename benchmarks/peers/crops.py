"""One crop per region, as R-CNN does it (Girshick et al. 2014): warp it to the network's input, run the network on it.

The same sessions as the region classifier's, with as many threads, one crop at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from edgedet import ops
from edgedet.regions import RegionClassifier
from edgedet.spp import probabilities


class Crops:
    """A region classifier's networks, used the slow way."""

    def __init__(self, model: RegionClassifier, threads: int) -> None:
        """Takes an open model and the threads that its pooling may use."""
        self._model = model
        self._threads = threads

    def features(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """(R, C·Σb²): each crop through the trunk, its whole map pooled."""
        return np.concatenate(list(self._rows(image, boxes)))

    def scores(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """(R, classes): each crop through the whole network."""
        run = self._model.run_head
        return np.concatenate([probabilities(run(row)["logits"]) for row in self._rows(image, boxes)])

    def _rows(self, image: np.ndarray, boxes: np.ndarray) -> Iterator[np.ndarray]:
        model, rule = self._model, self._model.spec.input
        columns, rows = model.head.grid(rule.size_wh).feature_wh
        whole = np.array([[0, 0, columns, rows]], np.int32)
        for x0, y0, x1, y1 in np.rint(boxes).astype(int).tolist():
            crop = cv2.resize(image[y0:y1, x0:x1], rule.size_wh, interpolation=cv2.INTER_LINEAR)
            tensor = ops.normalize(crop, rule.mean, rule.std, swap_rb=rule.color == "rgb")
            yield ops.spp_pool(model.feature_map(tensor[None]), whole, model.head.levels, threads=self._threads)
