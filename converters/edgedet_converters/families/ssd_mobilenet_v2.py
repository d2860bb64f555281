"""SSD on MobileNetV2, as published in ``research/cv/ssd_mobilenetV2`` of MindSpore's model zoo (branch r1.8).

The backbone's two halves give the two finest levels (the first through an expansion of its own), inverted residuals
of stride 2 give the rest. Every level has its own pair of heads: a dense 3x3, then a 1x1 to 4 deltas and 1 + classes
logits per anchor. The graph ends there: decoding and the sigmoid belong to the device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mindspore import Tensor, nn

from edgedet_converters.blocks import AnchorOutput, ConvBNReLU, InvertedResidual, make_divisible
from edgedet_converters.detectors import detector_family


@dataclass(frozen=True)
class Config:
    """The options; the defaults are the published model. Lists, as JSON has them, become tuples.

    Attributes:
        num_classes: classes without the background; the network has one logit more, in column 0.
        input_wh: width and height of the image the network takes.
        stem_channels: channels of the first convolution (3x3, stride 2).
        stages: the backbone: (expansion, channels, repeats, stride of the first) of each stage.
        split: how many stages come before the finest level is taken.
        expand_ratio: the finest level has this many times the channels of the stage it is taken from.
        last_channels: channels of the backbone's end, the second level.
        width: multiplies the stem's and the stages' channels, rounded to multiples of 8.
        extras: (channels, hidden channels) of each further level.
        steps: pixels from cell to cell, per level; None is input size / grid, exactly.
        scales: side of a level's square cell as a fraction of the input, and one more number for the last level's
            geometric mean with its successor.
        small_scale: side of the finest level's square cell, which has no geometric mean.
        aspect_ratios: per level; each ratio gives a lying and a standing cell.
    """

    num_classes: int = 80
    input_wh: tuple[int, int] = (320, 320)
    stem_channels: int = 32
    stages: tuple[tuple[int, int, int, int], ...] = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    split: int = 5
    expand_ratio: float = 6.0
    last_channels: int = 1280
    width: float = 1.0
    extras: tuple[tuple[int, int], ...] = ((512, 256), (256, 128), (256, 128), (128, 64))
    steps: tuple[float, ...] | None = (16, 32, 64, 108, 160, 320)
    scales: tuple[float, ...] = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
    small_scale: float = 0.1
    aspect_ratios: tuple[tuple[float, ...], ...] = ((2,), (2, 3), (2, 3), (2, 3), (2, 3), (2, 3))

    def __post_init__(self) -> None:
        for name in ("input_wh", "stages", "extras", "steps", "scales", "aspect_ratios"):
            object.__setattr__(self, name, _as_tuple(getattr(self, name)))
        for name, count in (("scales", self.levels + 1), ("aspect_ratios", self.levels), ("steps", self.levels)):
            value = getattr(self, name)
            if value is not None and len(value) != count:
                raise ValueError(f"{name}: expected {count} entries for {self.levels} levels, got {len(value)}")
        if not 0 < self.split < len(self.stages):
            raise ValueError(f"split: expected 1 to {len(self.stages) - 1}, got {self.split}")

    @property
    def levels(self) -> int:
        """How many levels there are."""
        return 2 + len(self.extras)

    def channels(self, published: int) -> int:
        """A stage's channels at this width."""
        return published if self.width == 1 else make_divisible(published * self.width)


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, (list, tuple)) else value


class Backbone(nn.Cell):  # type: ignore[misc]
    """MobileNetV2 without its classifier, in two halves."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels = config.channels(config.stem_channels)
        cells: list[nn.Cell] = [ConvBNReLU(3, channels, 3, 2)]
        for index, (ratio, published, repeats, stride) in enumerate(config.stages):
            if index == config.split:
                self.features_1 = nn.SequentialCell(cells)
                self.fine_channels = round(channels * config.expand_ratio)
                self.expand_layer_conv_13 = ConvBNReLU(channels, self.fine_channels, 1)
                cells = []
            for repeat in range(repeats):
                narrow = config.channels(published)
                cells.append(InvertedResidual(channels, narrow, 1 if repeat else stride, round(channels * ratio)))
                channels = narrow
        self.features_2 = nn.SequentialCell([*cells, ConvBNReLU(channels, config.last_channels, 1)])

    def construct(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) -> the two finest levels."""
        fine = self.features_1(image)
        return self.expand_layer_conv_13(fine), self.features_2(fine)


