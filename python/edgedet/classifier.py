"""Image classification: one image in, its best classes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet import ops
from edgedet.bundle import Bundle
from edgedet.errors import BundleError, InferenceError
from edgedet.image import to_tensor
from edgedet.model import Model, check_floats
from edgedet.results import Classification
from edgedet.spec import Spec, SppHead

TOP_K = 5


class Ranking:
    """Raw logits -> `Classification`, as ``model.json``'s head says. Needs no network and no runtime."""

    def __init__(self, spec: Spec) -> None:
        """Takes the head and the labels.

        Raises:
            BundleError: the head is not one of a classifier.
        """
        if not isinstance(spec.head, SppHead):
            raise BundleError(f"model.json: head.type: expected spp, got {spec.head.type}; see the bundle's tasks")
        self.head = spec.head
        self.labels = spec.labels

    def scores(self, logits: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """(..., C) logits -> (..., C) probabilities; worked out in double precision."""
        with np.errstate(invalid="ignore"):  # infinite logits become NaN, which is for the caller to see
            powers = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)

    def __call__(self, outputs: Mapping[str, npt.NDArray[Any]], *, top_k: int = TOP_K) -> Classification:
        """``logits`` (1, C) of an image -> its best ``top_k`` classes, or all if there are fewer."""
        if isinstance(top_k, bool) or not isinstance(top_k, (int, np.integer)) or top_k < 1:
            raise ValueError(f"top_k: expected a whole number from 1, got {top_k!r}; say how many classes to give")
        logits = outputs["logits"][0]
        if not np.isfinite(logits).all():
            raise InferenceError("logits: expected finite numbers, got NaN or infinity; verify the bundle")
        # By logit, not by score: float32 scores of two different logits may be equal.
        best = np.argsort(-logits, kind="stable")[:top_k]
        return Classification(best.astype(np.int32), self.scores(logits)[best], self.labels)


class Classifier(Model):
    """A classifier with spatial pyramid pooling: the trunk on the image, the pool over all of its map, the head."""

    networks = ("trunk", "head")

    def __init__(
        self, bundle: Bundle, *, device: str = "auto", runtime: str = "auto", threads: int | None = None
    ) -> None:
        """See `edgedet.load`."""
        self.ranking = Ranking(bundle.spec)
        super().__init__(bundle, device=device, runtime=runtime, threads=threads)
        try:
            self._check_networks()
        except BundleError:
            self.close()
            raise

    def _check_networks(self) -> None:
        trunk, head = self._networks["trunk"], self._networks["head"]
        have = [set(trunk.inputs), set(trunk.outputs), set(head.inputs)]
        if have != [{"image"}, {"features"}, {"pooled"}] or "logits" not in head.outputs:
            raise BundleError(
                "model.json: variants.files: expected a trunk from image to features and a head from pooled to logits, "
                f"got {have} and {sorted(head.outputs)}; convert the checkpoint again"
            )
        for role, info in {**trunk.outputs, **head.inputs, "logits": head.outputs["logits"]}.items():
            check_floats(role, info)
        bins, classes = self.ranking.head.bins, len(self.labels)
        features, pooled = trunk.outputs["features"].shape, head.inputs["pooled"].shape
        logits = head.outputs["logits"].shape
        # A runtime that can't tell a size before it runs says None, or gives no shape at all.
        channels = features[1] if len(features) == 4 else None
        columns = pooled[1] if len(pooled) == 2 else 0
        rows_fit = columns is None or (columns % bins == 0 and columns == (channels or columns // bins) * bins > 0)
        if not rows_fit or (logits and logits[-1] not in (classes, None)):
            raise BundleError(
                f"model.json: head.levels and labels: expected to fit the networks' {channels} channels, "
                f"pooled {pooled} and logits {logits}, got {bins} bins and {classes} labels; convert it again"
            )

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
        if np.ndim(tensor) != 4:
            got = f"{tensor.shape} {tensor.dtype}" if isinstance(tensor, np.ndarray) else type(tensor).__name__
            raise ValueError(f"tensor: expected (1, 3, H, W) float32, got {got}; make it with edgedet.image.to_tensor")
        # Refuses what is too small before the runtime does, whose words say nothing.
        self.ranking.head.grid((tensor.shape[3], tensor.shape[2]))
        trunk, head = self._networks["trunk"], self._networks["head"]
        features = trunk.run({"image": tensor})["features"]
        rows, columns = features.shape[2:]
        whole = np.array([[0, 0, columns, rows]], np.int32)
        # The largest values are chosen, not computed: of the trunk's precision, and only those left are converted.
        pooled = ops.spp_pool(features[0], whole, self.ranking.head.levels)
        pooled = pooled.astype(head.inputs["pooled"].dtype, copy=False)
        return np.asarray(head.run({"pooled": pooled})["logits"], np.float32)

    def raw(self, image: npt.NDArray[Any], *, color: str = "bgr") -> dict[str, npt.NDArray[Any]]:
        """The ``logits`` (1, C) of an image."""
        tensor, _ = to_tensor(image, self.spec.input, color=color)
        return {"logits": self.logits(tensor)}

    def __call__(self, image: npt.NDArray[Any], *, top_k: int = TOP_K, color: str = "bgr") -> Classification:
        """Says what one image shows.

        Args:
            image: (H, W, 3) uint8; grey and alpha are understood too.
            top_k: how many classes to give, best first; all, if the model has fewer.
            color: the order of the image's channels, ``bgr`` (OpenCV's) or ``rgb``.

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
