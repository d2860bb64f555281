"""What the Python package gets wrong in silence: first that the double does, then that our session lets none through.

Against the double (tests/mindspore_lite_double), always: the real package can't be told to misbehave.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from mslite_double import NCHW, NHWC, write_model

from edgedet.errors import InferenceError, ModelLoadError
from edgedet.runtime import mslite_wheel
from edgedet.runtime.base import Lender, TensorInfo
from edgedet.runtime.mslite_wheel import MsliteWheelSession

SHAPE = (1, 3, 4, 5)
FREE = [("x", (1, 3, -1, -1), NCHW)]
F32 = np.dtype(np.float32)


@pytest.fixture(autouse=True)
def _package(mindspore_lite: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEDET_TEST_WHEEL_MODEL", raising=False)


def sample(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_fortran_order_is_dropped_and_the_old_data_used(raw_model: Callable[..., Any], capfd: Any) -> None:
    model = raw_model()
    (tensor,) = model.get_inputs()
    tensor.set_data_from_numpy(np.ones(SHAPE, np.float32))
    tensor.set_data_from_numpy(np.asfortranarray(sample()))
    np.testing.assert_array_equal(model.predict([tensor])[0].get_data_to_numpy(), np.full(SHAPE, 3))
    assert "not C Contiguous" in capfd.readouterr().err


def test_big_endian_is_dropped_too(raw_model: Callable[..., Any]) -> None:
    model = raw_model()
    (tensor,) = model.get_inputs()
    tensor.set_data_from_numpy(sample().astype(">f4"))
    np.testing.assert_array_equal(model.predict([tensor])[0].get_data_to_numpy(), np.ones(SHAPE))


def test_tensor_of_fortran_order_is_no_tensor(lite: ModuleType) -> None:
    assert lite.Tensor(np.asfortranarray(sample()))._tensor is None


def test_channels_last_into_channels_first(raw_model: Callable[..., Any]) -> None:
    model = raw_model()
    (tensor,) = model.get_inputs()
    for array in (sample((1, 4, 5, 3)), sample((60,))):
        tensor.set_data_from_numpy(array)  # the bytes are as many
        assert model.predict([tensor])[0].get_data_to_numpy().shape == SHAPE


@pytest.mark.parametrize(
    "array", [np.asfortranarray(sample()), sample().astype(">f4"), sample((1, 4, 5, 3)), sample((60,))]
)
def test_none_of_these_reaches_the_package(wheel: Callable[..., Any], array: np.ndarray) -> None:
    session = wheel()
    np.testing.assert_array_equal(session.run({"x": sample()})["y"], 2 * sample() + 1)
    with pytest.raises(ValueError, match=r"^x: expected .*, got .*; "):
        session.run({"x": array})


def test_input_that_does_not_take_its_data(raw_model: Callable[..., Any], wheel: Callable[..., Any]) -> None:
    model = raw_model("no_data")
    (tensor,) = model.get_inputs()
    tensor.set_data_from_numpy(sample())
    np.testing.assert_array_equal(model.predict([tensor])[0].get_data_to_numpy(), np.ones(SHAPE))
    with pytest.raises(InferenceError, match=r"got 'x' that does not take its data; verify"):
        wheel("no_data").run({"x": sample()})


def test_the_input_is_borrowed(raw_model: Callable[..., Any], wheel: Callable[..., Any]) -> None:
    model, x = raw_model(), sample()
    (tensor,) = model.get_inputs()
    tensor.set_data_from_numpy(x)
    assert np.shares_memory(tensor.get_data_to_numpy(), x)
    session = wheel()
    with session.borrow() as slot:
        assert session._model._buffers[0] is slot.inputs["x"]  # ours, and kept


def test_outputs_are_overwritten_by_the_next_predict(raw_model: Callable[..., Any], wheel: Callable[..., Any]) -> None:
    model, session = raw_model(), wheel()
    (tensor,) = model.get_inputs()
    tensor.set_data_from_numpy(np.ones(SHAPE, np.float32))
    first = model.predict([tensor])[0].get_data_to_numpy()
    tensor.set_data_from_numpy(np.full(SHAPE, 5, np.float32))
    model.predict([tensor])
    assert (first == 11).all()
    first = session.run({"x": np.ones(SHAPE, np.float32)})["y"]
    session.run({"x": np.full(SHAPE, 5, np.float32)})
    assert (first == 3).all() and first.flags.owndata and first.flags.writeable


def test_outputs_that_are_given_are_not_filled(raw_model: Callable[..., Any], lite: ModuleType) -> None:
    model = raw_model()
    given = lite.Tensor(shape=list(SHAPE), dtype=lite.DataType.FLOAT32)
    (got,) = model.predict(model.get_inputs(), [given])
    assert not got.get_data_to_numpy().any()  # so the session never gives any


def test_four_threads_on_one_model_get_wrong_answers(raw_model: Callable[..., Any]) -> None:
    model = raw_model()
    wrong = []

    def work(thread: int) -> None:
        for i in range(300):
            x = sample(seed=1000 * thread + i)
            (tensor,) = model.get_inputs()
            tensor.set_data_from_numpy(x)
            wrong.append((model.predict([tensor])[0].get_data_to_numpy() != 2 * x + 1).any())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert sum(wrong) > 0


@pytest.mark.parametrize("behaviour", [(), ("move_outputs",)])
def test_four_threads_on_one_session_get_right_ones(wheel: Callable[..., Any], behaviour: tuple[str, ...]) -> None:
    session = wheel(*behaviour)

    def work(thread: int) -> None:
        for i in range(100):
            x = sample(seed=1000 * thread + i)
            np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x + 1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_building_twice(raw_model: Callable[..., Any], lite: ModuleType, tmp_path: Path) -> None:
    model = raw_model()
    with pytest.raises(RuntimeError, match="has been built"):
        model.build_from_file(str(tmp_path / "raw.mindir"), lite.ModelType.MINDIR)


def test_a_missing_file_is_a_runtime_error(lite: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="model_path does not exist"):
        lite.Model().build_from_file(str(tmp_path / "none.mindir"), lite.ModelType.MINDIR)
    with pytest.raises(ModelLoadError, match=r"^none\.mindir: expected .*, got No such file or directory; "):
        MsliteWheelSession(tmp_path / "none.mindir", probe=False)


def test_failures_have_no_reason(raw_model: Callable[..., Any], wheel: Callable[..., Any]) -> None:
    model = raw_model("predict_status 1")
    with pytest.raises(RuntimeError, match="^predict failed!$"):
        model.predict(model.get_inputs())
    session = wheel("predict_status 1")
    with pytest.raises(InferenceError) as caught:
        session.run({"x": sample()})
    assert str(caught.value) == (
        "mslite_wheel: expected outputs of m.mindir for x (1, 3, 4, 5) float32 on cpu by mindspore_lite 2.6.0, "
        "got 'predict failed!' for a prediction (The kernel failed.); verify the bundle"
    )


def test_the_reason_of_one_picture(wheel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    session = wheel("refuse_value 5")
    bad = np.full(SHAPE, 5, np.float32)
    probes: list[Any] = []
    real = mslite_wheel.run_probe
    monkeypatch.setattr(mslite_wheel, "run_probe", lambda *order: probes.append(order) or real(*order))
    for _ in range(3):
        with pytest.raises(InferenceError, match=r"\(The kernel failed\.\)"):  # the child was given the same picture
            session.run({"x": bad})
        np.testing.assert_array_equal(session.run({"x": sample()})["y"], 2 * sample() + 1)
    assert len(probes) == 1  # a camera's every frame may fail


def test_a_failure_inside_a_slot(wheel: Callable[..., Any]) -> None:
    session = wheel("refuse_value 5")
    with session.borrow() as slot:
        slot.inputs["x"][...] = 5
        with pytest.raises(InferenceError):
            slot.run()
        for _ in range(2):
            slot.inputs["x"][...] = sample()
            np.testing.assert_array_equal(slot.run()["y"], 2 * sample() + 1)


@pytest.mark.parametrize("lie", ["predicted_count 0", "rename_outputs", "resize_lies"])
def test_lies_at_run(wheel: Callable[..., Any], lie: str) -> None:
    session = wheel(lie, inputs=FREE)
    for _ in range(2):
        with pytest.raises(InferenceError, match=r"^mslite_wheel: expected outputs .*, got .*; verify the bundle"):
            session.run({"x": sample()})


@pytest.mark.parametrize(
    ("behaviour", "got"),
    [
        (
            "build_status 1",
            r"'build_from_file failed! Error is Common error code\.' for a network \(The kernel failed\.\)",
        ),
        ("build_log Unsupported op LRN", r".*Common error code\.' for a network \(Unsupported op LRN\)"),
        ("report_type 0", "data type unknown of 'x'"),
        ("report_format 13", "format NC4HW4 of 'x'"),
    ],
)
def test_refusals_at_load(wheel: Callable[..., Any], behaviour: str, got: str) -> None:
    expected = r"^m\.mindir: expected a model that mindspore_lite 2\.6\.0 loads on cpu, got "
    with pytest.raises(ModelLoadError, match=expected + got):
        wheel(behaviour)


def test_two_tensors_of_one_name(wheel: Callable[..., Any]) -> None:
    with pytest.raises(ModelLoadError, match=r"^m\.mindir: expected a name for each tensor, got \['x', 'x'\]; "):
        wheel(inputs=[("x", SHAPE, NCHW), ("x", SHAPE, NCHW)])


# ---- layout, types and size


def test_ms_files_run_too(lite: ModuleType, tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.ms", "affine 2 1", inputs=[("x", (1, 4, 5, 3), NHWC)])
    with pytest.raises(RuntimeError, match="Common error code"):
        lite.Model().build_from_file(str(path), lite.ModelType.MINDIR)
    session = MsliteWheelSession(path, probe=False)
    assert session.inputs == (TensorInfo("x", (1, 4, 5, 3), F32, "nhwc"),)
    assert session.outputs == (TensorInfo("y", (1, 3, 4, 5), F32),)
    x = sample()
    np.testing.assert_array_equal(session.run({"x": x.transpose(0, 2, 3, 1).copy()})["y"], 2 * x + 1)
    with pytest.raises(ValueError, match=r"^x: expected \(1, 4, 5, 3\), got \(1, 3, 4, 5\)"):
        session.run({"x": x})


def test_layout_of_what_is_no_image_means_nothing(wheel: Callable[..., Any]) -> None:
    assert wheel(inputs=[("x", (4, 5), NHWC)]).inputs == (TensorInfo("x", (4, 5), F32),)


@pytest.mark.parametrize(("number", "dtype"), [(30, "?"), (32, "i1"), (34, "i4"), (37, "u1"), (42, "f2"), (44, "f8")])
def test_data_types(wheel: Callable[..., Any], number: int, dtype: str) -> None:
    session = wheel(graph="identity", dtype=number)
    x = np.arange(60).reshape(SHAPE).astype(dtype)
    (got,) = session.run({"x": x}).values()
    assert session.inputs[0].dtype == got.dtype == dtype
    np.testing.assert_array_equal(got, x)


def test_a_failed_resize_leaves_a_model_of_no_use(raw_model: Callable[..., Any]) -> None:
    model = raw_model("refuse_size 13", inputs=FREE)
    model.resize(model.get_inputs(), [[1, 3, 0, 5]])  # is taken
    assert model.predict(model.get_inputs())[0].get_data_to_numpy().shape == (0,)
    model.resize(model.get_inputs(), [list(SHAPE)])
    for refused in (13, -1):
        with pytest.raises(RuntimeError, match="resize failed!"):
            model.resize(model.get_inputs(), [[1, 3, refused, 5]])
    with pytest.raises(RuntimeError, match="predict failed!"):
        model.predict(model.get_inputs())


def test_free_sizes(wheel: Callable[..., Any], lite: ModuleType) -> None:
    session = wheel("refuse_size 13", inputs=FREE)
    assert session.inputs[0].shape == session.outputs[0].shape == (1, 3, None, None)
    before = lite.Model.resizes
    for size in [(4, 5), (4, 5), (4, 5), (7, 2), (4, 5)]:
        x = sample((1, 3, *size))
        np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x + 1)
    assert lite.Model.resizes - before == 3
    with pytest.raises(InferenceError, match=r"for x \(1, 3, 13, 5\) .*'resize failed!.*\(Shape inference failed\.\)"):
        session.run({"x": sample((1, 3, 13, 5))})
    np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x + 1)
    for wrong in [(1, 3, 0, 5), (1, 4, 4, 5), (3, 4, 5)]:
        with pytest.raises(ValueError, match=r"^x: expected .*, got .*; "):
            session.run({"x": sample(wrong)})


def test_borrow_resizes_what_is_fixed_and_run_sets_it_back(wheel: Callable[..., Any]) -> None:
    session = wheel(inputs=[("x", (64, 3), NCHW)])
    assert isinstance(session, Lender)
    for rows in (1, 7, 200):
        with session.borrow({"x": (rows, 3)}) as slot:
            slot.inputs["x"][...] = sample((rows, 3))
            np.testing.assert_array_equal(slot.run()["y"], 2 * sample((rows, 3)) + 1)
    x = sample((64, 3))
    np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x + 1)
