"""What MindSpore's exporters can't write, for each format, and what is exported in its place.

A cell that some exporter lacks keeps the operation in question in its attribute ``op``: one tensor in, one of the same
shape out. While such a format is written, `Format.rewrites` puts an equal of known operations there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np
from mindspore import Tensor, nn, ops

from edgedet_converters.blocks import LocalResponseNorm
from edgedet_converters.family import Network


@dataclass(frozen=True)
class Format:
    """A kind of file that MindSpore exports.

    Attributes:
        dynamic_from: dimensions from this one on may stay dynamic in the export; None: none may. All others are
            written in the size of `Network.sample`, and it is for the target or the runtime to open them.
        rewrites: type of a cell -> (cell -> what takes the place of its ``op``), for what the exporter can't write.
    """

    dynamic_from: int | None
    rewrites: Mapping[type, Callable[[Any], nn.Cell]] = field(default_factory=dict)

    def shapes(self, network: Network) -> list[tuple[int | None, ...]]:
        """The shapes to export a network with, one for each input."""
        first = self.dynamic_from
        return [
            tuple(
                sample if size is None and (first is None or axis < first) else size
                for axis, (size, sample) in enumerate(zip(shape, network.sample.get(role, shape)))
            )
            for role, shape in network.inputs.items()
        ]

    @contextmanager
    def rewritten(self, cell: Any) -> Iterator[None]:
        """Makes a cell one that the exporter can write, for as long as the context lasts."""
        parts = [part for _, part in cell.cells_and_names() if type(part) in self.rewrites]
        originals = [part.op for part in parts]
        try:
            for index, part in enumerate(parts):
                _replace(part, self.rewrites[type(part)](part))
                for parameter in part.op.get_parameters():
                    parameter.name = f"rewrite.{index}.{parameter.name}"
            yield
        finally:
            for part, original in zip(parts, originals):
                _replace(part, original)


def _replace(part: Any, op: Any) -> None:
    # Without the deletion a cell would linger among the children.
    del part.op
    part.op = op


class BandedNorm(nn.Cell):  # type: ignore[misc]
    """A `LocalResponseNorm` whose sums are a 1×1 convolution with a band of ones.

    ONNX has an LRN, and MindSpore's exporter lacks it; but ONNX Runtime takes more than twice as long over SPPNet's
    trunk with its own LRN than with this.
    """

    def __init__(self, norm: LocalResponseNorm) -> None:
        super().__init__()
        channel = np.arange(norm.channels)
        band = np.abs(channel[:, None] - channel) <= norm.depth_radius
        self.sums = nn.Conv2d(
            norm.channels,
            norm.channels,
            1,
            pad_mode="valid",
            has_bias=True,
            weight_init=Tensor((norm.alpha * band[:, :, None, None]).astype(np.float32)),
            bias_init=Tensor(np.full(norm.channels, norm.bias, np.float32)),
        )
        self.beta = Tensor(np.float32(norm.beta))
        self.is_root = norm.beta == 0.5

    def construct(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        sums = self.sums(ops.mul(x, x))
        if self.is_root:
            return ops.div(x, ops.sqrt(sums))
        return ops.div(x, ops.pow(sums, self.beta))


FORMATS = {
    # The exporter takes whole shapes only.
    "onnx": Format(dynamic_from=None, rewrites={LocalResponseNorm: BandedNorm}),
    # MindSpore Lite's converter fails on a dense layer whose number of rows is dynamic; with a static one it converts,
    # and the runtime resizes it.
    "mindir": Format(dynamic_from=1),
}
