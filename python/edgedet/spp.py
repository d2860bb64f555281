"""What the tasks with spatial pyramid pooling share: a trunk for images of any size, and a head that takes rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet.bundle import Bundle
from edgedet.errors import BundleError, InferenceError
from edgedet.model import Model, check_floats
from edgedet.spec import Spec, SppHead

#: Rows that go through a head at once, if it takes any number: enough that its weights are read once for many.
HEAD_BATCH = 512


def spp_head(spec: Spec) -> SppHead:
    """The head of a bundle with spatial pyramid pooling.

    Raises:
        BundleError: its head is another.
    """
    if not isinstance(spec.head, SppHead):
        raise BundleError(f"model.json: head.type: expected spp, got {spec.head.type}; see the bundle's tasks")
    return spec.head


class SppModel(Model):
    """The base of the tasks that pool a trunk's feature map, whole or by regions, for a head."""

    networks = ("trunk", "head")

    def __init__(
        self, bundle: Bundle, *, device: str = "auto", runtime: str = "auto", threads: int | None = None
    ) -> None:
        """See `edgedet.load`."""
        self.head = spp_head(bundle.spec)
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
        bins, classes = self.head.bins, self.head.columns(len(self.labels))
        features, pooled = trunk.outputs["features"].shape, head.inputs["pooled"].shape
        logits = head.outputs["logits"].shape
        # A runtime that can't tell a size before it runs says None, or gives no shape at all.
        channels = features[1] if len(features) == 4 else None
        columns = pooled[1] if len(pooled) == 2 else 0
        rows_fit = columns is None or (columns % bins == 0 and columns == (channels or columns // bins) * bins > 0)
        if not rows_fit or (classes and logits and logits[-1] not in (classes, None)):
            raise BundleError(
                f"model.json: head.levels and labels: expected to fit the networks' {channels} channels, "
                f"pooled {pooled} and logits {logits}, got {bins} bins and {classes} labels; convert it again"
            )

    def feature_map(self, tensor: npt.NDArray[np.float32]) -> npt.NDArray[np.floating[Any]]:
        """The trunk's map of one input tensor.

        Args:
            tensor: (1, 3, H, W) float32, normalised as `edgedet.image.to_tensor` does; of any size, if the runtime's
                variant takes any.

        Returns:
            (C, rows, columns) float32 or float16, as the trunk gives it; the cells of ``spec.head.grid((W, H))``.

        Raises:
            ValueError: the tensor has another shape or dtype, or is too small.
            InferenceError: the runtime failed, or the model is closed.
        """
        if np.ndim(tensor) != 4:
            got = f"{tensor.shape} {tensor.dtype}" if isinstance(tensor, np.ndarray) else type(tensor).__name__
            raise ValueError(f"tensor: expected (1, 3, H, W) float32, got {got}; make it with edgedet.image.to_tensor")
        # Refuses what is too small before the runtime does, whose words say nothing.
        columns, rows = self.head.grid((tensor.shape[3], tensor.shape[2])).feature_wh
        features: npt.NDArray[np.floating[Any]] = self._networks["trunk"].run({"image": tensor})["features"][0]
        if features.shape[1:] != (rows, columns):
            raise InferenceError(
                f"features: expected {rows} rows and {columns} columns, as head.trunk says, got {features.shape[1:]}; "
                "convert the checkpoint again"
            )
        return features

    def run_head(self, pooled: npt.NDArray[np.floating[Any]]) -> dict[str, npt.NDArray[np.float32]]:
        """What the head makes of some rows.

        Args:
            pooled: (R, C·Σb²) float32 or float16, as `edgedet.ops.spp_pool` gives them.

        Returns:
            By role (``logits``, and the layers before it), (R, D) float32.

        Raises:
            InferenceError: the runtime failed, or the model is closed.
        """
        # The largest values are chosen, not computed: of the trunk's precision, and only those left are converted.
        pooled = pooled.astype(self._networks["head"].inputs["pooled"].dtype, copy=False)
        count = len(pooled)
        fits = min((size for size in self._head_sizes if size >= count), default=count)
        if fits > count:  # a head that is compiled for certain numbers of rows
            pooled = np.concatenate([pooled, np.zeros((fits - count, pooled.shape[1]), pooled.dtype)])
        outputs = self._networks["head"].run({"pooled": pooled})
        return {role: np.asarray(array[:count], np.float32) for role, array in outputs.items()}

    @property
    def most_rows(self) -> int:
        """How many rows `run_head` takes at once."""
        return max(self._head_sizes, default=HEAD_BATCH)

    @property
    def _head_sizes(self) -> tuple[int, ...]:
        """The numbers of rows that the head takes; none: any."""
        sizes = [shape[0] for shape in self._networks["head"].accepted("pooled")]
        return () if None in sizes else tuple(size for size in sizes if size is not None)


def softmax(logits: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """(..., C) logits -> (..., C) probabilities; worked out in double precision."""
    with np.errstate(invalid="ignore"):  # infinite logits become NaN, which is for the caller to see
        powers = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def probabilities(logits: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """`softmax` of logits that must be numbers.

    Raises:
        InferenceError: one is NaN or infinite.
    """
    if not np.isfinite(logits).all():
        raise InferenceError("logits: expected finite numbers, got NaN or infinity; verify the bundle")
    return softmax(logits)
