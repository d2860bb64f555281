"""Every set of instructions gives the same bits: each in a process of its own, since it is chosen once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edgedet import _core

LEVELS = _core.build_info()["vector_levels"]
# Sizes that fill no vector among them, infinities, NaN, subnormal numbers; prints a digest of all answers.
WORK = """
import hashlib
import numpy as np
from edgedet import _core, ops

rng, F = np.random.default_rng(0), np.float32
digest = hashlib.sha256()

def take(*arrays):
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())

for count in (1, 15, 16, 17, 333):
    boxes = np.cumsum(rng.uniform(0, 9, (count, 4)), axis=1).astype(F)
    anchors, deltas = boxes / 40, rng.normal(0, 1, (count, 4)).astype(F)
    take(ops.decode_boxes(deltas, anchors), ops.nms(boxes, deltas[:, 0].copy(), 0.4))
    take(*ops.soft_nms(boxes, abs(deltas[:, 0]), method="gaussian"))
    for columns in (1, 2, 7, 21, 81, 130):
        logits = rng.normal(-1, 2, (count, columns)).astype(F)
        logits.flat[:: 97] = np.inf
        logits.flat[5 :: 101] = np.nan
        for activation in ("sigmoid", "softmax"):
            for background in (0, columns - 1, None):
                take(*ops.detect(deltas, logits, anchors, image_wh=(99, 77), score_threshold=0.3, iou_threshold=0.5,
                                 activation=activation, background=background))
for channels in (1, 3, 63, 64, 65, 150):
    features = rng.normal(0, 1, (channels, 13, 17)).astype(F)
    for _ in range(2):
        regions = np.array([(x, y, x + w, y + h) for x in (0, 3) for y in (0, 5) for w in (1, 7, 14) for h in (1, 8)])
        for levels in ((6, 3, 2, 1), (4, 3), (5,)):
            take(ops.spp_pool(features, regions.astype(np.int32), levels))
            take(ops.spp_pool(features.astype(np.float16), regions.astype(np.int32), levels))
        features[0, 3, 5] = np.nan
for shape in ((1, 1, 3), (5, 7, 3), (40, 33, 3)):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    take(ops.normalize(image, (1, 2, 3), (4, 5, 6)), ops.normalize(image, (1, 2, 3), (4, 5, 6), layout="hwc"))
print(_core.build_info()["vector_level"], digest.hexdigest())
"""


def run(level):
    environment = {**os.environ, "EDGEDET_VECTOR_LEVEL": level}
    return subprocess.run([sys.executable, "-c", WORK], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def scalar():
    return run("scalar").stdout.split()


@pytest.mark.parametrize("level", LEVELS[1:])
def test_gives_the_bits_of_the_scalar_twin(level, scalar):
    assert run(level).stdout.split() == [level, scalar[1]]


def test_a_level_that_this_machine_lacks_is_the_best_it_has():
    lacking = next(name for name in ("neon", "avx512", "avx2") if name not in LEVELS)
    assert run(lacking).stdout.split()[0] == LEVELS[-1]
    assert run("").stdout.split()[0] == LEVELS[-1]


def test_a_name_that_is_none_is_refused_at_the_import():
    done = run("sse9")
    assert done.returncode == 1
    assert "EDGEDET_VECTOR_LEVEL: expected scalar, baseline, neon, avx2 or avx512, got sse9; do unset it" in done.stderr
