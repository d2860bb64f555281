"""What only ONNX models can be: of free size, of other types, wrong in the middle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgedet.errors import InferenceError, ModelLoadError
from edgedet.runtime.base import TensorInfo
from edgedet.runtime.onnx import RUNTIME


def write(
    path: Path, nodes: list[Any], given_shape: list[Any], kind: int = TensorProto.FLOAT, **constants: Any
) -> Path:
    given = helper.make_tensor_value_info("x", kind, given_shape)
    out = helper.make_tensor_value_info("y", kind, None)
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "g", [given], [out], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


def test_free_dimensions(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx", [helper.make_node("Neg", ["x"], ["y"])], [1, 3, "height", None])
    session = RUNTIME.open(path, "cpu", 1)
    assert session.inputs == (TensorInfo("x", (1, 3, None, None), np.dtype(np.float32)),)
    for size in ((2, 3), (5, 1)):
        x = np.ones((1, 3, *size), np.float32)
        np.testing.assert_array_equal(session.run({"x": x})["y"], -x)
    with pytest.raises(ValueError, match=r"^x: expected \(1, 3, None, None\), got \(1, 4, 2, 2\)"):
        session.run({"x": np.ones((1, 4, 2, 2), np.float32)})


@pytest.mark.parametrize(("kind", "dtype"), [(TensorProto.FLOAT16, np.float16), (TensorProto.UINT8, np.uint8)])
def test_other_types(tmp_path: Path, kind: int, dtype: type) -> None:
    path = write(tmp_path / "m.onnx", [helper.make_node("Identity", ["x"], ["y"])], [2], kind)
    session = RUNTIME.open(path, "cpu", 1)
    given = np.array([1, 2], dtype)
    got = session.run({"x": given})["y"]
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, given)


def test_type_that_is_not_ours(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx", [helper.make_node("Identity", ["x"], ["y"])], [2], TensorProto.STRING)
    with pytest.raises(ModelLoadError, match=r"^x: expected one of tensor\(float\), .*, got tensor\(string\); "):
        RUNTIME.open(path, "cpu", 1)


def test_failure_in_the_middle_of_a_run(tmp_path: Path) -> None:
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    session = RUNTIME.open(write(tmp_path / "m.onnx", nodes, [None], shape=np.array([2, 2])), "cpu", 1)
    assert session.run({"x": np.zeros(4, np.float32)})["y"].shape == (2, 2)
    with pytest.raises(InferenceError, match="^onnxruntime: expected outputs, got .*; "):
        session.run({"x": np.zeros(5, np.float32)})
    assert session.run({"x": np.zeros(4, np.float32)})["y"].shape == (2, 2)


def test_weights_outside_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    (tmp_path / "bundle").mkdir()
    path = write(
        tmp_path / "bundle/m.onnx", [helper.make_node("Add", ["x", "w"], ["y"])], [4], w=np.ones(4, np.float32)
    )
    model = onnx.load(str(path))
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret.bin")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelLoadError, match="expected all weights in the file"):
        RUNTIME.open(path, "cpu", 1)
