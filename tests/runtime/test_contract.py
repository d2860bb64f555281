"""One contract that every session keeps. A new runtime is tested by being listed in `CASES`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from mindspore_lite_double import write_mindir
from mslite_double import NCHW, write_model
from onnx import TensorProto, helper

from edgedet import runtime as runtimes
from edgedet.errors import InferenceError, ModelLoadError, RuntimeUnavailable
from edgedet.runtime.base import Session, TensorInfo

SHAPE = (1, 3, 4, 5)


@dataclass(frozen=True)
class Case:
    """A runtime, how to write its model file for `answer`, and the fixture that makes its library be there."""

    runtime: str
    write: Callable[[Path], Path]
    needs: str | None = None
    device: str = "cpu"


def answer(x: np.ndarray) -> dict[str, np.ndarray]:
    """What the network of every case gives for its input ``x``."""
    return {"same": x, "twice": x + x, "total": x.sum(axis=(2, 3))}


def write_onnx(folder: Path) -> Path:
    nodes = [
        helper.make_node("Identity", ["x"], ["same"]),
        helper.make_node("Add", ["x", "x"], ["twice"]),
        helper.make_node("ReduceSum", ["x", "axes"], ["total"], keepdims=0),
    ]
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    shapes = {"same": SHAPE, "twice": SHAPE, "total": SHAPE[:2]}
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()}
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)
    graph = helper.make_graph(nodes, "contract", [given], list(values.values()), [axes])
    path = folder / "contract.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


def write_mslite(folder: Path) -> Path:
    path = folder / "contract.ms"
    real = os.environ.get("EDGEDET_TEST_MS_MODEL")
    if real is None:
        return write_model(path, "contract", inputs=[("x", SHAPE, NCHW)])
    shutil.copyfile(real, path)  # without its mode: converters write files that are only readable
    return path


def write_wheel(folder: Path) -> Path:
    real = os.environ.get("EDGEDET_TEST_WHEEL_MODEL")
    path = folder / "contract.mindir"
    return Path(shutil.copyfile(real, path)) if real else write_mindir(path, "contract", inputs=[("x", SHAPE, NCHW)])


CASES = [
    Case("onnx", write_onnx),
    Case("mslite", write_mslite, needs="mslite_library"),
    Case("mslite_wheel", write_wheel, needs="mindspore_lite"),
    Case("mslite_wheel", write_wheel, needs="mindspore_lite", device="ascend:1"),
]


@pytest.fixture(params=CASES, ids=lambda case: case.runtime)
def case(request: pytest.FixtureRequest) -> Case:
    if request.param.needs is not None:
        request.getfixturevalue(request.param.needs)
    why = runtimes.find(request.param.runtime).missing()
    if why:
        pytest.skip(why)
    return request.param


def start(case: Case, path: Path, threads: int | None = 1) -> Session:
    return runtimes.find(case.runtime).open(path, case.device, threads)


@pytest.fixture
def session(case: Case, tmp_path: Path) -> Iterator[Session]:
    opened = start(case, case.write(tmp_path))
    yield opened
    opened.close()


def sample(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)


def check(outputs: dict[str, np.ndarray], x: np.ndarray) -> None:
    assert outputs.keys() == answer(x).keys()
    for name, expected in answer(x).items():
        np.testing.assert_allclose(outputs[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)
        assert outputs[name].dtype == np.float32


def test_every_runtime_is_listed() -> None:
    assert sorted({case.runtime for case in CASES}) == runtimes.names()


def test_tensors_are_described(session: Session) -> None:
    assert session.inputs == (TensorInfo("x", SHAPE, np.dtype(np.float32)),)
    described = {info.name: (info.shape, info.dtype) for info in session.outputs}
    assert described == {name: (array.shape, np.float32) for name, array in answer(sample()).items()}


def test_answers(session: Session) -> None:
    for seed in range(3):
        check(session.run({"x": sample(seed)}), sample(seed))


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_thread_counts(case: Case, tmp_path: Path, threads: int | None) -> None:
    opened = start(case, case.write(tmp_path), threads)
    check(opened.run({"x": sample()}), sample())
    opened.close()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, 3e38])
def test_odd_numbers_go_through(session: Session, value: float) -> None:
    x = np.full(SHAPE, value, np.float32)
    np.testing.assert_array_equal(session.run({"x": x})["same"], x)


@pytest.mark.parametrize("feed", [{}, {"y": sample()}, {"x": sample(), "y": sample()}, {"X": sample()}])
def test_wrong_names(session: Session, feed: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"^feed: expected \['x'\], got "):
        session.run(feed)


WRONG: dict[str, Any] = {
    "float64": sample().astype(np.float64),
    "float16": sample().astype(np.float16),
    "int32": sample().astype(np.int32),
    "big_endian": sample().astype(">f4"),
    "list": sample().tolist(),
    "none": None,
    "scalar": np.float32(1),
    "flat": sample().ravel(),
    "no_batch": sample()[0],
    "batch_of_two": np.repeat(sample(), 2, axis=0),
    "nhwc": np.ascontiguousarray(sample().transpose(0, 2, 3, 1)),
    "empty": np.zeros((1, 3, 4, 0), np.float32),
    "more_axes": sample()[None],
    "fortran": np.asfortranarray(sample()),
    "flipped": sample()[:, :, ::-1],
    "every_other": np.zeros((1, 3, 4, 10), np.float32)[..., ::2],
    "broadcast": np.broadcast_to(np.float32(1), SHAPE),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_arrays_are_named_before_the_runtime_sees_them(session: Session, kind: str) -> None:
    with pytest.raises(ValueError, match=r"^x: expected .*, got .*; "):
        session.run({"x": WRONG[kind]})
    check(session.run({"x": sample()}), sample())


def test_the_input_is_only_read(session: Session) -> None:
    x = sample()
    x.flags.writeable = False
    check(session.run({"x": x}), x)
    np.testing.assert_array_equal(x, sample())


def test_outputs_belong_to_the_caller(case: Case, tmp_path: Path) -> None:
    opened = start(case, case.write(tmp_path))
    x = sample(1)
    first = opened.run({"x": x})
    assert not any(np.shares_memory(array, x) for array in first.values())
    second = opened.run({"x": sample(2)})
    check(first, x)
    for array in first.values():
        array[:] = -1  # writable, and nobody else's
    check(second, sample(2))
    x[:] = 0
    opened.close()
    check(second, sample(2))


def test_closed_session(session: Session) -> None:
    session.close()
    session.close()
    with pytest.raises(InferenceError, match="^session: expected an open one, got a closed one; "):
        session.run({"x": sample()})


def test_sessions_are_independent(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path)
    one, other = start(case, path), start(case, path)
    one.close()
    check(other.run({"x": sample()}), sample())
    other.close()


def test_four_threads_get_their_own_answers(session: Session) -> None:
    def work(thread: int) -> None:
        for i in range(50):
            x = sample(1000 * thread + i)
            check(session.run({"x": x}), x)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_close_while_others_run(session: Session) -> None:
    def work(_: int) -> str:
        try:
            for i in range(500):
                check(session.run({"x": sample(i)}), sample(i))
        except InferenceError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(work, i) for i in range(3)]
        pool.submit(session.close).result()
        assert {future.result() for future in running} <= {"", str(_closed(session))}


def _closed(session: Session) -> InferenceError:
    with pytest.raises(InferenceError) as caught:
        session.run({"x": sample()})
    return caught.value


@pytest.mark.parametrize("damage", ["empty", "garbage", "half", "one_byte_short", "text", "missing", "folder"])
def test_file_that_is_no_model(case: Case, tmp_path: Path, damage: str) -> None:
    path = case.write(tmp_path)
    whole = path.read_bytes()
    path.unlink()
    contents = {
        "empty": b"",
        "garbage": np.random.default_rng(0).bytes(4096),
        "half": whole[: len(whole) // 2],
        "one_byte_short": whole.rstrip(b"\0")[:-1],  # a flatbuffer may end in padding, which nobody misses
        "text": b"version https://git-lfs.github.com/spec/v1\n",
    }
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(contents[damage])
    with pytest.raises(ModelLoadError, match=rf"^{path.name}: expected an? .*, got .*; "):
        start(case, path)


def test_unknown_runtime() -> None:
    with pytest.raises(RuntimeUnavailable, match=r"^runtime: expected one of .*, got 'none'; "):
        runtimes.find("none")
