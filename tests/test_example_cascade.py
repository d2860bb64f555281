"""examples/cascade.py is run as a person would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from bundles import sample_image
from toyspp import LABELS, spp_bundle

SCRIPT = Path(__file__).parents[1] / "examples" / "cascade.py"


def test_what_one_finds_the_other_names(whole_bundle: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "street.png"), sample_image(np.random.default_rng(0), (96, 72)))
    spp_bundle(tmp_path / "spp")
    argv = [str(whole_bundle), str(tmp_path / "spp"), str(tmp_path / "street.png"), "--out", str(tmp_path / "out.png")]
    done = subprocess.run([sys.executable, str(SCRIPT), *argv], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines and all(line.split(" → ")[1].split()[0] in LABELS for line in lines)
    assert (cv2.imread(str(tmp_path / "out.png")) != cv2.imread(str(tmp_path / "street.png"))).any()


def test_no_picture(whole_bundle: Path, tmp_path: Path) -> None:
    argv = [str(whole_bundle), str(whole_bundle), str(tmp_path / "none.png")]
    done = subprocess.run([sys.executable, str(SCRIPT), *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "none.png: expected a picture" in done.stderr and "Traceback" not in done.stderr
