"""What only the C library's runtime can be: found, layouts, sizes, turns, and a library that lies or fails.

Against the double (tests/mslite_double), always: the real library can't be told to misbehave.
"""

from __future__ import annotations

import gc
import re
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mslite_double import NCHW, NHWC, compile_double, header, write_model

from edgedet.errors import InferenceError, ModelLoadError, RuntimeUnavailable
from edgedet.runtime import _mslite_library, _mslite_probe, mslite
from edgedet.runtime._mslite_file import check_header
from edgedet.runtime.base import Lender, Presence, TensorInfo
from edgedet.runtime.mslite import MsliteSession

SHAPE = (1, 3, 4, 5)
FREE = [("x", (1, 3, -1, -1), NCHW)]
F32 = np.dtype(np.float32)


@pytest.fixture(autouse=True)
def _library(mslite_double: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEDET_MSLITE_LIBRARY", str(mslite_double))


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., MsliteSession]:
    """Writes a model file for the double and opens it."""

    def _load(*behaviours: str, graph: str = "affine 2 1", **options: Any) -> MsliteSession:
        path = write_model(tmp_path / "m.ms", graph, *behaviours, **options)
        return MsliteSession(path, 1, probe=False)

    return _load


def sample(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# ---- the library


def test_path_from_the_argument_wins(mslite_double: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEDET_MSLITE_LIBRARY", "/no/such.so")
    assert _mslite_library.open_library(mslite_double).path == str(mslite_double)
    with pytest.raises(RuntimeUnavailable, match=r"^mslite: expected .*, got /no/such.so: .*; do set EDGEDET_MSLITE_"):
        _mslite_library.open_library()
    assert mslite.RUNTIME.missing() is not None


@pytest.mark.parametrize("parts", [("runtime", "lib"), ("lib",), ()])
def test_mslite_home(parts: tuple[str, ...], mslite_double: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("EDGEDET_MSLITE_LIBRARY")
    monkeypatch.setenv("MSLITE_HOME", str(tmp_path))
    folder = tmp_path.joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(mslite_double, folder / "libmindspore-lite.so")
    assert _mslite_library.open_library().path == str(folder / "libmindspore-lite.so")
    assert mslite.RUNTIME.missing() is None


def test_folder_of_the_wheel_which_is_not_imported(mslite_double: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("EDGEDET_MSLITE_LIBRARY")
    monkeypatch.delenv("MSLITE_HOME", raising=False)
    (tmp_path / "mindspore_lite/lib").mkdir(parents=True)
    (tmp_path / "mindspore_lite/__init__.py").write_text("raise AssertionError('imported')")
    shutil.copy(mslite_double, tmp_path / "mindspore_lite/lib/libmindspore-lite.so")
    monkeypatch.syspath_prepend(tmp_path)
    assert _mslite_library.open_library().path == str(tmp_path / "mindspore_lite/lib/libmindspore-lite.so")


def test_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEDET_MSLITE_LIBRARY")
    monkeypatch.setenv("MSLITE_HOME", str(tmp_path))
    monkeypatch.setattr(_mslite_library, "_wheel_folders", list)
    monkeypatch.setattr(_mslite_library, "NAMES", ("libnone-of-this-name.so",))
    with pytest.raises(RuntimeUnavailable, match=r"got libnone-of-this-name\.so: cannot open shared object file"):
        _mslite_library.open_library()


def test_openharmonys_names(tmp_path: Path) -> None:
    library = compile_double(tmp_path, "-DPREFIX=OH_AI_", name="libmindspore_lite_ndk.so")
    assert _mslite_library.open_library(library).prefix == "OH_AI_"
    session = MsliteSession(write_model(tmp_path / "m.ms", "affine 2 1"), library=library, probe=False)
    np.testing.assert_array_equal(session.run({"x": sample()})["y"], 2 * sample() + 1)


def test_missing_symbol_is_named(tmp_path: Path) -> None:
    library = compile_double(tmp_path, "-DWITHOUT_RESIZE")
    with pytest.raises(RuntimeUnavailable, match=r"libmindspore-lite\.so: a library without MSModelResize; do "):
        _mslite_library.open_library(library)


def test_presence_and_version(mslite_double: Path, tmp_path: Path) -> None:
    assert mslite.RUNTIME.present() == Presence(path=str(mslite_double), maker="mindspore_lite")
    folder = tmp_path / "mindspore-lite-2.6.0-linux-x64"
    folder.mkdir()
    shutil.copy(mslite_double, folder / "libmindspore-lite.so")
    library = _mslite_library.open_library(folder / "libmindspore-lite.so")
    assert _mslite_library.version(library) == "2.6.0"
    (tmp_path / "link.so").symlink_to(folder / "libmindspore-lite.so")
    assert _mslite_library.version(_mslite_library.open_library(tmp_path / "link.so")) == "2.6.0"
    with (folder / "libmindspore-lite.so").open("ab") as stream:
        stream.write(b"\0MindSpore Lite 2.7.1\0")
    assert _mslite_library.version(library) == "2.7.1"


def test_what_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("text")
    for wrong in (tmp_path / "text.so", tmp_path):
        with pytest.raises(RuntimeUnavailable, match=f"^mslite: expected MindSpore Lite's C library, got {wrong}: "):
            _mslite_library.open_library(wrong)


# ---- options


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"threads": 0}, "threads"),
        ({"threads": -1}, "threads"),
        ({"threads": 1025}, "threads"),
        ({"threads": True}, "threads"),
        ({"affinity": "large"}, "affinity"),
        ({"cores": [77777]}, "cores"),
        ({"cores": [-1]}, "cores"),
        ({"cores": [0.5]}, "cores"),
    ],
)
def test_options_that_the_library_takes_in_silence(tmp_path: Path, options: dict[str, Any], named: str) -> None:
    path = write_model(tmp_path / "m.ms", "identity")
    with pytest.raises(ValueError, match=rf"^{named}: expected .*, got .*; "):
        MsliteSession(path, **options)


