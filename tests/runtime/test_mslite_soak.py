"""Ten thousand predicts, failures and resizes among them, leave memory and descriptors as they were."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mslite_double import NCHW, write_model

# A process of its own: what else a test run has loaded frees and takes pages as it likes.
SOAK = """
import gc, json, os, re, sys
from pathlib import Path
import numpy as np
from edgedet.errors import InferenceError
from edgedet.runtime.mslite import MsliteSession

session = MsliteSession(Path(sys.argv[1]), 1, probe=False)
x = np.random.default_rng(0).normal(size=(1, 3, 64, 64)).astype(np.float32)
bad = np.full((1, 3, 4, 5), 5, np.float32)
failures = 0

def rounds(count):
    global failures
    for i in range(count):
        session.run({"x": x})
        if i % 100 == 0:  # failures, resizes and new networks too
            try:
                session.run({"x": bad})
            except InferenceError:
                failures += 1
    gc.collect()
    resident = int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1))
    return {"kib": resident, "files": len(os.listdir("/proc/self/fd"))}

print(json.dumps({"before": rounds(1000), "after": rounds(10_000), "failures": failures}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ten_thousand_runs_take_no_memory_and_no_files(
    mslite_double: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEDET_MSLITE_LIBRARY", str(mslite_double))
    model = write_model(tmp_path / "m.ms", "affine 2 1", "refuse_value 5", inputs=[("x", (1, 3, -1, -1), NCHW)])
    done = subprocess.run([sys.executable, "-c", SOAK, str(model)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["failures"] == 110
    assert found["after"]["files"] == found["before"]["files"]
    # One leaked output in a hundred would be 4800.
    assert found["after"]["kib"] - found["before"]["kib"] < 2048
