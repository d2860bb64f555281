"""SSD on ResNet-50 with a feature pyramid, as published in ``official/cv/ssd`` of MindSpore's model zoo (branch r1.7).

Three levels come from the backbone through the pyramid's top-down path, two more from strided convolutions on its
end. All levels share the convolutions of their heads, but each has batch normalisations of its own. The graph ends in
raw deltas and logits: decoding and the sigmoid belong to the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from mindspore import Tensor, nn, ops

from edgedet_converters.blocks import AnchorOutput
from edgedet_converters.detectors import detector_family, octave_level
from edgedet_converters.resnet import ResNet


@dataclass(frozen=True)
class Config:
    """The options; the defaults are the published model.

    Attributes:
        num_classes: classes without the background; the network has one logit more, in column 0.
        input_wh: width and height of the image the network takes.
        stem_channels: channels of the backbone's first convolution.
        stage_blocks: bottlenecks of the backbone's four layers.
        stage_channels: channels of their outputs.
        fpn_channels: channels of every level of the pyramid, and of the heads.
        extra_levels: levels below the backbone's three, each half as large as the one before.
        head_layers: 3x3 convolutions of a head before its last.
        anchor_scale: side of a level's square anchor, in steps.
        aspect_ratios: width / height of the anchors.
        scales_per_octave: anchors of each ratio; each is 2^(1 / so many) times the side of the one before.
    """

    num_classes: int = 80
    input_wh: tuple[int, int] = (640, 640)
    stem_channels: int = 64
    stage_blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    stage_channels: tuple[int, int, int, int] = (256, 512, 1024, 2048)
    fpn_channels: int = 256
    extra_levels: int = 2
    head_layers: int = 4
    anchor_scale: float = 4.0
    aspect_ratios: tuple[float, ...] = (1.0, 2.0, 0.5)
    scales_per_octave: int = 2

    @property
    def levels(self) -> int:
        """How many levels there are."""
        return 3 + self.extra_levels

    @property
    def anchors(self) -> int:
        """How many anchors a cell has."""
        return len(self.aspect_ratios) * self.scales_per_octave

    def step(self, level: int) -> int:
        """Pixels from cell to cell."""
        return int(8 << level)

    def grid_wh(self, level: int) -> tuple[int, int]:
        """Columns and rows: SAME padding rounds every halving up."""
        width, height = self.input_wh
        return -(-width // self.step(level)), -(-height // self.step(level))


def interpolation(cells: int, wanted: int) -> npt.NDArray[np.float32]:
    """(cells, wanted): a row vector times this is enlarged linearly, corners not aligned, no half-pixel centres."""
    source = np.arange(wanted) * (cells / wanted)
    low = np.floor(source).astype(int)
    matrix = np.zeros((cells, wanted))
    matrix[low, np.arange(wanted)] += 1 - (source - low)
    matrix[np.minimum(low + 1, cells - 1), np.arange(wanted)] += source - low
    return matrix.astype(np.float32)


class Enlarge(nn.Cell):  # type: ignore[misc]
    """Bilinear resize as two matrix products: neither ONNX nor MindSpore Lite takes MindSpore's own resize.

    Args:
        cells_wh: columns and rows of the input.
        wanted_wh: columns and rows of the output.
    """

    def __init__(self, cells_wh: tuple[int, int], wanted_wh: tuple[int, int]) -> None:
        super().__init__()
        self.columns, self.rows = (Tensor(interpolation(n, m)) for n, m in zip(cells_wh, wanted_wh))
        self.cells_wh, self.wanted_wh = cells_wh, wanted_wh
        self.multiply = ops.MatMul()

    def construct(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, wanted H, wanted W)."""
        batch, channels = x.shape[:2]
        (width, height), (wide, high) = self.cells_wh, self.wanted_wh
        x = self.multiply(ops.reshape(x, (-1, width)), self.columns)
        x = ops.transpose(ops.reshape(x, (-1, height, wide)), (0, 2, 1))
        x = self.multiply(ops.reshape(x, (-1, height)), self.rows)
        x = ops.transpose(ops.reshape(x, (-1, wide, high)), (0, 2, 1))
        return ops.reshape(x, (batch, channels, high, wide))


def _conv_bn_relu(channels: int, stride: int) -> nn.Cell:
    return nn.SequentialCell(
        nn.Conv2d(channels, channels, 3, stride, pad_mode="same"), nn.BatchNorm2d(channels, eps=1e-5), nn.ReLU6()
    )


