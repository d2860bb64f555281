"""Without each optional package everything else works, and the error names the command that installs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edgedet
from edgedet.camera.preview import Preview
from edgedet.errors import RuntimeUnavailable
from edgedet.results import Detections

OPTIONAL = (
    "onnxruntime",
    "onnx",
    "mindspore",
    "mindspore_lite",
    "supervision",
    "skimage",
    "sklearn",
    "paho",
    "aiohttp",
    "prometheus_client",
    "edgedet_converters",
)

HIDE = f"""
import sys
for name in {OPTIONAL!r}:
    sys.modules[name] = None
"""
# Every kernel, every module that has no runtime, and a picture drawn on.
EVERYTHING = """
import numpy as np
import edgedet
import edgedet.camera.pipeline
import edgedet.cli
from edgedet import ops
assert "stream" in edgedet.cli.commands()
f = np.float32
boxes = np.array([[0, 0, 1, 1]], f)
ops.decode_boxes(boxes, boxes)
ops.nms(boxes, np.ones(1, f), 0.5)
ops.detect(boxes, np.ones((1, 2), f), boxes, image_wh=(4, 4), score_threshold=0.1, iou_threshold=0.5)
ops.normalize(np.zeros((2, 2, 3), np.uint8), (0, 0, 0), (1, 1, 1))
ops.spp_pool(np.ones((1, 3, 3), f), np.array([[0, 0, 3, 3]], np.int32))
ops.project_regions(boxes * 16, stride=16, offset=0, feature_wh=(3, 3))
found = edgedet.Detections(boxes, np.ones(1, f), np.zeros(1, np.int32), ("a",), (4, 4))
assert found.draw(np.zeros((4, 4, 3), np.uint8)).any()
"""


def run(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_edgedet_and_every_kernel_work_with_nothing_else() -> None:
    run(HIDE + EVERYTHING)


def test_minimal_needs_only_the_wheel() -> None:
    path = Path(__file__).with_name("test_minimal.py")
    said = run(
        HIDE + "sys.modules['pytest'] = None\nimport runpy\nrunpy.run_path(sys.argv[1], run_name='__main__')", str(path)
    )
    assert said.count("passed test_") >= 8


def test_a_bundle_opens_but_no_runtime_is_there(whole_bundle: Path) -> None:
    code = HIDE + (
        "import edgedet\n"
        "assert edgedet.Bundle.open(sys.argv[1]).spec.labels\n"
        "try:\n"
        "    edgedet.load(sys.argv[1])\n"
        "except edgedet.RuntimeUnavailable as error:\n"
        "    print(error)\n"
    )
    said = run(code, str(whole_bundle))
    assert "got none; do pip install 'edgedet[onnx]'" in said
    assert "Traceback" not in said


def test_hidden_runtime_in_this_process(whole_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    for runtime in ("auto", "onnx"):
        with pytest.raises(RuntimeUnavailable, match=r"pip install 'edgedet\[onnx\]'") as caught:
            edgedet.load(whole_bundle, runtime=runtime)
        assert isinstance(caught.value, ImportError)


def test_broken_runtime_is_unavailable(whole_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('libfoo.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    with pytest.raises(RuntimeUnavailable, match=r"got libfoo\.so\.1: .*do pip install 'edgedet\[onnx\]'"):
        edgedet.load(whole_bundle)


def test_supervision_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    nothing = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), ("a",), (1, 1))
    with pytest.raises(ImportError, match="do pip install supervision"):
        nothing.to_supervision()


@pytest.mark.parametrize("missing", ["aiohttp", "prometheus_client"])
def test_what_the_preview_needs_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    for name in ("server", "guard", "metrics"):
        monkeypatch.delitem(sys.modules, f"edgedet.camera.preview.{name}", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'edgedet\[preview\]'"):
        Preview(port=0).open()
