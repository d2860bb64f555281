"""Region classification: the trunk once over the whole image, any number of regions pooled from its map."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet import ops
from edgedet.bundle import Bundle
from edgedet.image import to_bgr, to_tensor
from edgedet.region_scores import RegionScores
from edgedet.spp import SppModel, probabilities
from edgedet.strict import short
from edgedet.views import View, check_boxes, check_scales, views

FloatArray = npt.NDArray[np.float32]
#: What the paper calls the layers that `RegionClassifier.features` gives.
PAPER_LAYERS = {"pool5": "spp", "fc6": "fc1", "fc7": "fc2"}


class RegionClassifier(SppModel):
    """Says what regions of an image show, at little more than the cost of one pass over it (He et al. 2015).

    The image is resized until its shorter side is ``shorter_side`` pixels, and goes through the trunk once; a region is
    the feature cells whose centres lie in its box, is pooled to a row of fixed length, and only that goes through the
    head. Regions with the same cells are computed once.

    What any box means:

    * What lies outside the image is cut off; of a box wholly outside, the cell nearest to it counts.
    * A box that holds no cell's centre (very small, of no area, or inverted) takes the cell nearest to its middle.
    * No boxes give a result without rows. NaN and infinity are a `ValueError` that names the box.
    * Memory is bounded however many boxes there are, but for the answer: they go through the head in batches.
    * An image of extreme aspect is enlarged to 4 194 304 pixels and sides of 16 384 at most, so that its shorter side
      may become less than ``shorter_side``; a side too short for the trunk is stretched to the shortest it takes.
    """

    def __init__(
        self, bundle: Bundle, *, device: str = "auto", runtime: str = "auto", threads: int | None = None
    ) -> None:
        """See `edgedet.load`."""
        super().__init__(bundle, device=device, runtime=runtime, threads=threads)
        self._threads = threads or len(os.sched_getaffinity(0))

    def __call__(  # type: ignore[override]
        self,
        image: npt.NDArray[Any],
        boxes: npt.ArrayLike,
        *,
        shorter_side: int | None = None,
        scales: Sequence[int] | str | None = None,
        flip: bool = False,
        color: str = "bgr",
    ) -> RegionScores:
        """Scores every class in every region of one image.

        Args:
            image: (H, W, 3) uint8; grey and alpha are understood too.
            boxes: (R, 4) float32, or what NumPy makes of other numbers, ``x1 y1 x2 y2`` in pixels of the image.
            shorter_side: pixels of the resized image's shorter side; None: the bundle's (688 for the published model).
            scales: several shorter sides instead: a region is looked at where its area is nearest to 224×224 pixels;
                ``paper`` for the paper's 480, 576, 688, 864 and 1200. Scales that no region needs are not computed.
            flip: average with the scores of the mirrored image.
            color: how the image's colours lie in it, one of `edgedet.image.COLORS`.

        Raises:
            ValueError: the image, the boxes or an argument is wrong; names it.
            InferenceError: the runtime failed, or the model is closed.
        """
        picture, checked = to_bgr(image, color), check_boxes(boxes)
        sides = check_scales(shorter_side, scales, self.head.shorter_side)
        height, width = picture.shape[:2]
        scores = np.zeros((len(checked), len(self.labels)), np.float32)
        with self._timed() as watch:
            for mirrored in (False, True) if flip else (False,):
                looks = _mirror(picture, checked) if mirrored else (picture, checked)
                for view in views(*looks, sides, self.spec.input, self.head):
                    watch.lap()
                    for rows, which, pooled in self._pooled(view):
                        logits = self.run_head(pooled)["logits"]
                        watch.lap()
                        scores[rows] += probabilities(logits)[which]
                        watch.lap(back_to=1)
                    watch.lap(back_to=0)
        if flip:
            scores *= np.float32(0.5)
        return RegionScores(checked, scores, self.labels, (width, height))

    def features(
        self,
        image: npt.NDArray[Any],
        boxes: npt.ArrayLike,
        layer: str = "spp",
        *,
        shorter_side: int | None = None,
        scales: Sequence[int] | str | None = None,
        color: str = "bgr",
    ) -> npt.NDArray[np.float32]:
        """What a layer makes of every region: for training a classifier of one's own.

        Args:
            image: see `__call__`, as boxes, shorter_side, scales and color.
            boxes: (R, 4).
            layer: ``spp``, the pooled features before the head, or one of the head's: ``fc1``, ``fc2`` (after their
                ReLU), ``logits``. The paper's names do as well: ``pool5``, ``fc6``, ``fc7``.
            shorter_side: in pixels.
            scales: several instead.
            color: of the image's channels.

        Returns:
            (R, D) float32; D is C·Σb² for ``spp`` (12 800 in the published model: 51 kB a region), else the layer's
            width.

        Raises:
            ValueError: an argument is wrong; names it.
            InferenceError: the runtime failed, or the model is closed.
        """
        picture, checked = to_bgr(image, color), check_boxes(boxes)
        sides = check_scales(shorter_side, scales, self.head.shorter_side)
        role = self._layer(layer)
        if not len(checked):  # a row is run to learn its width
            height, width = picture.shape[:2]
            return self.features(picture, [[0, 0, width, height]], layer, shorter_side=sides[0])[:0]
        parts = views(picture, checked, sides, self.spec.input, self.head)
        collect = self._collect_pooled if role == "spp" else self._collect
        return _scattered(((rows, values) for view in parts for rows, values in collect(view, role)), len(checked))

    def _collect_pooled(self, view: View, _: str) -> Iterator[tuple[npt.NDArray[np.int64], FloatArray]]:
        features = self.feature_map(view.tensor)
        yield view.rows, ops.spp_pool(features, view.windows, self.head.levels, threads=self._threads)

    def _collect(self, view: View, role: str) -> Iterator[tuple[npt.NDArray[np.int64], FloatArray]]:
        for rows, which, pooled in self._pooled(view):
            yield rows, self.run_head(pooled)[role][which]

    def _layer(self, name: str) -> str:
        role = PAPER_LAYERS.get(name, name)
        have = ["spp", *sorted(self._networks["head"].outputs)]
        if role not in have:
            raise ValueError(f"layer: expected one of {', '.join(have)}, got {short(name)}; name a layer of the bundle")
        return role

    def _pooled(self, view: View) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]]:
        """The view's regions in batches: which boxes, the row of each in the batch, and the batch's pooled rows.

        The rows are overwritten by the next batch's.
        """
        windows, which = view.distinct()
        order = np.argsort(which, kind="stable")
        features = self.feature_map(view.tensor)
        size = min(self.most_rows, len(windows))
        # One array for all batches: the pages of a new one cost as much as pooling.
        rows = np.empty((size, len(features) * self.head.bins), np.float32)
        for begin in range(0, len(windows), size):
            batch = windows[begin : begin + size]
            part = order[slice(*np.searchsorted(which[order], (begin, begin + len(batch))))]
            pooled = ops.spp_pool(features, batch, self.head.levels, threads=self._threads, out=rows[: len(batch)])
            yield view.rows[part], which[part] - begin, pooled

    def raw(self, image: npt.NDArray[Any], *, color: str = "bgr") -> dict[str, npt.NDArray[Any]]:
        """The ``logits`` (1, C) of the region that is the whole of the bundle's input: those of its classifier."""
        tensor, placed = to_tensor(image, self.spec.input, color=color)
        whole = np.array([[0, 0, *placed.input_wh]], np.float32)
        windows = ops.project_regions(whole, **self.head.grid(placed.input_wh)._asdict())
        ((_, _, pooled),) = self._pooled(View(tensor, np.zeros(1, np.int64), windows))
        return {"logits": self.run_head(pooled)["logits"]}

    def rehearse(self, image: npt.NDArray[Any]) -> RegionScores:
        """One whole call on a BGR image and 55 regions of it: the whole, its quarters, its ninths, and so on."""
        height, width = image.shape[:2]
        cells = [(x, y, n) for n in range(1, 6) for y in range(n) for x in range(n)]
        boxes = [(x / n * width, y / n * height, (x + 1) / n * width, (y + 1) / n * height) for x, y, n in cells]
        return self(image, np.array(boxes, np.float32))


def _mirror(
    image: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """The image as a mirror shows it, and the boxes on the same things."""
    width = np.float32(image.shape[1])
    mirrored = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)
    return image[:, ::-1], mirrored


def _scattered(parts: Iterator[tuple[npt.NDArray[np.int64], FloatArray]], count: int) -> FloatArray:
    """The rows of all parts in their places; one part that has all of them is given as it is."""
    found: FloatArray | None = None
    for rows, values in parts:
        if len(rows) == count and np.array_equal(rows, np.arange(count)):
            return values
        if found is None:
            found = np.empty((count, values.shape[1]), np.float32)
        found[rows] = values
    assert found is not None  # some part has a row
    return found
