"""Image classification: one image in, its best classes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet import ops
from edgedet.bundle import Bundle
from edgedet.image import to_tensor
from edgedet.results import Classification
from edgedet.spec import Spec
from edgedet.spp import SppModel, probabilities, spp_head

TOP_K = 5


class Ranking:
    """Raw logits -> `Classification`, as ``model.json``'s head says. Needs no network and no runtime."""

    def __init__(self, spec: Spec) -> None:
        """Takes the head and the labels.

        Raises:
            BundleError: the head is not one of a classifier.
        """
        self.head = spp_head(spec)
        self.labels = spec.labels

    def __call__(self, outputs: Mapping[str, npt.NDArray[Any]], *, top_k: int = TOP_K) -> Classification:
        """``logits`` (1, C) of an image -> its best ``top_k`` classes, or all if there are fewer."""
        if isinstance(top_k, bool) or not isinstance(top_k, (int, np.integer)) or top_k < 1:
            raise ValueError(f"top_k: expected a whole number from 1, got {top_k!r}; say how many classes to give")
        logits = outputs["logits"][0]
        scores = probabilities(logits)
        # By logit, not by score: float32 scores of two different logits may be equal.
        best = np.argsort(-logits, kind="stable")[:top_k]
        return Classification(best.astype(np.int32), scores[best], self.labels)


class Classifier(SppModel):
    """A classifier with spatial pyramid pooling: the trunk on the image, the pool over all of its map, the head."""

    def __init__(
        self, bundle: Bundle, *, device: str = "auto", runtime: str = "auto", threads: int | None = None
    ) -> None:
        """See `edgedet.load`."""
        self.ranking = Ranking(bundle.spec)
        super().__init__(bundle, device=device, runtime=runtime, threads=threads)

    def logits(self, tensor: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Runs the networks on an input tensor of any size.

        At the bundle's own input size this is the published network; at any other it is the same layers on a map of
        another size.

        Args:
            tensor: (1, 3, H, W) float32, normalised as `edgedet.image.to_tensor` does.

        Returns:
            (1, C) float32.

        Raises:
            ValueError: the tensor has another shape or dtype, or is too small.
            InferenceError: the runtime failed, or the model is closed.
        """
        features = self.feature_map(tensor)
        whole = np.array([[0, 0, features.shape[2], features.shape[1]]], np.int32)
        return self.run_head(ops.spp_pool(features, whole, self.head.levels))["logits"]

    def raw(self, image: npt.NDArray[Any], *, color: str = "bgr") -> dict[str, npt.NDArray[Any]]:
        """The ``logits`` (1, C) of an image."""
        tensor, _ = to_tensor(image, self.spec.input, color=color)
        return {"logits": self.logits(tensor)}

    def __call__(self, image: npt.NDArray[Any], *, top_k: int = TOP_K, color: str = "bgr") -> Classification:
        """Says what one image shows.

        Args:
            image: (H, W, 3) uint8; grey and alpha are understood too.
            top_k: how many classes to give, best first; all, if the model has fewer.
            color: how the image's colours lie in it: ``bgr`` (OpenCV's), ``rgb``, or a YUV frame as cameras give it,
                ``nv12``, ``nv21``, ``i420`` or ``yuyv``; see `edgedet.image.COLORS` for the arrays.

        Raises:
            ValueError: the image or an argument is wrong; names it.
            InferenceError: the runtime failed, or the model is closed.
        """
        with self._timed() as watch:
            tensor, _ = to_tensor(image, self.spec.input, color=color)
            watch.lap()
            logits = self.logits(tensor)
            watch.lap()
            return self.ranking({"logits": logits}, top_k=top_k)

    def batch(self, images: Iterable[npt.NDArray[Any]], **options: Any) -> list[Classification]:
        """`__call__` on each image in turn: the trunk takes one image at a time."""
        return [self(image, **options) for image in images]
