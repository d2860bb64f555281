"""Anchors by octaves, and the parts of ``model.json`` that the published detectors have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from edgedet_converters.family import Cell, Family, Network

# As ``model.json`` has them.
Levels = Sequence[Mapping[str, Any]]


def octave_level(
    grid_wh: tuple[int, int],
    step: int,
    input_wh: tuple[int, int],
    *,
    scale: float,
    aspect_ratios: Sequence[float],
    scales_per_octave: int,
) -> dict[str, Any]:
    """A level of anchors as ``model.json`` has it, computed in double: for each ratio, sides that share an octave.

    Args:
        grid_wh: columns and rows.
        step: pixels from cell to cell.
        input_wh: width and height of the network's input.
        scale: side of the smallest square anchor, in steps.
        aspect_ratios: width / height.
        scales_per_octave: anchors of each ratio; each is 2^(1 / so many) times the side of the one before.
    """
    width, height = (scale * step / side for side in input_wh)
    octave = [2 ** (i / scales_per_octave) for i in range(scales_per_octave)]
    return {
        "grid_wh": list(grid_wh),
        "stride_wh": [float(step)] * 2,
        "cells_wh": [
            [width * factor * math.sqrt(ratio), height * factor / math.sqrt(ratio)]
            for ratio in aspect_ratios
            for factor in octave
        ],
    }


def detector_family(name: str, config: type, build: Callable[[Any], Cell], levels: Callable[[Any], Levels]) -> Family:
    """A family that is prepared, cut, decoded and evaluated as all published detectors are.

    Args:
        name: the family's name.
        config: its options; ``input_wh`` and ``num_classes`` are among them.
        build: config -> the cell: image -> raw deltas and raw logits.
        levels: config -> the levels of anchors, finest first.
    """
    return Family(
        name=name,
        config=config,
        build=build,
        networks=_networks,
        describe=lambda options: _describe(options.input_wh, levels(options)),
        labels="coco",
        prefix="network.",
    )


def _networks(cell: Cell, config: Any) -> Mapping[str, Network]:
    width, height = config.input_wh
    return {"model": Network(cell, {"image": (1, 3, height, width)}, ("deltas", "logits"))}


def _describe(input_wh: tuple[int, int], levels: Levels) -> dict[str, Any]:
    return {
        "tasks": ["detect"],
        "input": {
            "size_wh": list(input_wh),
            "color": "rgb",
            "mean": [123.675, 116.28, 103.53],
            "std": [58.395, 57.12, 57.375],
            "resize": "stretch",
        },
        "head": {
            "type": "anchors",
            "levels": list(levels),
            "variances": [0.1, 0.2],
            "clip": True,
            "activation": "sigmoid",
            "background": 0,
            "score_threshold": 0.1,
            "iou_threshold": 0.6,
            "max_per_class": 100,
            "max_detections": None,
            "plus_one": True,
        },
    }
