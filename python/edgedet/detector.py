"""Object detection: one image in, `Detections` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet import ops
from edgedet.bundle import Bundle
from edgedet.errors import BundleError
from edgedet.image import Placement, to_tensor
from edgedet.model import Model, check_floats
from edgedet.results import Detections
from edgedet.spec import AnchorHead, Spec


class Postprocess:
    """Raw deltas and logits -> `Detections`, as ``model.json``'s head says. Needs no network and no runtime."""

    def __init__(self, spec: Spec) -> None:
        """Lays out the head's anchors.

        Raises:
            BundleError: the head is not one of anchors.
        """
        if not isinstance(spec.head, AnchorHead):
            raise BundleError(f"model.json: head.type: expected anchors, got {spec.head.type}; see the bundle's tasks")
        self.head = spec.head
        self.labels = spec.labels
        self.anchors = spec.head.anchors(spec.input.size_wh)

    def __call__(
        self,
        outputs: Mapping[str, npt.NDArray[Any]],
        placed: Placement,
        *,
        score_threshold: float | None = None,
        iou_threshold: float | None = None,
        max_detections: int | None = None,
    ) -> Detections:
        """What an image shows, by the network's outputs for it.

        Args:
            outputs: ``deltas`` (1, N, 4) and ``logits`` (1, N, C), float32 or float16.
            placed: how the image lies in the network's input.
            score_threshold: and the other options: see `Detector.__call__`.
            iou_threshold: see there.
            max_detections: see there.
        """
        head = self.head
        boxes, scores, class_ids = ops.detect(
            outputs["deltas"][0],
            outputs["logits"][0],
            self.anchors,
            # Suppression happens in pixels of the image: the published rule depends on their size.
            image_wh=placed.frame_wh,
            score_threshold=head.score_threshold if score_threshold is None else score_threshold,
            iou_threshold=head.iou_threshold if iou_threshold is None else iou_threshold,
            variances=head.variances,
            activation=head.activation,
            background=head.background,
            max_per_class=head.max_per_class,
            max_detections=head.max_detections if max_detections is None else max_detections,
            plus_one=head.plus_one,
            clip=head.clip,
        )
        if not placed.is_whole:
            limits = np.tile(np.asarray(placed.image_wh, np.float32), 2)
            boxes = np.clip(boxes + np.tile(np.asarray(placed.origin, np.float32), 2), 0, limits)
            # What lay in the border alone has been clipped to nothing.
            seen = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
            boxes, scores, class_ids = boxes[seen], scores[seen], class_ids[seen]
        return Detections(boxes, scores, class_ids, self.labels, placed.image_wh)


class Detector(Model):
    """A one-stage detector: network, box decoding and non-maximum suppression as ``model.json`` says."""

    def __init__(
        self, bundle: Bundle, *, device: str = "auto", runtime: str = "auto", threads: int | None = None
    ) -> None:
        """See `edgedet.load`."""
        self.postprocess = Postprocess(bundle.spec)
        super().__init__(bundle, device=device, runtime=runtime, threads=threads)
        self._network = self._networks["model"]
        try:
            self._check_input()
            self._check_outputs()
        except BundleError:
            self.close()
            raise

    def _check_input(self) -> None:
        width, height = self.spec.input.size_wh
        have = {role: (info.shape, info.dtype) for role, info in self._network.inputs.items()}
        shape, dtype = have.get("image", ((), None))
        wanted = np.dtype(np.uint8 if self.choice.variant.aipp else np.float32)
        if have.keys() != {"image"} or dtype != wanted or not _fits(shape, (1, 3, height, width)):
            raise BundleError(
                f"model.json: input: expected to fit the network's {have}, got an image (1, 3, {height}, {width}) "
                f"{wanted}; convert the checkpoint again"
            )

    def _check_outputs(self) -> None:
        anchors = len(self.postprocess.anchors)
        columns = self.postprocess.head.columns(len(self.labels))
        wanted = {"deltas": (1, anchors, 4), "logits": (1, anchors, columns)}
        outputs = self._network.outputs
        if outputs.keys() != wanted.keys():
            raise BundleError(
                f"model.json: outputs: expected {sorted(wanted)}, got {sorted(outputs)}; convert the checkpoint again"
            )
        for role, shape in wanted.items():
            # () is what a network whose size is free says of its outputs before it runs.
            have = outputs[role].shape
            if have and not _fits(have, shape):
                raise BundleError(
                    f"model.json: head.levels and labels: expected to fit the network's {role} {have}, got {anchors} "
                    f"anchors and {columns} columns of logits; convert the checkpoint again"
                )
            check_floats(role, outputs[role])

    def raw(self, image: npt.NDArray[Any], *, color: str = "bgr") -> dict[str, npt.NDArray[Any]]:
        """The network's own ``deltas`` (1, N, 4) and ``logits`` (1, N, C) for an image, float32 or float16."""
        with self._network.borrow() as slot:
            to_tensor(image, self.spec.input, color=color, out=slot.inputs["image"])
            return {role: array.copy() for role, array in slot.run().items()}

    def __call__(
        self,
        image: npt.NDArray[Any],
        *,
        score_threshold: float | None = None,
        iou_threshold: float | None = None,
        max_detections: int | None = None,
        color: str = "bgr",
    ) -> Detections:
        """Finds things in one image.

        Args:
            image: (H, W, 3) uint8; grey and alpha are understood too.
            score_threshold: only what scores strictly more; None: the bundle's.
            iou_threshold: of two of a class that overlap by more, the better stays; None: the bundle's.
            max_detections: at most so many of all classes together; None: the bundle's rule.
            color: how the image's colours lie in it: ``bgr`` (OpenCV's), ``rgb``, or a YUV frame as cameras give it,
                ``nv12``, ``nv21``, ``i420`` or ``yuyv``; see `edgedet.image.COLORS` for the arrays.

        Raises:
            ValueError: the image or an argument is wrong; names it.
            InferenceError: the runtime failed, or the model is closed.
        """
        # Waiting for another thread's call is none of the stages.
        with self._network.borrow() as slot, self._timed() as watch:
            _, placed = to_tensor(image, self.spec.input, color=color, out=slot.inputs["image"])
            watch.lap()
            outputs = slot.run()
            watch.lap()
            return self.postprocess(
                outputs,
                placed,
                score_threshold=score_threshold,
                iou_threshold=iou_threshold,
                max_detections=max_detections,
            )

    def batch(self, images: Iterable[npt.NDArray[Any]], **options: Any) -> list[Detections]:
        """`__call__` on each image in turn: the published networks are exported for one image at a time."""
        return [self(image, **options) for image in images]


def _fits(have: tuple[int | None, ...], want: tuple[int, ...]) -> bool:
    return len(have) == len(want) and all(h in (None, w) for h, w in zip(have, want))
