"""Tiny whole bundles for the tests: a real ONNX network whose answers depend on the image, and its golden data.

The network is in `toynet`; the golden boxes are those of the slow `reference`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import reference
from toynet import Layers, make_layers, make_network, network_outputs

from edgedet import spec as specs

LABELS = ("red", "green", "blue")
LEVELS = (
    specs.Level((8, 6), (8.0, 8.0), ((0.3, 0.3), (0.35, 0.25))),
    specs.Level((4, 3), (16.0, 16.0), ((0.4, 0.4), (0.5, 0.35), (0.35, 0.5))),
)


def toy_bundle(
    folder: Path,
    *,
    name: str = "toy",
    size_wh: tuple[int, int] = (64, 48),
    labels: tuple[str, ...] = LABELS,
    levels: tuple[specs.Level, ...] = LEVELS,
    category_ids: tuple[int, ...] | None = None,
    tasks: tuple[str, ...] = ("detect",),
    goldens: int = 1,
    seed: int = 0,
    input_options: dict[str, Any] | None = None,
    head_options: dict[str, Any] | None = None,
    half: bool = False,
) -> Path:
    """Writes a bundle of one ONNX variant into ``folder`` (made if need be) and gives the folder back.

    Args:
        folder: where to.
        name: the model's name.
        size_wh: the network's input.
        labels: without background.
        levels: every grid must be ``ceil(size_wh / stride_wh)``.
        category_ids: as in ``model.json``.
        tasks: likewise.
        goldens: how many golden inputs to write; 0 if there is a centre crop (``resize_wh``).
        seed: of the weights and the golden images.
        input_options: fields of ``input`` other than its defaults (see `_spec`).
        head_options: likewise of ``head``.
        half: the variant is one of fp16, whose network's outputs are float16.
    """
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    spec = _spec(name, size_wh, labels, levels, category_ids, tasks, input_options or {}, head_options or {})
    layers = make_layers(rng, levels, spec.head.columns(len(labels)))
    onnx.save(make_network(size_wh, levels, layers, half=half), str(folder / "model.onnx"))
    (folder / "model.json").write_text(spec.to_json(), encoding="utf-8")
    images = []
    for i in range(goldens):
        # Half as large again in both directions: whatever the resize rule, this is a plain resize.
        image = sample_image(rng, (size_wh[0] * 3 // 2, size_wh[1] * 3 // 2))
        cv2.imwrite(str(folder / f"golden/{i}.png"), image)
        np.savez(folder / f"golden/{i}.npz", **_expected(image, spec, layers))
        images.append({"image": hashed(folder, f"golden/{i}.png"), "expected": hashed(folder, f"golden/{i}.npz")})
    edit_json(folder, lambda data: data.update(golden=images))
    edit_json(folder, lambda data: data["variants"][0].update(precision="fp16" if half else "fp32"))
    rehash(folder)
    return folder


def published_levels() -> tuple[specs.Level, ...]:
    """The anchors of the published ssd_mobilenetV2 at 320 × 320."""
    sides, grids, strides = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0), (20, 10, 5, 3, 2, 1), (16, 32, 64, 108, 160, 320)
    levels = []
    for i, (grid, stride) in enumerate(zip(grids, strides)):
        s, middle = sides[i], math.sqrt(sides[i] * sides[i + 1])
        two, three = ((s * math.sqrt(ratio), s / math.sqrt(ratio)) for ratio in (2, 3))
        cells = [(s, s), two, two[::-1], three, three[::-1], (middle, middle)]
        cells = [(0.1, 0.1), two, two[::-1]] if i == 0 else cells
        levels.append(specs.Level((grid, grid), (stride, stride), tuple(cells)))
    return tuple(levels)


def edit_json(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Lets ``change`` alter the parsed ``model.json`` and writes it back."""
    path = folder / "model.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def hashed(folder: Path, file: str) -> dict[str, str]:
    """The entry of ``model.json`` for a file of the bundle."""
    return {"file": file, "sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest()}


def rehash(folder: Path) -> None:
    """Makes the hashes of all variants' files those of the files that are there."""

    def change(data: dict[str, Any]) -> None:
        for variant in data["variants"]:
            for file in variant["files"].values():
                file.update(hashed(folder, file["file"]))

    edit_json(folder, change)


def sample_image(rng: np.random.Generator, size_wh: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) uint8: blocks of plain colours, so that neighbouring cells of the network differ."""
    blocks = rng.integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return cv2.resize(blocks, size_wh, interpolation=cv2.INTER_NEAREST)


def _spec(
    name: str,
    size_wh: tuple[int, int],
    labels: tuple[str, ...],
    levels: tuple[specs.Level, ...],
    category_ids: tuple[int, ...] | None,
    tasks: tuple[str, ...],
    input_options: dict[str, Any],
    head_options: dict[str, Any],
) -> specs.Spec:
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    head = {"variances": (0.1, 0.2), "clip": True, "activation": "sigmoid", "background": 0, "plus_one": True}
    limits = {"score_threshold": 0.1, "iou_threshold": 0.6, "max_per_class": 100, "max_detections": None}
    pending = "0" * 64
    file = specs.ModelFile("model.onnx", pending, {"image": "images"}, {"deltas": "loc", "logits": "cls"})
    return specs.Spec(
        schema=specs.SCHEMA,
        name=name,
        family="toy",
        tasks=tasks,
        input=specs.Input(size_wh, **{"color": "rgb", "mean": mean, "std": std, "resize": "stretch", **input_options}),
        head=specs.AnchorHead("anchors", levels, **{**head, **limits, **head_options}),
        labels=labels,
        variants=(specs.Variant("onnx", "fp32", "onnx", {"model": file}, {"onnx": onnx.__version__}),),
        source=specs.Source("toy.ckpt", hashlib.sha256(b"toy").hexdigest(), licence="Apache-2.0"),
        category_ids=category_ids,
    )


def _expected(image: np.ndarray, spec: specs.Spec, layers: Layers) -> dict[str, np.ndarray]:
    pixels = reference.resize(image, spec.input.size_wh)
    pixels = pixels[:, :, ::-1] if spec.input.color == "rgb" else pixels
    tensor = ((pixels - np.float32(spec.input.mean)) / np.float32(spec.input.std)).transpose(2, 0, 1)[None]
    outputs = network_outputs(tensor, spec.head.levels, layers)
    head = spec.head
    boxes = reference.decode_boxes(
        outputs["deltas"][0], head.anchors(spec.input.size_wh), head.variances, head.clip
    ).astype(np.float32)
    rule = (
        "score_threshold",
        "iou_threshold",
        "activation",
        "background",
        "max_per_class",
        "max_detections",
        "plus_one",
    )
    found = reference.detect(
        boxes, outputs["logits"][0], image_wh=image.shape[1::-1], **{name: getattr(head, name) for name in rule}
    )
    return {**outputs, **dict(zip(("boxes", "scores", "class_ids"), found))}
