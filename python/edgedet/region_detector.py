"""Object detection by regions: the trunk once over the image, a linear SVM for each class on every region."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from edgedet import proposals
from edgedet.bundle import Bundle
from edgedet.errors import BundleError, InferenceError
from edgedet.image import to_bgr
from edgedet.proposals import Proposer
from edgedet.region_postprocess import RegionPostprocess, l2_normalized
from edgedet.regions import RegionClassifier
from edgedet.results import Detections
from edgedet.spec import SvmHead
from edgedet.views import check_boxes, check_scales, views

FloatArray = npt.NDArray[np.float32]


class RegionDetector(RegionClassifier):
    """Finds things among proposed regions (He et al. 2015, section 4): features, SVMs, regression, suppression.

    A score is the probability that Platt's sigmoid, fitted in training, makes of an SVM's margin. What any box means,
    and what bounds the memory, is written at `RegionClassifier`.
    """

    def __init__(
        self, bundle: Bundle, *, device: str = "auto", runtime: str = "auto", threads: int | None = None
    ) -> None:
        """See `edgedet.load`."""
        self.postprocess = RegionPostprocess(bundle.spec)
        self.propose = _own_proposer(self.postprocess.head)
        self._weights = _read_weights(bundle, self.postprocess.head)
        super().__init__(bundle, device=device, runtime=runtime, threads=threads)
        try:
            self._layer(self.postprocess.head.layer)
        except ValueError as error:
            self.close()
            raise BundleError(f"model.json: head.{error}") from error

    def raw(
        self,
        image: npt.NDArray[Any],
        boxes: Union[npt.ArrayLike, Proposer, None] = None,
        *,
        color: str = "bgr",
    ) -> dict[str, npt.NDArray[Any]]:
        """What the SVMs say of every region: ``regions`` (R, 4), ``logits`` (R, K), ``deltas`` (R, 4 K) or (R, 0)."""
        picture = to_bgr(image, color)
        regions = self._regions(picture, boxes)
        return {"regions": regions, **self._judge(picture, regions)}

    def __call__(  # type: ignore[override]
        self,
        image: npt.NDArray[Any],
        boxes: Union[npt.ArrayLike, Proposer, None] = None,
        *,
        score_threshold: float | None = None,
        iou_threshold: float | None = None,
        max_detections: int | None = None,
        color: str = "bgr",
    ) -> Detections:
        """Finds things in one image.

        Args:
            image: (H, W, 3) uint8; grey and alpha are understood too.
            boxes: where to look: (R, 4) ``x1 y1 x2 y2`` in pixels, or a callable that makes them of the (H, W, 3) BGR
                image (see `edgedet.proposals`); None: the bundle's own, `propose`.
            score_threshold: only what scores strictly more; None: the bundle's.
            iou_threshold: of two of a class that overlap by more, the better stays; None: the bundle's.
            max_detections: at most so many of all classes together; None: the bundle's rule.
            color: how the image's colours lie in it, one of `edgedet.image.COLORS`.

        Raises:
            ValueError: the image, the boxes or an argument is wrong; names it.
            InferenceError: the runtime failed, or the model is closed.
        """
        picture = to_bgr(image, color)
        with self._timed() as watch:
            regions = self._regions(picture, boxes)
            watch.lap()
            judged = self._judge(picture, regions)
            watch.lap()
            return self.postprocess(
                {"regions": regions, **judged},
                (picture.shape[1], picture.shape[0]),
                score_threshold=score_threshold,
                iou_threshold=iou_threshold,
                max_detections=max_detections,
            )

    def batch(self, images: Iterable[npt.NDArray[Any]], **options: Any) -> list[Detections]:
        """`__call__` on each image in turn: the trunk takes one image at a time."""
        return [self(image, **options) for image in images]

    def _regions(self, picture: npt.NDArray[np.uint8], boxes: Union[npt.ArrayLike, Proposer, None]) -> FloatArray:
        chosen = self.propose if boxes is None else boxes
        return check_boxes(chosen(picture) if callable(chosen) else chosen)

    def _judge(self, picture: npt.NDArray[np.uint8], regions: FloatArray) -> dict[str, FloatArray]:
        weights = self._weights
        logits = np.empty((len(regions), len(self.labels)), np.float32)
        deltas = np.empty((len(regions), len(weights["box_bias"])), np.float32)
        sides = check_scales(None, None, self.head.shorter_side)
        for view in views(picture, regions, sides, self.spec.input, self.head) if len(regions) else ():
            for rows, which, pooled in self._pooled(view):
                features = self._normalized(self._layer_of(pooled))
                self._check_width("weights", features)
                with np.errstate(over="ignore", invalid="ignore"):  # seen to by `RegionPostprocess`
                    logits[rows] = (features @ weights["weights"].T + weights["bias"])[which]
                if deltas.shape[1]:
                    spp = self._normalized(pooled)
                    self._check_width("box_weights", spp)
                    deltas[rows] = (spp @ weights["box_weights"].T + weights["box_bias"])[which]
        return {"logits": logits, "deltas": deltas}

    def _layer_of(self, pooled: FloatArray) -> FloatArray:
        layer = self.postprocess.head.layer
        return pooled if layer == "spp" else self.run_head(pooled)[self._layer(layer)]

    def _normalized(self, features: FloatArray) -> FloatArray:
        return l2_normalized(features) if self.postprocess.head.normalize == "l2" else features

    def _check_width(self, name: str, features: FloatArray) -> None:
        if self._weights[name].shape[1] != features.shape[1]:
            raise InferenceError(
                f"{name}: expected {features.shape[1]} columns, one for each feature, got "
                f"{self._weights[name].shape[1]}; train the bundle again"
            )


def _own_proposer(head: SvmHead) -> Proposer:
    """The one that a bundle names.

    Raises:
        BundleError: there is none of that name, its argument is wrong, or it opens files of this machine.
    """
    try:
        return proposals.make(head.proposals, files=False)
    except ValueError as error:
        raise BundleError(f"model.json: head.{error}") from error


def _read_weights(bundle: Bundle, head: SvmHead) -> dict[str, FloatArray]:
    """The SVMs' and, if there are none, empty ones of the regression.

    Raises:
        BundleError: the file is damaged, or its arrays don't fit each other or the labels.
    """
    arrays, classes = bundle.arrays(head.weights), len(bundle.spec.labels)
    if "box_weights" not in arrays:
        arrays = {**arrays, "box_weights": np.zeros((0, 0), np.float32), "box_bias": np.zeros(0, np.float32)}
    wanted = {
        "weights": (classes, None),
        "bias": (classes,),
        "box_weights": (len(arrays["box_weights"]) and 4 * classes, None),
        "box_bias": (len(arrays["box_weights"]),),
    }
    for name, shape in wanted.items():
        array = arrays.get(name, np.zeros(()))
        fits = array.ndim == len(shape) and all(size in (None, have) for size, have in zip(shape, array.shape))
        if arrays.keys() != wanted.keys() or not fits or array.dtype != np.float32 or not np.isfinite(array).all():
            raise BundleError(
                f"{head.weights.file}: expected finite float32 weights and bias for {classes} classes, got "
                f"{name} {array.shape} {array.dtype} among {sorted(arrays)}; train the bundle again"
            )
    return arrays