def test_options_that_are_right(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.ms", "identity")
    session = MsliteSession(path, 2, affinity="big", cores=[0], fp16=True, probe=False)
    np.testing.assert_array_equal(session.run({"x": sample()})["y"], sample())


# ---- files


def test_version_in_the_header(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.ms", "identity", version="MindSpore Lite 1.10.1")
    assert check_header(path) == "MindSpore Lite 1.10.1"


@given(data=st.binary(max_size=120), prefix=st.sampled_from([b"", header()[:8], header()[:30]]))
def test_any_bytes_are_a_version_or_a_load_error(data: bytes, prefix: bytes, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.ms"
    path.write_bytes(prefix + data)
    try:
        assert isinstance(check_header(path), str)
    except ModelLoadError as error:
        assert re.match(r"fuzz\.ms: expected a MindSpore Lite model .*, got .*; ", str(error), re.DOTALL)


def test_refusal_tells_all_that_is_known(tmp_path: Path, mslite_double: Path) -> None:
    path = write_model(tmp_path / "m.ms", "identity", "build_status 0xFFFFFED4", version="MindSpore Lite 2.7.1")
    with pytest.raises(ModelLoadError) as caught:
        MsliteSession(path, probe=False)
    said = str(caught.value)
    log = "The operator is not known to the double."
    assert said.startswith("m.ms: expected a model that MindSpore Lite loads, got operator not found (0xFFFFFED4)")
    assert all(fact in said for fact in (log, str(path), "MindSpore Lite 2.7.1", str(mslite_double)))


def test_first_error_of_a_log() -> None:
    log = "[WARNING] ME(1): a] b\n[ERROR] ME(1,2,p):2025-01-01 [a/b.cc:7] Fun] the cause\n[ERROR] ME(1): [c:1] G] so\n"
    assert _mslite_probe.first_error(log) == "the cause"
    assert _mslite_probe.first_error("nothing\n") == ""


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "[ERROR] ME(1,7f,p):2025-01-01-00:00:00.1 [a/b.cc:7] Resize] Input dims[0] is no size.",
            "Input dims[0] is no size.",
        ),
        ("[ERROR] ME(1,7f,p):2025-01-01-00:00:00.1 [a/b.cc:7] operator()] [x] y] z", "[x] y] z"),
        ("ERROR [a/b.cc:7] Fun] the cause", "the cause"),
        ("[ERROR] GE(1,p):2025-01-01 [b.cc:7]1 Fun: the cause", "GE(1,p):2025-01-01 [b.cc:7]1 Fun: the cause"),
    ],
)
def test_lines_of_a_log(line: str, text: str) -> None:
    assert _mslite_probe.first_error(f"[WARNING] w\n{line}\n[ERROR] other\n") == text


def test_log_on_stdout_also_of_a_process_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSLITE_DOUBLE_LOG", "stdout")
    for behaviour, got in [
        ("build_status 0xFFFFFED4", r"operator not found \(0xFFFFFED4\) \(The operator is not known to the double\.\)"),
        ("build_abort", r"the end of the process that tried it, by signal 6 \(About to abort\.\)"),
    ]:
        with pytest.raises(ModelLoadError, match=f"got {got}; convert "):
            MsliteSession(write_model(tmp_path / "m.ms", "identity", behaviour))


# ---- the probe


