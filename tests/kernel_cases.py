"""What every kernel answers on fixed inputs, as digests: the same on every vector level and every processor.

    python tests/kernel_cases.py > tests/data/kernel_answers.json

writes the recorded ones; to be done where an answer is meant to change, on whatever machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import numpy as np

from edgedet import ops

F = np.float32
Case = tuple[str, tuple[np.ndarray, ...]]


class Numbers:
    """Arrays that are the same everywhere: an old stream that NumPy promises not to change, and no libm."""

    def __init__(self, seed: int) -> None:
        self._stream = np.random.RandomState(seed)

    def between(self, low: float, high: float, *shape: int) -> np.ndarray:
        return (self._stream.random_sample(shape) * (high - low) + low).astype(F)

    def around(self, middle: float, spread: float, *shape: int) -> np.ndarray:
        """Roughly normal."""
        return ((self._stream.random_sample((*shape, 6)).sum(-1) - 3) * 1.4 * spread + middle).astype(F)

    def below(self, count: int, *shape: int) -> np.ndarray:
        return (self._stream.random_sample(shape) * count).astype(np.int32)

    def boxes(self, count: int, side: float) -> np.ndarray:
        corner, size = self.between(0, side, count, 2), self.between(0, side / 4, count, 2)
        return np.concatenate([corner, corner + size], axis=1)


def _decode() -> Iterator[Case]:
    for count in (1, 15, 16, 17, 333):
        numbers = Numbers(count)
        anchors, deltas = numbers.between(0.01, 1, count, 4), numbers.around(0, 3, count, 4)
        yield f"{count}", (ops.decode_boxes(deltas, anchors),)
        deltas[0], deltas[-1, 2:] = np.nan, 1000
        yield f"{count} odd", (ops.decode_boxes(deltas, anchors, variances=(0.3, 0.7), clip=False),)


def _nms() -> Iterator[Case]:
    for count in (1, 17, 2000):
        numbers = Numbers(count)
        boxes, ids = numbers.boxes(count, 300), numbers.below(5, count)
        scores = numbers.below(count, count).astype(F) / count  # with ties
        scores[::31] = np.nan
        yield f"{count}", (ops.nms(boxes, scores, 0.4), ops.nms(boxes, scores, 0.4, class_ids=ids, plus_one=True))


def _soft_nms() -> Iterator[Case]:
    for count in (1, 17, 400):
        numbers = Numbers(count)
        boxes, scores, ids = numbers.boxes(count, 200), numbers.between(0, 1, count), numbers.below(3, count)
        for method in ("linear", "gaussian"):
            yield f"{method} {count}", ops.soft_nms(boxes, scores, method=method, class_ids=ids, max_detections=150)


def _detect() -> Iterator[Case]:
    for count, columns in ((1, 1), (15, 2), (16, 7), (17, 21), (500, 81), (130, 130)):
        numbers = Numbers(columns)
        anchors, deltas = numbers.between(0.05, 0.9, count, 4), numbers.around(0, 1, count, 4)
        logits = numbers.around(-2, 2, count, columns)
        logits.flat[::97], logits.flat[5::101] = np.inf, np.nan
        rule = {"image_wh": (99.5, 77), "score_threshold": 0.15, "iou_threshold": 0.5}
        for activation in ("sigmoid", "softmax"):
            for background in [*sorted({0, columns - 1}), None]:
                options = {**rule, "activation": activation, "background": background}
                yield f"{count}x{columns} {activation} {background}", ops.detect(deltas, logits, anchors, **options)
        half = [part.astype(np.float16) for part in np.array_split(logits, 2)]
        levels = np.array_split(deltas.astype(np.float16), 2)
        bounded = {"max_candidates_per_class": 40, "max_candidates": 300, "max_detections": 50, "plus_one": True}
        yield f"{count}x{columns} float16 levels", ops.detect(levels, half, anchors, **rule, **bounded)
        yield f"{count}x{columns} turned", ops.detect(deltas, np.asfortranarray(logits), anchors, **rule, clip=False)


def _spp_pool() -> Iterator[Case]:
    corners = [(x, y, x + w, y + h) for x in (0, 3) for y in (0, 5) for w in (1, 7, 14) for h in (1, 8)]
    regions = np.array(corners, np.int32)
    for channels in (1, 3, 63, 64, 65, 150):
        features = Numbers(channels).around(0, 1, channels, 13, 17)
        for levels in ((6, 3, 2, 1), (4, 3), (5,)):
            half = features.astype(np.float16)
            yield f"{channels} {levels}", tuple(ops.spp_pool(array, regions, levels) for array in (features, half))
        features[0, 3, 5] = np.nan
        yield f"{channels} odd", (ops.spp_pool(features, regions, threads=2),)
        yield f"{channels} float16", (ops.spp_pool(features.astype(np.float16), regions),)


def _project_regions() -> Iterator[Case]:
    boxes = Numbers(0).boxes(500, 700)
    yield "16", (ops.project_regions(boxes, stride=16, offset=11, feature_wh=(57, 43)),)
    yield "pairs", (ops.project_regions(boxes, stride=(16.5, 8), offset=(-3, 7.25), feature_wh=(57, 43)),)


def _normalize() -> Iterator[Case]:
    for height, width in ((1, 1), (5, 7), (40, 33)):
        image = Numbers(width).below(256, height, width, 3).astype(np.uint8)
        for layout in ("chw", "hwc"):
            found = ops.normalize(image, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), layout=layout)
            turned = ops.normalize(image[:, ::-1], (1, 2, 3), (4, 5, 6), swap_rb=True, layout=layout)
            yield f"{height}x{width} {layout}", (found, turned)


def _resize() -> Iterator[Case]:
    for height, width in ((1, 1), (5, 7), (40, 33)):
        image = Numbers(width).below(256, height, width, 3).astype(np.uint8)
        for size_wh in ((1, 1), (7, 9), (33, 20), (130, 3)):
            yield f"{width}x{height} to {size_wh}", (ops.resize(image, size_wh),)
    for color, shape in (("nv12", (60, 134)), ("nv21", (60, 134)), ("i420", (60, 134)), ("yuyv", (40, 134, 2))):
        frame = Numbers(9).below(256, *shape).astype(np.uint8)
        yield color, tuple(ops.resize(frame, size_wh, color=color) for size_wh in ((134, 40), (31, 17)))


def _resize_normalize() -> Iterator[Case]:
    image = Numbers(8).below(256, 40, 333, 3).astype(np.uint8)
    for layout in ("chw", "hwc"):
        for size_wh in ((1, 1), (70, 9), (333, 20), (500, 60)):
            how = {"layout": layout, "canvas_wh": (90, 30), "offset_xy": (3, -2), "swap_rb": True}
            found = ops.resize_normalize(image, size_wh, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), **how)
            yield f"{size_wh} {layout}", (found,)


# Kernel -> its cases. What a new kernel is called with belongs here.
KERNELS = {
    "decode_boxes": _decode,
    "detect": _detect,
    "nms": _nms,
    "normalize": _normalize,
    "project_regions": _project_regions,
    "resize": _resize,
    "resize_normalize": _resize_normalize,
    "soft_nms": _soft_nms,
    "spp_pool": _spp_pool,
}


def digest(arrays: tuple[np.ndarray, ...]) -> str:
    """Of the arrays' bits, shapes and types. NaN is NaN: which of its many bits a processor makes means nothing."""
    found = hashlib.sha256()
    for array in arrays:
        if array.dtype.kind == "f":
            array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
        found.update(f"{array.shape} {array.dtype.str}".encode() + np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:32]


def answers() -> dict[str, str]:
    """Case -> digest of what this machine answers."""
    return {f"{kernel} {name}": digest(found) for kernel, cases in KERNELS.items() for name, found in cases()}


if __name__ == "__main__":
    print(json.dumps(answers(), indent=1))
