"""RetinaNet with NAS-FPN, as published in ``research/cv/nas-fpn`` of MindSpore's model zoo (branch r1.6).

A neck of seven equal stages lies between a ResNet-50 and the heads. A stage is nine merging cells that a search found
(Ghiasi et al. 2019): each brings two levels to one size, adds them or lets one attend to the other, and mostly ends in
a convolution. Every level has its own heads, without bias. The graph ends in raw deltas and logits: decoding and the
sigmoid belong to the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mindspore import Tensor, nn, ops

from edgedet_converters.blocks import AnchorOutput
from edgedet_converters.detectors import detector_family, octave_level
from edgedet_converters.resnet import ResNet

# The pyramid's levels: a cell of level n covers 2^n pixels.
_FIRST, _LAST = 3, 7

# Of each merging cell of a stage: the levels of its two inputs and of its result; whether the second input attends to
# the first (or both are added); whether a convolution follows.
_MERGES = (
    (6, 4, 4, True, True),
    (4, 4, 4, False, True),
    (4, 3, 3, False, True),
    (3, 4, 4, False, True),
    (4, 3, 5, True, False),
    (5, 5, 5, False, True),
    (5, 4, 7, True, False),
    (7, 7, 7, False, True),
    (7, 5, 6, True, True),
)


@dataclass(frozen=True)
class Config:
    """The options; the defaults are the published model.

    Attributes:
        num_classes: classes without the background; the network has one logit more, in column 0.
        input_wh: width and height of the image the network takes; multiples of 128, as levels are merged exactly.
        stem_channels: channels of the backbone's first convolution.
        stage_blocks: bottlenecks of the backbone's four layers.
        stage_channels: channels of their outputs.
        fpn_channels: channels of every level of the neck, and of the heads.
        fpn_stages: how many stages the neck has.
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
    fpn_stages: int = 7
    head_layers: int = 4
    anchor_scale: float = 4.0
    aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    scales_per_octave: int = 3

    def __post_init__(self) -> None:
        if any(side <= 0 or side % (1 << _LAST) for side in self.input_wh):
            raise ValueError(f"input_wh: expected multiples of {1 << _LAST}, got {list(self.input_wh)}")

    @property
    def anchors(self) -> int:
        """How many anchors a cell has."""
        return len(self.aspect_ratios) * self.scales_per_octave

    def grid_wh(self, level: int) -> tuple[int, int]:
        """Columns and rows."""
        width, height = self.input_wh
        return width >> level, height >> level


class ConvBN(nn.Cell):  # type: ignore[misc]
    """A 1x1 convolution without bias and its batch normalisation."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, pad_mode="same")
        self.batchnorm = nn.BatchNorm2d(out_channels, eps=1e-5)

    def construct(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H, W)."""
        return self.batchnorm(self.conv(x))


