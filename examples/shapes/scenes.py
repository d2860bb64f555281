"""What training and evaluation share: which scenes are whose, and how a scene becomes a tensor.

Scenes differ by their seed. Those from ``TRAINING_SEED`` on are for training; those from ``HELD_OUT_SEED`` to it are
held out: nothing was ever fitted to them, and no choice made by them. Those before were looked at while choosing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgedet.camera.scene import Boxes, ClassIds, Image, draw_scene

HERE = Path(__file__).parent
HELD_OUT_SEED = 1_000
TRAINING_SEED = 1_000_000
FRAME_SIZES_WH = ((320, 240), (320, 240), (400, 300), (480, 360), (640, 480), (426, 240), (320, 320))


def load_config() -> dict[str, Any]:
    """The fields of the family's ``Config`` for this model."""
    return json.loads((HERE / "config.json").read_text())


def training_scene(index: int, input_wh: tuple[int, int]) -> tuple[Image, Boxes, ClassIds]:
    """The scene of that number, stretched: RGB (H, W, 3) uint8, normalised boxes (N, 4) ``x1 y1 x2 y2``, class ids."""
    size_wh = FRAME_SIZES_WH[index % len(FRAME_SIZES_WH)]
    # Every other one is crowded: more to learn from each picture.
    image, boxes, class_ids = draw_scene(TRAINING_SEED + index, size_wh, max_things=(7, 14)[index % 2])
    return stretch(image, input_wh), boxes / np.array([*size_wh, *size_wh], np.float32), class_ids


def held_out_scene(index: int) -> tuple[Image, Boxes, ClassIds]:
    """The scene of that number as a camera gives it: BGR (480, 640, 3) uint8, boxes in pixels, class ids."""
    if not 0 <= index < TRAINING_SEED - HELD_OUT_SEED:
        last = TRAINING_SEED - HELD_OUT_SEED - 1
        raise ValueError(f"index: expected 0 to {last}, got {index}; later seeds are for training")
    return draw_scene(HELD_OUT_SEED + index, (640, 480))


def stretch(image: Image, input_wh: tuple[int, int]) -> Image:
    """BGR frame of any size -> RGB image of the network's size, as the published evaluation does it."""
    return cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), input_wh, interpolation=cv2.INTER_LINEAR)


def to_tensor(images: np.ndarray, spec: Mapping[str, Any]) -> np.ndarray:
    """(B, H, W, 3) uint8 RGB -> (B, 3, H, W) float32, normalised by ``describe(config)["input"]``."""
    mean, std = np.float32(spec["mean"]), np.float32(spec["std"])
    return np.ascontiguousarray(((images - mean) / std).transpose(0, 3, 1, 2))


def anchors(description: Mapping[str, Any]) -> np.ndarray:
    """(N, 4) float32 ``cy cx h w``, normalised; order: level, row, column, cell."""
    width, height = description["input"]["size_wh"]
    tables = []
    for level in description["head"]["levels"]:
        columns, rows = level["grid_wh"]
        step_x, step_y = level["stride_wh"]
        cells = np.array(level["cells_wh"])
        table = np.empty((rows, columns, len(cells), 4))
        table[..., 0] = ((np.arange(rows) + 0.5) * step_y / height)[:, None, None]
        table[..., 1] = ((np.arange(columns) + 0.5) * step_x / width)[None, :, None]
        table[..., 2:] = cells[:, ::-1]
        tables.append(table.reshape(-1, 4))
    return np.concatenate(tables).astype(np.float32)
