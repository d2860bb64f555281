"""What an exporter can't write is exported as something equal, and afterwards the cell is as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

pytest.importorskip("mindspore", reason="needs the extra [convert]")
from checkpoints import graph_mode

from edgedet_converters import mindir
from edgedet_converters.blocks import LocalResponseNorm
from edgedet_converters.family import Network
from edgedet_converters.formats import FORMATS
from edgedet_converters.targets import find as find_target
from edgedet_converters.targets import names as target_names

pytestmark = pytest.mark.convert


@pytest.fixture(autouse=True, scope="module")
def in_graph_mode():
    with graph_mode():
        yield


def normalised(x, radius, bias, alpha, beta):
    """The formula, one channel after the other."""
    squares, out = x.astype(np.float64) ** 2, np.empty(x.shape)
    for channel in range(x.shape[1]):
        window = squares[:, max(0, channel - radius) : channel + radius + 1]
        out[:, channel] = x[:, channel] / (bias + alpha * window.sum(1)) ** beta
    return out


def make_net(**options):
    from mindspore import nn

    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.first = LocalResponseNorm(5, **options)
            self.rest = nn.SequentialCell(nn.Conv2d(5, 7, 1), LocalResponseNorm(7, **options))

        def construct(self, x):
            return self.rest(self.first(x))

    return Net().set_train(False)


@pytest.mark.parametrize(
    "options", [{}, {"depth_radius": 1}, {"depth_radius": 2, "bias": 2.0, "alpha": 1e-2, "beta": 0.75}]
)
def test_local_response_normalisation(tmp_path: Path, options: dict[str, float]) -> None:
    import mindspore

    cell = LocalResponseNorm(12, **options)
    x = np.random.default_rng(0).normal(0, 3, (2, 12, 4, 3)).astype(np.float32)
    expected = normalised(x, cell.depth_radius, cell.bias, cell.alpha, cell.beta)
    np.testing.assert_allclose(cell(mindspore.Tensor(x)).asnumpy(), expected, rtol=1e-5, atol=1e-6)
    with FORMATS["onnx"].rewritten(cell):
        mindspore.export(cell, mindspore.Tensor(x), file_name=str(tmp_path / "norm"), file_format="ONNX")
    session = onnxruntime.InferenceSession(str(tmp_path / "norm.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: x})
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_cell_is_afterwards_as_it_was(tmp_path: Path) -> None:
    import mindspore

    net, image = make_net(), mindspore.Tensor(np.ones((1, 5, 4, 4), np.float32))
    names = [parameter.name for parameter in net.get_parameters()]
    mindspore.export(net, image, file_name=str(tmp_path / "before"), file_format="MINDIR")
    with FORMATS["onnx"].rewritten(net):
        assert len(list(net.get_parameters())) == len(names) + 4
        mindspore.export(net, image, file_name=str(tmp_path / "rewritten"), file_format="ONNX")
    mindspore.export(net, image, file_name=str(tmp_path / "after"), file_format="MINDIR")
    assert [parameter.name for parameter in net.get_parameters()] == names
    before, after = (mindir.primitives(tmp_path / f"{name}.mindir") for name in ("before", "after"))
    assert before == after and after["LRN"] == 2 and after["Conv2D"] == 1
    kinds = [node.op_type for node in onnx.load(tmp_path / "rewritten.onnx").graph.node]
    assert kinds.count("Conv") == 3


def test_an_error_puts_the_cell_back(tmp_path: Path) -> None:
    net = make_net()
    with pytest.raises(KeyError), FORMATS["onnx"].rewritten(net):
        raise KeyError
    assert type(net.first.op).__name__ == "LRN" and len(list(net.get_parameters())) == 1


def test_mindir_keeps_the_operation() -> None:
    net = make_net()
    with FORMATS["mindir"].rewritten(net):
        assert type(net.first.op).__name__ == "LRN"


def test_each_format_has_its_own_dynamic_dimensions() -> None:
    trunk = Network(None, {"image": (1, 3, None, None)}, ("features",), sample={"image": (1, 3, 32, 48)})
    head = Network(None, {"pooled": (None, 30)}, ("logits",), sample={"pooled": (64, 30)})
    whole = Network(None, {"image": (1, 3, 8, 9)}, ("deltas",))
    assert [FORMATS["onnx"].shapes(network) for network in (trunk, head, whole)] == [
        [(1, 3, 32, 48)],
        [(64, 30)],
        [(1, 3, 8, 9)],
    ]
    assert [FORMATS["mindir"].shapes(network) for network in (trunk, head, whole)] == [
        [(1, 3, None, None)],
        [(64, 30)],
        [(1, 3, 8, 9)],
    ]


def test_every_target_has_a_format() -> None:
    assert {find_target(name).format for name in target_names()} <= FORMATS.keys()
