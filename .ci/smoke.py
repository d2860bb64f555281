"""Where nothing but the wheel is installed, what is missing is named. The kernels: tests/test_minimal.py."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import edgedet

for package in ("onnxruntime", "mindspore"):
    assert importlib.util.find_spec(package) is None, f"this is a test of a machine without {package}"

assert edgedet.Bundle.open("demo").spec.labels

try:
    edgedet.load("demo")
except edgedet.RuntimeUnavailable as error:
    assert "pip install 'edgedet[onnx]'" in str(error), error
else:
    raise AssertionError("load: expected RuntimeUnavailable, got a model")

for command, hint in (
    (["demo"], "edgedet[onnx]"),
    (["convert", "ssd_mobilenet_v2", "--checkpoint", __file__, "--out", "never"], "edgedet[convert]"),
):
    done = subprocess.run([sys.executable, "-m", "edgedet", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and hint in done.stderr and "Traceback" not in done.stderr, (command, done)

print(f"edgedet {edgedet.__version__}: imports, and names what is missing")