def test_good_file_passes_the_probe(tmp_path: Path) -> None:
    session = MsliteSession(write_model(tmp_path / "m.ms", "affine 2 1"))
    np.testing.assert_array_equal(session.run({"x": sample()})["y"], 2 * sample() + 1)
    MsliteSession(write_model(tmp_path / "free.ms", "affine 2 1", inputs=FREE))


@pytest.mark.parametrize(
    ("behaviour", "got"),
    [
        ("build_abort", r"the end of the process that tried it, by signal 6 \(About to abort\.\)"),
        ("predict_abort", "the end of the process that tried it, by signal 6"),
        ("build_sleep 60000", "no end within 3 s"),
        ("build_memory 8000", r"out of memory \(0xFFFFFFFA\) \(Malloc failed\.\)"),
        ("predict_status 0xFFFFFED1", r"operator execution failure \(0xFFFFFED1\) \(The kernel failed\.\)"),
        ("null_name", "input without a name"),
    ],
)
def test_the_probe_dies_and_this_process_lives(tmp_path: Path, monkeypatch: Any, behaviour: str, got: str) -> None:
    monkeypatch.setattr(_mslite_probe, "SECONDS", 3.0 if "sleep" in behaviour else 60.0)
    path = write_model(tmp_path / "m.ms", "identity", behaviour)
    with pytest.raises(
        ModelLoadError, match=rf"^m\.ms: expected a model that MindSpore Lite loads, got {got}; convert "
    ):
        MsliteSession(path)


# ---- a library that lies: tests/cpp/test_mslite.cpp has each lie; here, that they come out as what they should

AT_LOAD = ["inputs_count 0", "outputs_null_list", "inputs_null_handle", "null_name", "null_shape", "report_type 12"]
AT_RUN = ["extra_bytes 4", "null_data", "null_input_data", "predicted_count 0", "rename_outputs", "predict_status 7"]


@pytest.mark.parametrize("lie", AT_LOAD)
def test_lies_at_load(load: Callable[..., MsliteSession], lie: str) -> None:
    with pytest.raises(ModelLoadError, match=r"^m\.ms: expected a model that MindSpore Lite loads, got .*; convert "):
        load(lie)


@pytest.mark.parametrize("lie", AT_RUN)
def test_lies_at_run(load: Callable[..., MsliteSession], lie: str) -> None:
    session = load(lie)
    for _ in range(2):
        with pytest.raises(InferenceError, match=r"^mslite: expected (inputs|outputs).*, got .*; verify the bundle"):
            session.run({"x": sample()})


@pytest.mark.parametrize("what", ["Context", "Device", "Model"])
def test_null_from_a_creator(load: Callable[..., MsliteSession], monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setenv("MSLITE_DOUBLE_NULL", what)
    with pytest.raises(ModelLoadError, match=f"got a null {what.lower()}"):
        load()


def test_run_after_a_failed_one(load: Callable[..., MsliteSession]) -> None:
    session = load("refuse_value 5")
    with pytest.raises(InferenceError, match=r"operator execution failure \(0xFFFFFED1\)"):
        session.run({"x": np.full(SHAPE, 5, np.float32)})
    np.testing.assert_array_equal(session.run({"x": sample()})["y"], 2 * sample() + 1)


def test_two_tensors_of_one_name(load: Callable[..., MsliteSession]) -> None:
    with pytest.raises(ModelLoadError, match=r"^m\.ms: expected a name for each tensor, got \['x', 'x'\]; "):
        load(inputs=[("x", SHAPE, NCHW), ("x", SHAPE, NCHW)])


def test_packed_format(load: Callable[..., MsliteSession]) -> None:
    with pytest.raises(ModelLoadError, match=r"^m\.ms: x: expected NCHW or NHWC, got format 13; "):
        load(inputs=[("x", SHAPE, 13)])


@pytest.mark.parametrize(("number", "dtype"), [(30, "?"), (32, "i1"), (34, "i4"), (37, "u1"), (42, "f2"), (44, "f8")])
def test_data_types(load: Callable[..., MsliteSession], number: int, dtype: str) -> None:
    session = load(graph="identity", dtype=number)
    x = np.arange(60).reshape(SHAPE).astype(dtype)
    (got,) = session.run({"x": x}).values()
    assert session.inputs[0].dtype == got.dtype == dtype
    np.testing.assert_array_equal(got, x)


# ---- layout and size


def test_channels_last_is_told(load: Callable[..., MsliteSession]) -> None:
    session = load(inputs=[("x", (1, 4, 5, 3), NHWC)])
    assert session.inputs == (TensorInfo("x", (1, 4, 5, 3), F32, "nhwc"),)
    assert session.outputs == (TensorInfo("y", (1, 3, 4, 5), F32),)
    x = sample()
    np.testing.assert_array_equal(session.run({"x": x.transpose(0, 2, 3, 1).copy()})["y"], 2 * x + 1)
    with pytest.raises(ValueError, match=r"^x: expected \(1, 4, 5, 3\), got \(1, 3, 4, 5\)"):
        session.run({"x": x})


def test_layout_of_what_is_no_image_means_nothing(load: Callable[..., MsliteSession]) -> None:
    assert load(inputs=[("x", (4, 5), NHWC)]).inputs == (TensorInfo("x", (4, 5), F32),)


def test_free_sizes(load: Callable[..., MsliteSession]) -> None:
    session = load("refuse_size 13", "refuse_size_late 11", inputs=FREE)
    assert (session.inputs[0].shape, session.outputs[0].shape) == ((1, 3, None, None), ())
    for size in [(4, 5), (4, 5), (7, 2), (4, 5)]:
        x = sample((1, 3, *size))
        np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x + 1)
    for size, what in ((13, "inputs"), (11, "outputs for inputs")):
        refused = rf"^mslite: expected {what} .*{size}.*, got common error \(0xFFFFFFFF\)"
        with pytest.raises(InferenceError, match=refused):
            session.run({"x": sample((1, 3, size, 5))})
        np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x + 1)
    for wrong in [(1, 3, 0, 5), (1, 4, 4, 5), (3, 4, 5)]:
        with pytest.raises(ValueError, match=r"^x: expected .*, got .*; "):
            session.run({"x": sample(wrong)})


