"""The building blocks that several families share, with the parameter names of the published networks.

Every cell here takes and returns NCHW float32 tensors. Only operations that MindSpore Lite's converter keeps are
used: a tensor times a Python number, or a clamp with numbers, would vanish from the converted graph without an error.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops


class ConvBNReLU(nn.Cell):  # type: ignore[misc]
    """Convolution without bias, batch normalisation, ReLU6: ``features.0`` and ``features.1``.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel: side of the window.
        stride: step of the window; the padding is TensorFlow's SAME.
        depthwise: one window per channel (``in_channels`` equals ``out_channels``); weights are (C, 1, k, k).
        eps: of the batch normalisation.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        *,
        depthwise: bool = False,
        eps: float = 1e-3,
    ) -> None:
        super().__init__()
        groups = in_channels if depthwise else 1
        self.features = nn.SequentialCell(
            nn.Conv2d(in_channels, out_channels, kernel, stride, pad_mode="same", group=groups),
            nn.BatchNorm2d(out_channels, eps=eps),
            nn.ReLU6(),
        )

    def construct(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, ceil(H/stride), ceil(W/stride))."""
        return self.features(x)


class InvertedResidual(nn.Cell):  # type: ignore[misc]
    """MobileNetV2's block: widen by 1x1, filter each channel by 3x3, narrow by a linear 1x1, add the input if it fits.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        stride: step of the 3x3 windows.
        hidden: channels between; when they equal ``in_channels`` the widening is left out.
        last_relu: put a ReLU6 at the end, as SSD's extra levels do.
        residual: add the input where the shapes allow it.
        eps: of the batch normalisations.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        hidden: int,
        *,
        last_relu: bool = False,
        residual: bool = True,
        eps: float = 1e-3,
    ) -> None:
        super().__init__()
        widen = [ConvBNReLU(in_channels, hidden, 1, eps=eps)] if hidden != in_channels else []
        self.conv = nn.SequentialCell(
            *widen,
            ConvBNReLU(hidden, hidden, 3, stride, depthwise=True, eps=eps),
            nn.Conv2d(hidden, out_channels, 1, pad_mode="same"),
            nn.BatchNorm2d(out_channels, eps=eps),
            *([nn.ReLU6()] if last_relu else []),
        )
        self.residual = residual and stride == 1 and in_channels == out_channels

    def construct(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, ceil(H/stride), ceil(W/stride))."""
        if self.residual:
            return ops.add(x, self.conv(x))
        return self.conv(x)


class LocalResponseNorm(nn.Cell):  # type: ignore[misc]
    """Divides every number by the root of what its neighbours in other channels have in common (AlexNet's LRN).

    ``y = x / (bias + alpha · Σ x²)^beta`` over the channels up to ``depth_radius`` away: the sum, not the mean. The
    defaults are MindSpore's.

    Args:
        channels: of input and output.
        depth_radius: channels on each side.
        bias: keeps the divisor from 0.
        alpha: factor of the sum.
        beta: exponent.
    """

    def __init__(
        self, channels: int, depth_radius: int = 5, *, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
    ) -> None:
        super().__init__()
        self.channels, self.depth_radius = channels, depth_radius
        self.bias, self.alpha, self.beta = bias, alpha, beta
        # Exporters that lack it get something else here, see `edgedet_converters.formats`.
        self.op = ops.LRN(depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta)

    def construct(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        return self.op(x)


class AnchorOutput(nn.Cell):  # type: ignore[misc]
    """Joins the maps of all levels to one table of anchors.

    The order is level, row, column, anchor of the cell: channel ``a * columns + c`` of a map is column ``c`` of its
    ``a``-th anchor.

    Args:
        columns: numbers per anchor: 4 for deltas, 1 + classes for logits.
    """

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns

    def construct(self, maps: Sequence[Tensor]) -> Tensor:
        """Levels of (B, anchors * columns, H, W), finest first -> (B, N, columns)."""
        tables: tuple[Tensor, ...] = ()
        for level in maps:
            _, channels, height, width = level.shape
            rows = ops.transpose(level, (0, 2, 3, 1))
            # No batch size in the constant: converters may then open it.
            tables += (ops.reshape(rows, (-1, height * width * channels // self.columns, self.columns)),)
        return ops.concat(tables, 1)


def make_divisible(channels: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` nearest to ``channels``, never more than a tenth below (Sandler et al. 2018)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
