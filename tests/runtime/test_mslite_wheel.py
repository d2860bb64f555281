"""The Python package: found, imported in peace, set up, and taken in turns.

Against the double (tests/mindspore_lite_double), always: the real package can't be told to misbehave.
"""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from mindspore_lite_double import FOLDER, write_mindir
from mslite_double import NCHW

from edgedet.errors import InferenceError, ModelLoadError, RuntimeUnavailable
from edgedet.runtime import _mslite_probe, _wheel_model, _wheel_package, mslite_wheel
from edgedet.runtime.mslite_wheel import MsliteWheelSession

SHAPE = (1, 3, 4, 5)
FREE = [("x", (1, 3, -1, -1), NCHW)]
F32 = np.dtype(np.float32)


@pytest.fixture(autouse=True)
def _package(mindspore_lite: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEDET_TEST_WHEEL_MODEL", raising=False)


def sample(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# ---- the package


def test_missing_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mslite_wheel.RUNTIME.missing() is None
    assert "mindspore_lite" not in sys.modules
    monkeypatch.setitem(sys.modules, "mindspore_lite", None)
    why = mslite_wheel.RUNTIME.missing()
    assert why and why.startswith("mslite_wheel: expected the package mindspore_lite, got none; do ")


def test_the_wheels_address() -> None:
    assert _wheel_package.cure((3, 10), "aarch64") == (
        "do pip install https://ms-release.obs.cn-north-4.myhuaweicloud.com/2.6.0/MindSpore/lite/release/linux/aarch64/"
        "cloud_fusion/python310/mindspore_lite-2.6.0-cp310-cp310-linux_aarch64.whl"
    )
    for other in [((3, 13), "aarch64"), ((3, 10), "armv7l")]:
        assert _wheel_package.cure(*other).startswith("do use the runtime mslite: the wheel is for Python 3.9 to 3.11")


def test_never_beside_mindspore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_mindir(tmp_path / "m.mindir", "identity")
    monkeypatch.setitem(sys.modules, "mindspore", ModuleType("mindspore"))
    with pytest.raises(RuntimeUnavailable, match="^mslite_wheel: expected a process without mindspore, got "):
        MsliteWheelSession(path)
    assert "mindspore_lite" not in sys.modules


def test_package_that_does_not_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINDSPORE_LITE_DOUBLE_BROKEN", "1")
    with pytest.raises(RuntimeUnavailable, match=r"that imports, got numpy\.core\.multiarray failed to import; do pip"):
        MsliteWheelSession(write_mindir(tmp_path / "m.mindir", "identity"))


def run_alone(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(FOLDER), str(FOLDER.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths, **environment},
    )


OPEN = "import logging, sys\nfrom edgedet.runtime.mslite_wheel import MsliteWheelSession as S\n"


def test_chatter(tmp_path: Path) -> None:
    path = write_mindir(tmp_path / "m.mindir", "identity")
    said = run_alone(
        "import sys, mindspore_lite as m; m.Model().build_from_file(sys.argv[1], m.ModelType.MINDIR)", path
    )
    assert "Found no Ascend home" in said.stderr and "kernel path not found" in said.stderr and "chatter" in said.stderr
    code = OPEN + "S(sys.argv[1], probe=False)\nassert not logging.getLogger().handlers\nlogging.warning('mine')"
    done = run_alone(code, path)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (0, "", "WARNING:root:mine")
    assert "chatter" in run_alone(code, path, GLOG_v="1").stderr  # whoever asks for the log gets it


def test_chatter_of_others_is_let_through(caplog: pytest.LogCaptureFixture) -> None:
    with _wheel_package.quiet() as complaints:
        logging.warning("not the package's")
    assert caplog.messages == ["not the package's"] and complaints == []
    assert logging.getLogger().filters == []


def test_what_it_warned_of_is_told_on_ascend(wheel: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    wheel(device="ascend")
    assert caplog.messages == ["mindspore_lite on Ascend: Found no Ascend home path, please set env ASCEND_HOME_PATH"]
    assert caplog.records[0].name.startswith("edgedet")


def test_sessions_end_before_their_device(tmp_path: Path) -> None:
    path = write_mindir(tmp_path / "m.mindir", "identity")
    raw = "import sys, mindspore_lite as m\nc = m.Context(); c.target = ['ascend']\nmodel = m.Model()\n"
    raw += "model.build_from_file(sys.argv[1], m.ModelType.MINDIR, c)"
    assert run_alone(raw, path, MINDSPORE_LITE_DOUBLE_DEVICES="1").returncode == -6
    done = run_alone(OPEN + "kept = S(sys.argv[1], 'ascend', probe=False)", path, MINDSPORE_LITE_DOUBLE_DEVICES="1")
    assert done.returncode == 0, done.stderr


# ---- options


def test_misspelt_attributes(lite: ModuleType) -> None:
    context = lite.Context()
    context.cpu.thread_nun = 4
    context.cpu.enable_fp16 = True
    assert context.cpu.thread_num == 0  # and no error
    for thing, name in [(context.cpu, "thread_nun"), (context.cpu, "enable_fp16"), (context, "targets")]:
        with pytest.raises(_wheel_model.WheelError, match=f"without {name}"):
            _wheel_model.assign(thing, name, 4)


def test_attribute_that_this_release_lacks(wheel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINDSPORE_LITE_DOUBLE_RENAMED", "1")
    with pytest.raises(ModelLoadError, match=r"mindspore_lite 2\.6\.0 loads on cpu, got a _CPU without thread_num"):
        wheel()


def test_what_the_context_holds(wheel: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = wheel(device="ascend:1")._model._model.context
    assert context.devices == ["ascend", "cpu"] and context.cpu.thread_num == 1
    assert (context.ascend.device_id, context.ascend.precision_mode, context.ascend.provider) == (
        1,
        "preferred_fp32",
        "",
    )
    monkeypatch.setenv("EDGEDET_ASCEND_PRECISION", "enforce_fp16")
    monkeypatch.setenv("EDGEDET_ASCEND_PROVIDER", "ge")
    ascend = mslite_wheel.RUNTIME.open(tmp_path / "m.mindir", "ascend", None)._model._model.context.ascend  # type: ignore
    assert (ascend.device_id, ascend.precision_mode, ascend.provider) == (0, "enforce_fp16", "ge")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"device": "gpu"}, "device"),
        ({"device": "cpu:1"}, "device"),
        ({"device": "ascend:"}, "device"),
        ({"device": "ascend:x"}, "device"),
        ({"threads": 0}, "threads"),
        ({"threads": True}, "threads"),
        ({"threads": 1025}, "threads"),
        ({"precision": "fp16"}, "precision"),
        ({"provider": "GE"}, "provider"),
    ],
)
def test_options_that_the_package_takes_in_silence(tmp_path: Path, options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=rf"^{named}: expected .*, got .*; "):
        MsliteWheelSession(write_mindir(tmp_path / "m.mindir", "identity"), **options)


def test_a_provider_nobody_knows_is_taken(lite: ModuleType) -> None:
    lite.Context().ascend.provider = "GE"


def test_device_that_is_not_there(wheel: Callable[..., Any]) -> None:
    with pytest.raises(ModelLoadError) as caught:
        wheel(device="ascend:7")
    said = str(caught.value)
    assert said.startswith("m.mindir: expected a model that mindspore_lite 2.6.0 loads on ascend:7, got ")
    assert "Call aclrtSetDevice failed, device id 7." in said and "Found no Ascend home path" in said


# ---- the probe


def test_good_file_passes_the_probe(tmp_path: Path) -> None:
    session = MsliteWheelSession(write_mindir(tmp_path / "m.mindir", "affine 2 1"))
    np.testing.assert_array_equal(session.run({"x": sample()})["y"], 2 * sample() + 1)
    MsliteWheelSession(write_mindir(tmp_path / "free.mindir", "affine 2 1", inputs=FREE))


@pytest.mark.parametrize(
    ("behaviour", "got"),
    [
        ("build_abort", r"the end of the process that tried it, by signal 6 \(About to abort\.\)"),
        ("predict_abort", r"the end of the process that tried it, by signal 6 \(About to abort\.\)"),
        ("build_sleep 60000", "no end within 5 s"),
    ],
)
def test_the_probe_dies_and_this_process_lives(tmp_path: Path, monkeypatch: Any, behaviour: str, got: str) -> None:
    monkeypatch.setattr(_mslite_probe, "SECONDS", 5.0 if "sleep" in behaviour else 60.0)
    with pytest.raises(ModelLoadError, match=rf"^m\.mindir: expected .* loads on cpu, got {got}; "):
        MsliteWheelSession(write_mindir(tmp_path / "m.mindir", "identity", behaviour))


# ---- turns


def test_wrong_use_of_a_slot(wheel: Callable[..., Any]) -> None:
    session = wheel()
    with session.borrow() as slot:
        for call in (session.close, lambda: session.run({"x": sample()}), lambda: session.borrow().__enter__()):
            with pytest.raises(InferenceError, match="got a call from inside a slot of the same model"):
                call()
    with pytest.raises(InferenceError, match="got a slot that was given back"):
        slot.run()
    for shapes in ({"y": SHAPE}, {"x": (1, 3)}, {"x": (1, 3, 0, 5)}, {"x": (1, 3, 4, None)}):
        with pytest.raises(ValueError, match=r"^(x|shapes): expected .*, got .*; "):
            session.borrow(shapes).__enter__()
    with pytest.raises(KeyError), session.borrow() as slot:
        slot.inputs["none"]
    np.testing.assert_array_equal(session.run({"x": sample()})["y"], 2 * sample() + 1)


def test_close_waits_for_the_one_inside_and_frees(wheel: Callable[..., Any]) -> None:
    session, x = wheel("predict_sleep 200"), sample()
    network = weakref.ref(session._model._model)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(session.run, {"x": x})
        time.sleep(0.1)
        session.close()
        assert running.done()
        np.testing.assert_array_equal(running.result()["y"], 2 * x + 1)
    gc.collect()
    assert network() is None


def test_predict_leaves_python_to_others(wheel: Callable[..., Any]) -> None:
    session = wheel("predict_sleep 300")
    thread = threading.Thread(target=session.run, args=({"x": sample()},))
    thread.start()
    turns = 0
    while thread.is_alive():
        time.sleep(0.01)
        turns += 1
    assert turns > 5