class Fpn(nn.Cell):  # type: ignore[misc]
    """The top-down path: every level is its own map plus the coarser level, enlarged; then one convolution each."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels = config.fpn_channels
        self.lateral_convs_list = nn.CellList(
            [nn.Conv2d(c, channels, 1, pad_mode="same", has_bias=True) for c in config.stage_channels[1:]]
        )
        self.enlarge = nn.CellList([Enlarge(config.grid_wh(i + 1), config.grid_wh(i)) for i in range(2)])
        self.fpn_convs_list = nn.CellList([_conv_bn_relu(channels, 1) for _ in range(3)])

    def construct(self, c3: Tensor, c4: Tensor, c5: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The backbone's maps -> three levels of as many channels, finest first."""
        p5 = self.lateral_convs_list[2](c5)
        p4 = ops.add(self.lateral_convs_list[1](c4), self.enlarge[1](p5))
        p3 = ops.add(self.lateral_convs_list[0](c3), self.enlarge[0](p4))
        return self.fpn_convs_list[0](p3), self.fpn_convs_list[1](p4), self.fpn_convs_list[2](p5)


class BottomUp(nn.Cell):  # type: ignore[misc]
    """The levels below the backbone's."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.blocks = nn.CellList([_conv_bn_relu(config.fpn_channels, 2) for _ in range(config.extra_levels)])

    def construct(self, levels: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The levels so far -> all levels."""
        for block in self.blocks:
            levels += (block(levels[-1]),)
        return levels


class FeatureExtractor(nn.Cell):  # type: ignore[misc]
    """Image -> levels."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.resnet = ResNet(config.stem_channels, config.stage_blocks, config.stage_channels)
        self.fpn = Fpn(config)
        self.bottom_up = BottomUp(config)

    def construct(self, image: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) -> levels of (B, C, H / step, W / step), finest first."""
        c3, c4, c5 = self.resnet(image)
        levels: tuple[Tensor, ...] = self.bottom_up(self.fpn(c3, c4, c5))
        return levels


class HeadLayer(nn.Cell):  # type: ignore[misc]
    """A convolution that other levels use too, and a batch normalisation that they don't."""

    def __init__(self, shared: nn.Cell, channels: int) -> None:
        super().__init__()
        self.features = nn.SequentialCell(shared, nn.BatchNorm2d(channels, eps=1e-3), nn.ReLU6())

    def construct(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        return self.features(x)


class MultiBox(nn.Cell):  # type: ignore[misc]
    """The heads of all levels."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        columns = 1 + config.num_classes
        self.addition_layer_loc = _towers(config)
        self.addition_layer_cls = _towers(config)
        # Lists of one: so the published names have it.
        self.loc_layers = nn.CellList([_convolution(config.fpn_channels, 4 * config.anchors)])
        self.cls_layers = nn.CellList([_convolution(config.fpn_channels, columns * config.anchors)])
        self.join_deltas = AnchorOutput(4)
        self.join_logits = AnchorOutput(columns)

    def construct(self, levels: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Levels of (B, C, H, W), finest first -> (B, N, 4) deltas and (B, N, 1 + classes) logits."""
        deltas: tuple[Tensor, ...] = ()
        logits: tuple[Tensor, ...] = ()
        for index, level in enumerate(levels):
            deltas += (self.loc_layers[0](self.addition_layer_loc[index](level)),)
            logits += (self.cls_layers[0](self.addition_layer_cls[index](level)),)
        return self.join_deltas(deltas), self.join_logits(logits)


def _convolution(channels: int, outputs: int) -> nn.Cell:
    return nn.Conv2d(channels, outputs, 3, pad_mode="same", has_bias=True)


def _towers(config: Config) -> nn.CellList:
    """One per level. A parameter has the name of where it is met first: the convolutions have the first level's."""
    channels = config.fpn_channels
    shared = [_convolution(channels, channels) for _ in range(config.head_layers)]
    return nn.CellList(
        [nn.SequentialCell([HeadLayer(layer, channels) for layer in shared]) for _ in range(config.levels)]
    )


class SsdResNet50Fpn(nn.Cell):  # type: ignore[misc]
    """Image in, raw deltas (``ty tx th tw``) and raw logits (background first) out."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.feature_extractor = FeatureExtractor(config)
        self.multi_box = MultiBox(config)

    def construct(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) normalised RGB -> (B, N, 4) deltas, (B, N, 1 + classes) logits."""
        deltas, logits = self.multi_box(self.feature_extractor(image))
        return deltas, logits


def _levels(config: Config) -> list[dict[str, Any]]:
    return [
        octave_level(
            config.grid_wh(level),
            config.step(level),
            config.input_wh,
            scale=config.anchor_scale,
            aspect_ratios=config.aspect_ratios,
            scales_per_octave=config.scales_per_octave,
        )
        for level in range(config.levels)
    ]


FAMILY = detector_family("ssd_resnet50_fpn", Config, SsdResNet50Fpn, _levels)