def test_borrow_resizes_what_is_fixed_and_run_sets_it_back(load: Callable[..., MsliteSession]) -> None:
    session = load(inputs=[("x", (64, 3), NCHW)])
    for rows in (1, 7, 200):
        with session.borrow({"x": (rows, 3)}) as slot:
            slot.inputs["x"][...] = sample((rows, 3))
            np.testing.assert_array_equal(slot.run()["y"], 2 * sample((rows, 3)) + 1)
    x = sample((64, 3))
    np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x + 1)


# ---- buffers and turns


def test_borrowed_buffers_are_the_librarys_own(load: Callable[..., MsliteSession]) -> None:
    session = load()
    assert isinstance(session, Lender)
    with session.borrow() as slot:
        slot.inputs["x"][...] = 1
        first = slot.run()["y"]
        assert not first.flags.owndata and not first.flags.writeable
        slot.inputs["x"][...] = 5
        assert np.shares_memory(slot.run()["y"], first)
        assert (first == 11).all()
    session.close()
    gc.collect()
    assert (first == 11).all()  # its memory lives as long as it does


def test_wrong_use_of_a_slot(load: Callable[..., MsliteSession]) -> None:
    session = load()
    with session.borrow() as slot:
        for call in (session.close, lambda: session.run({"x": sample()}), lambda: session.borrow().__enter__()):
            with pytest.raises(InferenceError, match="got a call from inside a slot of the same model"):
                call()
    with pytest.raises(InferenceError, match="got a slot that was given back"):
        slot.run()
    for shapes in ({"y": SHAPE}, {"x": (1, 3)}, {"x": (1, 3, 0, 5)}, {"x": (1, 3, 4, None)}):
        with pytest.raises(ValueError, match=r"^(x|shapes): expected .*, got .*; "):
            session.borrow(shapes).__enter__()
    np.testing.assert_array_equal(session.run({"x": sample()})["y"], 2 * sample() + 1)


def test_a_slot_is_given_back_when_its_block_fails(load: Callable[..., MsliteSession]) -> None:
    session = load()
    with pytest.raises(KeyError), session.borrow() as slot:
        slot.inputs["none"]
    session.run({"x": sample()})


def test_moving_buffers_and_four_threads(load: Callable[..., MsliteSession]) -> None:
    session = load("move_outputs")

    def work(thread: int) -> None:
        for i in range(100):
            x = sample(seed=1000 * thread + i)
            np.testing.assert_array_equal(session.run({"x": x})["y"], 2 * x + 1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_predict_leaves_python_to_others(load: Callable[..., MsliteSession]) -> None:
    session = load("predict_sleep 400")
    thread = threading.Thread(target=session.run, args=({"x": sample()},))
    thread.start()
    pauses, last = [], time.monotonic()
    while thread.is_alive():
        time.sleep(0.005)
        now = time.monotonic()
        pauses.append(now - last)
        last = now
    assert len(pauses) > 10 and max(pauses) < 0.35


def test_close_waits_for_the_one_inside(load: Callable[..., MsliteSession]) -> None:
    session = load("predict_sleep 200")
    x = sample()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(session.run, {"x": x})
        time.sleep(0.1)
        session.close()
        assert running.done()
        np.testing.assert_array_equal(running.result()["y"], 2 * x + 1)