class MultiBox(nn.Cell):  # type: ignore[misc]
    """The heads of all levels."""

    def __init__(self, channels: list[int], anchors: list[int], columns: int) -> None:
        super().__init__()
        self.multi_loc_layers = nn.CellList([_head(c, 4 * a) for c, a in zip(channels, anchors)])
        self.multi_cls_layers = nn.CellList([_head(c, columns * a) for c, a in zip(channels, anchors)])
        self.join_deltas = AnchorOutput(4)
        self.join_logits = AnchorOutput(columns)

    def construct(self, levels: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Levels of (B, C, H, W), finest first -> (B, N, 4) deltas and (B, N, 1 + classes) logits."""
        deltas: tuple[Tensor, ...] = ()
        logits: tuple[Tensor, ...] = ()
        for index, level in enumerate(levels):
            deltas += (self.multi_loc_layers[index](level),)
            logits += (self.multi_cls_layers[index](level),)
        return self.join_deltas(deltas), self.join_logits(logits)


def _head(channels: int, outputs: int) -> nn.Cell:
    return nn.SequentialCell(
        nn.Conv2d(channels, channels, 3, pad_mode="same"),
        nn.BatchNorm2d(channels, eps=1e-3),
        nn.ReLU6(),
        nn.Conv2d(channels, outputs, 1, pad_mode="same", has_bias=True),
    )


class SsdMobileNetV2(nn.Cell):  # type: ignore[misc]
    """Image in, raw deltas (``ty tx th tw``) and raw logits (background first) out."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.backbone = Backbone(config)
        channels = [self.backbone.fine_channels, config.last_channels]
        extras = []
        for narrow, hidden in config.extras:
            extras.append(InvertedResidual(channels[-1], narrow, 2, hidden, last_relu=True))
            channels.append(narrow)
        self.multi_residual = nn.CellList(extras)
        anchors = [len(_cells_wh(config, level)) for level in range(config.levels)]
        self.multi_box = MultiBox(channels, anchors, 1 + config.num_classes)

    def construct(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) normalised RGB -> (B, N, 4) deltas, (B, N, 1 + classes) logits."""
        fine, level = self.backbone(image)
        levels: tuple[Tensor, ...] = (fine, level)
        for extra in self.multi_residual:
            level = extra(level)
            levels += (level,)
        deltas, logits = self.multi_box(levels)
        return deltas, logits


def _cells_wh(config: Config, level: int) -> list[list[float]]:
    """Width and height of each anchor in a cell of that level, as fractions of the input, in double."""
    scale, ratios = config.scales[level], config.aspect_ratios[level]
    pairs = [(scale * math.sqrt(ratio), scale / math.sqrt(ratio)) for ratio in ratios]
    cells = [list(cell) for width, height in pairs for cell in ((width, height), (height, width))]
    if level == 0:
        return [[config.small_scale, config.small_scale], *cells]
    between = math.sqrt(scale * config.scales[level + 1])
    return [[scale, scale], *cells, [between, between]]


def _grids(config: Config) -> list[list[int]]:
    """Columns and rows of each level: SAME padding rounds every halving up."""
    halvings = 1 + sum(stride == 2 for _, _, _, stride in config.stages[: config.split])
    grid = list(config.input_wh)
    for _ in range(halvings):
        grid = [(side + 1) // 2 for side in grid]
    grids = [grid]
    for stride in [math.prod(stride for _, _, _, stride in config.stages[config.split :])] + [2] * len(config.extras):
        grid = [-(-side // stride) for side in grid]
        grids.append(grid)
    return grids


def _levels(config: Config) -> list[dict[str, Any]]:
    levels = []
    for index, grid in enumerate(_grids(config)):
        if config.steps is None:
            stride = [size / cells for size, cells in zip(config.input_wh, grid)]
        else:
            stride = [config.steps[index]] * 2
        levels.append({"grid_wh": grid, "stride_wh": stride, "cells_wh": _cells_wh(config, index)})
    return levels


FAMILY = detector_family("ssd_mobilenet_v2", Config, SsdMobileNetV2, _levels)
