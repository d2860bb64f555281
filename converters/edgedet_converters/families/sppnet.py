"""SPPNet, as published in ``research/cv/SPPNet`` of MindSpore's model zoo (branch r1.8): an ImageNet classifier.

Five convolutions (the *trunk*), spatial pyramid pooling, three dense layers (the *head*). Only the pooling ties the
published network to its input of 224×224, and the device does it itself: trunk and head are exported each on its own,
the trunk for images of any size, the head for any number of pooled rows.

The three published variants differ in their checkpoints, and in the pooling:

* ``sppnet_mult``, trained at 224 and 180, and ``sppnet_single``, trained at 224: levels of 6, 3, 2 and 1 bins.
* ``zfnet``, the network without the pyramid: its 3×3 windows of stride 2 on the map of 13×13 are exactly the bins of
  one level of 6, so that is what its levels are.

fc1's columns stay in the order of the published flattening (level, channel, row, column), which is the order of
`edgedet.ops.spp_pool`: nothing is permuted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mindspore import Tensor, nn, ops

from edgedet_converters.blocks import LocalResponseNorm
from edgedet_converters.family import Family, Network

#: The levels of each variant.
VARIANTS = {"sppnet_mult": (6, 3, 2, 1), "sppnet_single": (6, 3, 2, 1), "zfnet": (6,)}

# Side, step and padding of the windows, convolutions and pools alike, in order.
_CONVS = ((7, 2, "same"), (5, 2, "same"), (3, 1, "same"), (3, 1, "same"), (3, 1, "same"))
_POOL = (3, 2, "valid")
_WINDOWS = (_CONVS[0], _POOL, _CONVS[1], _POOL, *_CONVS[2:])


@dataclass(frozen=True)
class Config:
    """The options; the defaults are the published ``sppnet_mult``. Lists, as JSON has them, become tuples.

    Attributes:
        variant: a name in `VARIANTS`; decides the levels.
        num_classes: how many classes there are.
        input_wh: width and height of what is cut from the middle of the resized image.
        resize_wh: width and height that an image is stretched to before that.
        channels: of the five convolutions.
        hidden: widths of the first two dense layers.
        levels: bins along an axis, for each level of the pooling; None: the variant's.
        shorter_side: for regions, an image is resized until its shorter side has so many pixels; the default is the
            scale of the paper's detector where it uses a single one (section 4).
    """

    variant: str = "sppnet_mult"
    num_classes: int = 1000
    input_wh: tuple[int, int] = (224, 224)
    resize_wh: tuple[int, int] = (256, 256)
    channels: tuple[int, ...] = (96, 256, 384, 384, 256)
    hidden: tuple[int, int] = (4096, 4096)
    levels: tuple[int, ...] | None = None
    shorter_side: int = 688

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise ValueError(f"variant: expected one of {', '.join(VARIANTS)}, got {self.variant!r}")
        levels = VARIANTS[self.variant] if self.levels is None else self.levels
        object.__setattr__(self, "levels", levels)
        for name, count in (("input_wh", 2), ("resize_wh", 2), ("channels", 5), ("hidden", 2), ("levels", len(levels))):
            value = tuple(getattr(self, name))
            object.__setattr__(self, name, value)
            if len(value) != count or not value or min(value) < 1:
                raise ValueError(f"{name}: expected {count or 'some'} positive numbers, got {list(value)}")
        if self.shorter_side < 1:
            raise ValueError(f"shorter_side: expected a positive number, got {self.shorter_side}")
        if any(small > large for small, large in zip(self.input_wh, self.resize_wh)):
            raise ValueError(f"resize_wh: expected at least input_wh {self.input_wh}, got {self.resize_wh}")

    @property
    def pooled(self) -> int:
        """How many numbers the pooling makes of a region."""
        return self.channels[-1] * sum(bins * bins for bins in self.levels or ())


class Trunk(nn.Cell):  # type: ignore[misc]
    """The convolutions: normalisation comes after the ReLU and before the pool."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels = (3, *config.channels)
        convs = [
            nn.Conv2d(channels[i], channels[i + 1], kernel, stride, pad_mode=pad, has_bias=True)
            for i, (kernel, stride, pad) in enumerate(_CONVS)
        ]
        self.conv1, self.conv2, self.conv3, self.conv4, self.conv5 = convs
        self.relu = nn.ReLU()
        self.norm1, self.norm2 = LocalResponseNorm(channels[1]), LocalResponseNorm(channels[2])
        self.pool = nn.MaxPool2d(*_POOL[:2], pad_mode=_POOL[2])

    def construct(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) normalised RGB -> (B, C, rows, columns), about a cell for every 16 pixels."""
        x = self.pool(self.norm1(self.relu(self.conv1(image))))
        x = self.pool(self.norm2(self.relu(self.conv2(x))))
        x = self.relu(self.conv4(self.relu(self.conv3(x))))
        return self.relu(self.conv5(x))


class Head(nn.Cell):  # type: ignore[misc]
    """The dense layers, each region a row."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.fc1 = nn.Dense(config.pooled, config.hidden[0])
        self.fc2 = nn.Dense(config.hidden[0], config.hidden[1])
        self.fc3 = nn.Dense(config.hidden[1], config.num_classes)
        self.relu = nn.ReLU()

    def construct(self, pooled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(R, pooled) -> what fc1 and fc2 give after their ReLU, and (R, classes) logits."""
        fc1 = self.relu(self.fc1(pooled))
        fc2 = self.relu(self.fc2(fc1))
        return fc1, fc2, self.fc3(fc2)


class SppNet(nn.Cell):  # type: ignore[misc]
    """The whole network, for the golden outputs: image in, logits out."""

    def __init__(self, config: Config) -> None:
        # The published names have no prefix: conv1.weight, fc1.weight.
        super().__init__(auto_prefix=False)
        self.trunk = Trunk(config)
        self.pools = nn.CellList([nn.AdaptiveMaxPool2d((bins, bins)) for bins in config.levels or ()])
        self.head = Head(config)

    def construct(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) normalised RGB -> (B, classes) logits."""
        features = self.trunk(image)
        rows: tuple[Tensor, ...] = ()
        for pool in self.pools:
            rows += (ops.reshape(pool(features), (image.shape[0], -1)),)
        _, _, logits = self.head(ops.concat(rows, 1))
        return logits


def build(config: Config) -> SppNet:
    """The network with fresh parameters."""
    return SppNet(config)


def networks(cell: SppNet, config: Config) -> Mapping[str, Network]:
    """The two graphs: image -> features, and pooled rows -> fc1, fc2, logits."""
    width, height = config.input_wh
    return {
        "trunk": Network(
            cell.trunk, {"image": (1, 3, None, None)}, ("features",), sample={"image": (1, 3, height, width)}
        ),
        "head": Network(
            cell.head,
            {"pooled": (None, config.pooled)},
            ("fc1", "fc2", "logits"),
            sample={"pooled": (64, config.pooled)},
        ),
    }


def describe(config: Config) -> Mapping[str, Any]:
    """The parts of ``model.json`` that follow from the config: tasks, input, head."""
    return {
        "tasks": ["classify", "regions"],
        "input": {
            "size_wh": list(config.input_wh),
            "color": "rgb",
            "mean": [123.675, 116.28, 103.53],
            "std": [58.395, 57.12, 57.375],
            "resize": "stretch",
            "resize_wh": list(config.resize_wh),
        },
        "head": {
            "type": "spp",
            "levels": list(config.levels or ()),
            "trunk": [{"kernel": kernel, "stride": stride, "pad": pad} for kernel, stride, pad in _WINDOWS],
            "activation": "softmax",
            "shorter_side": config.shorter_side,
        },
    }


FAMILY = Family(
    name="sppnet",
    config=Config,
    build=build,
    networks=networks,
    describe=describe,
    labels="imagenet",
    outputs=("logits",),
    low_rank=("head.fc1", "head.fc2"),
)
