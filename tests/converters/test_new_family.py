"""A family that nobody has heard of: one file, and it is found, converted, verified and run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mindspore", reason="needs the extra [convert]")
import edgedet
from edgedet.evaluate.verify import verify

pytestmark = pytest.mark.convert

FAMILY = '''
"""One convolution that sees nothing in particular, on a grid of 4×4 cells."""

from dataclasses import dataclass

from mindspore import nn

from edgedet_converters.blocks import AnchorOutput
from edgedet_converters.family import Family, Network


@dataclass(frozen=True)
class Config:
    num_classes: int = 3
    stride: int = 16


class Toy(nn.Cell):
    def __init__(self, config):
        super().__init__()
        size = config.stride
        self.loc = nn.Conv2d(3, 4, size, size, pad_mode="valid", has_bias=True)
        self.cls = nn.Conv2d(3, config.num_classes, size, size, pad_mode="valid", has_bias=True)
        self.deltas, self.logits = AnchorOutput(4), AnchorOutput(config.num_classes)

    def construct(self, image):
        return self.deltas((self.loc(image),)), self.logits((self.cls(image),))


def describe(config):
    side = 4 * config.stride
    levels = [{"grid_wh": [4, 4], "stride_wh": [config.stride] * 2, "cells_wh": [[0.3, 0.3]]}]
    return {
        "tasks": ["detect"],
        "input": {"size_wh": [side, side], "color": "bgr", "mean": [0, 0, 0], "std": [255, 255, 255],
                  "resize": "letterbox"},
        "head": {"type": "anchors", "levels": levels, "variances": [0.1, 0.2], "clip": True, "activation": "softmax",
                 "background": None, "score_threshold": 0.3, "iou_threshold": 0.5, "max_per_class": 10,
                 "max_detections": 20, "plus_one": False},
    }


def networks(cell, config):
    side = 4 * config.stride
    return {"model": Network(cell, {"image": (1, 3, side, side)}, ("deltas", "logits"))}


FAMILY = Family(name="toy", config=Config, build=Toy, networks=networks, describe=describe, labels="coco")
'''

CONVERT = """
import sys
from pathlib import Path
import mindspore, numpy as np
from edgedet_converters import family as families
from edgedet_converters.convert import convert
assert "toy" in families.names()
found = families.find("toy")
cell, rng = found.build(found.config()), np.random.default_rng(0)
entries = [{"name": p.name, "data": mindspore.Tensor(rng.normal(0, 0.1, p.shape).astype(np.float32))}
           for p in cell.get_parameters()]
mindspore.save_checkpoint(entries, "toy.ckpt")
Path("labels.txt").write_text("a\\nb\\nc\\n")
convert("toy", Path("toy.ckpt"), Path("bundle"), labels=Path("labels.txt"))
"""


def test_one_file_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "families").mkdir()
    (tmp_path / "families" / "toy.py").write_text(FAMILY, encoding="utf-8")
    monkeypatch.setenv("EDGEDET_FAMILIES", str(tmp_path / "families"))
    # A process of its own: the packages of this one have been imported, and their search paths with them.
    done = subprocess.run([sys.executable, "-c", CONVERT], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    opened = edgedet.Bundle.open(tmp_path / "bundle")
    assert opened.spec.family == "toy"
    assert verify(opened).passed
    with edgedet.load(tmp_path / "bundle") as model:
        found = model(np.random.default_rng(1).integers(0, 256, (50, 90, 3), np.uint8))
    assert 0 < len(found) <= 20 and found.labels == ("a", "b", "c")
