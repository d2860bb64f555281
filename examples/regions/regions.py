"""What training and evaluation share: which scenes are whose, and the regions of a scene.

Scenes differ by their seed, as in ``examples/shapes``. Those from ``TRAINING_SEED`` on train the network, those from
``DRAWN_SEED`` on are the annotated pictures of ``draw.py``. Those from ``HELD_OUT_SEED`` to there are held out: nothing
was ever fitted to one, and no choice made by one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgedet.camera.scene import LABELS, Boxes, Image, Scene, draw_scene

HERE = Path(__file__).parent
HELD_OUT_SEED = 1_000
DRAWN_SEED = 500_000
TRAINING_SEED = 1_000_000
BACKGROUND = len(LABELS)


def load_config() -> dict[str, Any]:
    """The fields of the family's ``Config`` for this model."""
    return json.loads((HERE / "config.json").read_text())


def training_scene(index: int) -> Scene:
    """The scene of that number: BGR (480, 640, 3) uint8, boxes in pixels, class ids."""
    return draw_scene(TRAINING_SEED + index, (640, 480), max_things=(7, 12)[index % 2])


def drawn_scene(index: int) -> Scene:
    """The scene of that number for the annotated pictures: as `training_scene`, less crowded."""
    return draw_scene(DRAWN_SEED + index, (640, 480))


def held_out_scene(index: int) -> Scene:
    """The scene of that number, which no training has seen: as `drawn_scene`."""
    if not 0 <= index < DRAWN_SEED - HELD_OUT_SEED:
        last = DRAWN_SEED - HELD_OUT_SEED - 1
        raise ValueError(f"index: expected 0 to {last}, got {index}; later seeds are for training")
    return draw_scene(HELD_OUT_SEED + index, (640, 480))


def overlaps(boxes: Boxes, others: Boxes) -> np.ndarray:
    """(N, M) IoU of every box with every other."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(table[:, 2:] - table[:, :2]).prod(axis=1) for table in (boxes, others)]
    return shared / np.maximum(areas[0][:, None] + areas[1] - shared, 1e-9)


def sample_regions(rng: np.random.Generator, scene: Scene, near: int, far: int) -> tuple[Boxes, np.ndarray]:
    """Regions as a proposer would give them, and what each should be called.

    Args:
        rng: where the chance comes from.
        scene: image, boxes and class ids.
        near: regions about each thing, shifted and scaled.
        far: regions anywhere.

    Returns:
        (R, 4) float32 ``x1 y1 x2 y2`` in pixels, inside the image; (R,) int32 targets: a class id where the region
        and a thing overlap by an IoU of 0.5 or more, ``BACKGROUND`` below 0.4. Those between are left out.
    """
    image, boxes, class_ids = scene
    height, width = image.shape[:2]
    center, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    spread = rng.choice([0.03, 0.12, 0.3], (near, len(boxes), 1))
    moved = center + rng.normal(0, 1, (near, *center.shape)) * spread * size
    scaled = size * np.exp(rng.normal(0, 1, (near, *size.shape)) * spread)
    side = np.exp(rng.uniform(np.log(40), np.log(320), (far, 1)) + rng.normal(0, 0.25, (far, 2)))
    middle = np.concatenate([moved.reshape(-1, 2), rng.uniform(0, (width, height), (far, 2))])
    half = np.concatenate([scaled.reshape(-1, 2), side]) / 2
    regions = np.concatenate([middle - half, middle + half], axis=1)
    regions = np.clip(regions, 0, (width, height, width, height)).astype(np.float32)
    regions = regions[((regions[:, 2:] - regions[:, :2]) >= 12).all(axis=1)]
    targets = np.full(len(regions), BACKGROUND, np.int32)
    if len(boxes):
        iou = overlaps(regions, boxes)
        best = iou.max(axis=1)
        targets[best >= 0.5] = class_ids[iou.argmax(axis=1)[best >= 0.5]]
        regions, targets = regions[(best < 0.4) | (best >= 0.5)], targets[(best < 0.4) | (best >= 0.5)]
    return regions, targets


def crop(image: Image, region: np.ndarray, side: int) -> Image:
    """The region, stretched to a square of ``side`` pixels."""
    x1, y1, x2, y2 = (round(float(value)) for value in region)
    return cv2.resize(image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)], (side, side), interpolation=cv2.INTER_LINEAR)
