"""ResNet (He et al. 2015, the stride in the 3x3 convolution), the backbone of several families.

As in `blocks`: NCHW float32, the published parameter names, and only operations that MindSpore Lite's converter keeps.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops


def _convolution(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> nn.Cell:
    return nn.Conv2d(in_channels, out_channels, kernel, stride, pad_mode="same")


class Bottleneck(nn.Cell):  # type: ignore[misc]
    """Narrow by 1x1 to a quarter, filter by 3x3, widen by 1x1, add the input.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, a multiple of 4.
        stride: step of the 3x3 windows.
        project: bring the input to the output's shape by a 1x1 convolution before it is added.
        eps: of the batch normalisations.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, *, project: bool, eps: float) -> None:
        super().__init__()
        narrow = out_channels // 4
        self.conv1 = _convolution(in_channels, narrow, 1)
        self.bn1 = nn.BatchNorm2d(narrow, eps=eps)
        self.conv2 = _convolution(narrow, narrow, 3, stride)
        self.bn2 = nn.BatchNorm2d(narrow, eps=eps)
        self.conv3 = _convolution(narrow, out_channels, 1)
        self.bn3 = nn.BatchNorm2d(out_channels, eps=eps)
        self.relu = nn.ReLU()
        self.project = project
        if project:
            self.down_sample_layer = nn.SequentialCell(
                _convolution(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels, eps=eps)
            )

    def construct(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, ceil(H/stride), ceil(W/stride))."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        if self.project:
            x = self.down_sample_layer(x)
        return self.relu(ops.add(y, x))


class ResNet(nn.Cell):  # type: ignore[misc]
    """A 7x7 stem and four layers of bottlenecks, without the classifier.

    Args:
        stem_channels: channels of the first convolution.
        blocks: bottlenecks of each layer; (3, 4, 6, 3) is ResNet-50.
        channels: channels of each layer's output.
        eps: of the batch normalisations.
    """

    def __init__(
        self,
        stem_channels: int,
        blocks: tuple[int, int, int, int],
        channels: tuple[int, int, int, int],
        *,
        eps: float = 1e-3,
    ) -> None:
        super().__init__()
        self.conv1 = _convolution(3, stem_channels, 7, 2)
        self.bn1 = nn.BatchNorm2d(stem_channels, eps=eps)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, pad_mode="same")
        before = (stem_channels, *channels)
        layers = [
            nn.SequentialCell(
                [
                    Bottleneck(
                        channels[i] if block else before[i],
                        channels[i],
                        1 if block or i == 0 else 2,
                        project=block == 0,
                        eps=eps,
                    )
                    for block in range(blocks[i])
                ]
            )
            for i in range(4)
        ]
        self.layer1, self.layer2, self.layer3, self.layer4 = layers

    def construct(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, H, W) -> the outputs of the last three layers, at an 8th, a 16th and a 32nd of the size."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(image))))
        c3 = self.layer2(self.layer1(x))
        c4 = self.layer3(c3)
        return c3, c4, self.layer4(c4)
