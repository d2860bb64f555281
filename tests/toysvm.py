"""A tiny whole bundle of a region detector: the toy of `toyspp` with SVMs, and its answers in plain NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import reference
from bundles import edit_json, hashed, sample_image
from toyspp import CHANNELS, HIDDEN, Weights, feature_map, head_layers, make_weights, spp_bundle

from edgedet import spec as specs
from edgedet.proposals.sliding import SlidingPyramid

CLASSES = ("bolt", "nut", "washer")
SMALLEST = 20.0
Arrays = dict[str, np.ndarray]


def svm_bundle(
    folder: Path,
    *,
    layer: str = "fc1",
    normalize: str = "l2",
    regression: bool = True,
    goldens: int = 1,
    seed: int = 0,
    head_options: dict[str, Any] | None = None,
) -> Path:
    """Writes a bundle of one ONNX variant into ``folder`` and gives the folder back.

    Args:
        folder: where to.
        layer: what the SVMs see.
        normalize: as in ``model.json``.
        regression: whether there is a regression of boxes.
        goldens: how many golden inputs to write.
        seed: of the weights.
        head_options: fields of ``head`` other than its defaults.
    """
    spp_bundle(folder, goldens=0, seed=seed)
    np.savez(folder / "svm.npz", **make_svms(layer, regression=regression, seed=seed))  # type: ignore[arg-type]
    fields = {
        "type": "svm",
        "layer": layer,
        "normalize": normalize,
        "weights": hashed(folder, "svm.npz"),
        "proposals": f"sliding:{SMALLEST:g}",
        "score_threshold": 0.6,
        "iou_threshold": 0.3,
        "max_per_class": 100,
        "max_detections": None,
        **(head_options or {}),
    }

    def change(data: dict[str, Any]) -> None:
        data.update(tasks=["detect"], labels=list(CLASSES), name="toysvm")
        data["head"].update(fields)

    edit_json(folder, change)
    spec = specs.parse((folder / "model.json").read_text(encoding="utf-8"))
    images = []
    for i in range(goldens):
        image = sample_image(np.random.default_rng((seed, i)), (70, 50))
        cv2.imwrite(str(folder / f"golden/{i}.png"), image)
        raw = plain_raw(image, SlidingPyramid(SMALLEST)(image), spec, regression=regression, seed=seed)
        np.savez_compressed(folder / f"golden/{i}.npz", **raw, **plain_result(raw, (70, 50), spec))
        images.append({"image": hashed(folder, f"golden/{i}.png"), "expected": hashed(folder, f"golden/{i}.npz")})
    edit_json(folder, lambda data: data.update(golden=images))
    return folder


def make_svms(layer: str, *, regression: bool = True, seed: int = 0, bins: int = 10) -> Arrays:
    """Those of the bundle with the same seed."""
    rng = np.random.default_rng((seed, 7))
    widths = {"spp": CHANNELS * bins, "fc1": HIDDEN}
    arrays = {
        "weights": rng.normal(0, 3, (len(CLASSES), widths[layer])),
        "bias": rng.normal(-1, 0.5, len(CLASSES)),
    }
    if regression:
        arrays["box_weights"] = rng.normal(0, 0.1, (4 * len(CLASSES), widths["spp"]))
        arrays["box_bias"] = rng.normal(0, 0.05, 4 * len(CLASSES))
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def network_weights(seed: int = 0) -> Weights:
    """The networks' own."""
    return make_weights(np.random.default_rng(seed), 10, 4)


def plain_raw(
    image: np.ndarray, boxes: np.ndarray, spec: specs.Spec, *, regression: bool = True, seed: int = 0
) -> Arrays:
    """What `RegionDetector.raw` is to give: the paper's steps one after the other."""
    head = spec.head
    assert isinstance(head, specs.SvmHead)
    height, width = image.shape[:2]
    growth = head.shorter_side / min(width, height)
    size_wh = round(width * growth), round(height * growth)
    resized = reference.resize(image, size_wh)[..., ::-1]
    features = feature_map(reference.normalize(resized, spec.input.mean, spec.input.std)[None], network_weights(seed))
    grid = head.grid(size_wh)
    scaled = (boxes.astype(np.float64) * np.tile(np.divide(size_wh, (width, height)), 2)).astype(np.float32)
    windows = reference.project_regions(scaled, grid.stride, grid.offset, grid.feature_wh)
    layers = head_layers(reference.spp_pool(features, windows, head.levels), network_weights(seed))
    svms = make_svms(head.layer, regression=regression, seed=seed)
    rows = {name: unit(layers[name]) if head.normalize == "l2" else layers[name] for name in (head.layer, "spp")}
    deltas = np.zeros((len(boxes), 0), np.float32)
    if "box_weights" in svms:
        deltas = rows["spp"] @ svms["box_weights"].T + svms["box_bias"]
    return {
        "regions": boxes,
        "logits": (rows[head.layer] @ svms["weights"].T + svms["bias"]).astype(np.float32),
        "deltas": deltas.astype(np.float32),
    }


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of norm 1, zeros left alone."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(norms > 0, rows / np.where(norms > 0, norms, 1), 0)


def plain_result(raw: Arrays, image_wh: tuple[int, int], spec: specs.Spec) -> Arrays:
    """The final boxes: one class after the other, one region after the other."""
    head = spec.head
    assert isinstance(head, specs.SvmHead)
    found = []
    for class_id in range(raw["logits"].shape[1]):
        boxes, scores, rows = [], [], []
        for row, region in enumerate(raw["regions"]):
            score = np.float32(1 / (1 + np.exp(-float(raw["logits"][row, class_id]))))
            deltas = raw["deltas"][row, 4 * class_id : 4 * class_id + 4] if raw["deltas"].size else np.zeros(4)
            box = move(region, deltas, image_wh)
            if score > np.float32(head.score_threshold) and box[2] > box[0] and box[3] > box[1]:
                boxes.append(box)
                scores.append(score)
                rows.append(row)
        table, values = np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32)
        kept = reference.nms(table, values, head.iou_threshold)[: head.max_per_class]
        found += [(-values[i], class_id, rows[i], table[i]) for i in kept]
    found.sort(key=lambda item: item[:3])
    found = found[: head.max_detections]
    return {
        "boxes": np.array([item[3] for item in found], np.float32).reshape(-1, 4),
        "scores": np.array([-item[0] for item in found], np.float32),
        "class_ids": np.array([item[1] for item in found], np.int32),
    }


def move(region: np.ndarray, deltas: np.ndarray, image_wh: tuple[int, int]) -> np.ndarray:
    """R-CNN's appendix C: a centre moved by parts of the size, sizes multiplied; cut off at the image's border."""
    x1, y1, x2, y2 = np.clip(region.astype(np.float64), 0, np.tile(image_wh, 2))
    ty, tx, th, tw = deltas.astype(np.float64)
    cx, cy, w, h = (x1 + x2) / 2 + tx * (x2 - x1), (y1 + y2) / 2 + ty * (y2 - y1), x2 - x1, y2 - y1
    w, h = w * np.exp(tw), h * np.exp(th)
    return np.clip([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 0, np.tile(image_wh, 2))