class OutConv(nn.Cell):  # type: ignore[misc]
    """What ends a merging cell: the ReLU comes first, and none follows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.features = nn.SequentialCell(
            nn.ReLU(), nn.Conv2d(channels, channels, 3, pad_mode="same"), nn.BatchNorm2d(channels, eps=1e-5)
        )

    def construct(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        return self.features(x)


class Resize(nn.Cell):  # type: ignore[misc]
    """Brings a level's map to the size of another: by its nearest neighbours, or by the maxima of equal windows."""

    def __init__(self, config: Config, level: int, wanted: int) -> None:
        super().__init__()
        if wanted < level:
            width, height = config.grid_wh(wanted)
            self.resize = ops.ResizeNearestNeighbor((height, width))
        else:
            ratio = 1 << (wanted - level)
            self.resize = nn.MaxPool2d(ratio, ratio)
        self.same = wanted == level

    def construct(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, wanted H, wanted W)."""
        return x if self.same else self.resize(x)


class Merge(nn.Cell):  # type: ignore[misc]
    """One merging cell; see ``_MERGES``."""

    def __init__(self, config: Config, first: int, second: int, wanted: int, attend: bool, convolve: bool) -> None:
        super().__init__()
        self.resize_first = Resize(config, first, wanted)
        self.resize_second = Resize(config, second, wanted)
        self.attend, self.convolve = attend, convolve
        self.mean = ops.ReduceMean(keep_dims=True)
        if convolve:
            self.out_conv = OutConv(config.fpn_channels)

    def construct(self, first: Tensor, second: Tensor) -> Tensor:
        """Two levels -> one of the wanted size."""
        first, second = self.resize_first(first), self.resize_second(second)
        if self.attend:
            first = ops.mul(ops.sigmoid(self.mean(second, (2, 3))), first)
        merged = ops.add(second, first)
        return self.out_conv(merged) if self.convolve else merged


class Neck(nn.Cell):  # type: ignore[misc]
    """The backbone's maps -> five levels of as many channels."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels = config.fpn_channels
        self.lateral_convs = nn.CellList([ConvBN(c, channels) for c in config.stage_channels[1:]])
        self.extra_downsamples = nn.CellList(
            [nn.SequentialCell(ConvBN(channels, channels), nn.MaxPool2d(2, 2, pad_mode="same")) for _ in range(2)]
        )
        self.fpn_stages = nn.CellList(
            [nn.CellList([Merge(config, *merge) for merge in _MERGES]) for _ in range(config.fpn_stages)]
        )

    def construct(self, c3: Tensor, c4: Tensor, c5: Tensor) -> tuple[Tensor, ...]:
        """Maps at an 8th, a 16th and a 32nd of the image -> levels, finest first."""
        p3, p4, p5 = self.lateral_convs[0](c3), self.lateral_convs[1](c4), self.lateral_convs[2](c5)
        p6 = self.extra_downsamples[0](p5)
        p7 = self.extra_downsamples[1](p6)
        for merge in self.fpn_stages:
            # Not the names of the paper's figure but its order; p3 to p7 are always the newest.
            middle = merge[1](merge[0](p6, p4), p4)
            p3 = merge[2](middle, p3)
            p4 = merge[3](p3, middle)
            p5 = merge[5](p5, merge[4](p4, p3))
            p7 = merge[7](p7, merge[6](p5, middle))
            p6 = merge[8](p7, p5)
        return p3, p4, p5, p6, p7


class Tower(nn.Cell):  # type: ignore[misc]
    """One head of one level: convolutions with ReLU between them, and no bias anywhere."""

    def __init__(self, config: Config, outputs: int) -> None:
        super().__init__()
        channels = config.fpn_channels
        layers: list[nn.Cell] = []
        for _ in range(config.head_layers):
            layers += [nn.Conv2d(channels, channels, 3, pad_mode="same"), nn.ReLU()]
        self.feats = nn.SequentialCell(*layers, nn.Conv2d(channels, outputs, 3, pad_mode="same"))

    def construct(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, outputs, H, W)."""
        return self.feats(x)


class Head(nn.Cell):  # type: ignore[misc]
    """The heads of all levels."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        levels, columns = range(_FIRST, _LAST + 1), 1 + config.num_classes
        self.multi_loc_layers = nn.CellList([Tower(config, 4 * config.anchors) for _ in levels])
        self.multi_cls_layers = nn.CellList([Tower(config, columns * config.anchors) for _ in levels])
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


class NasFpn(nn.Cell):  # type: ignore[misc]
    """Image in, raw deltas (``ty tx th tw``) and raw logits (background first) out."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.backbone = ResNet(config.stem_channels, config.stage_blocks, config.stage_channels)
        self.neck = Neck(config)
        self.head = Head(config)

    def construct(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) normalised RGB -> (B, N, 4) deltas, (B, N, 1 + classes) logits."""
        c3, c4, c5 = self.backbone(image)
        deltas, logits = self.head(self.neck(c3, c4, c5))
        return deltas, logits


def _levels(config: Config) -> list[dict[str, Any]]:
    return [
        octave_level(
            config.grid_wh(level),
            1 << level,
            config.input_wh,
            scale=config.anchor_scale,
            aspect_ratios=config.aspect_ratios,
            scales_per_octave=config.scales_per_octave,
        )
        for level in range(_FIRST, _LAST + 1)
    ]


FAMILY = detector_family("nas_fpn", Config, NasFpn, _levels)
