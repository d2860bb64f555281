"""The benchmark of regions: its rival, and the head that it cuts, on a small network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from bundles import sample_image
from toyspp import spp_bundle

import edgedet
from benchmarks import models, proposals
from benchmarks.peers.crops import Crops
from benchmarks.workloads import regions

BOXES = np.array([[0, 0, 32, 24], [5, 3, 20, 21]], np.float32)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return spp_bundle(tmp_path / "bundle")


def test_a_crop_goes_through_the_published_preprocessing(bundle: Path) -> None:
    image = sample_image(np.random.default_rng(0), (32, 24))
    with edgedet.load(bundle, task="regions") as model, edgedet.load(bundle, task="classify") as classifier:
        crops = Crops(model, 1)
        x0, y0, x1, y1 = BOXES[1].astype(int)
        for box, crop in ((BOXES[:1], image), (BOXES[1:], cv2.resize(image[y0:y1, x0:x1], (32, 24)))):
            rule = model.spec.input
            tensor = (crop[..., ::-1].astype(np.float32) - np.float32(rule.mean)) / np.float32(rule.std)
            expected = classifier.logits(np.ascontiguousarray(tensor.transpose(2, 0, 1)[None]))
            powers = np.exp(expected.astype(np.float64))
            np.testing.assert_allclose(crops.scores(image, box), powers / powers.sum(), atol=1e-6)
        assert crops.features(image, BOXES).shape == (2, 30)
        np.testing.assert_array_equal(crops.scores(image, BOXES[:1]), model(image, BOXES[:1], shorter_side=24).scores)


def test_the_cut_head_has_the_factors_shapes(bundle: Path) -> None:
    folder = models.compressed(bundle, (4, 2))
    weights = {tensor.name: tuple(tensor.dims) for tensor in onnx.load(folder / "head.onnx").graph.initializer}
    assert weights == {
        "fc1.1": (4, 30),
        "fc1.2": (6, 4),
        "fc1.b": (6,),
        "fc2.1": (2, 6),
        "fc2.2": (4, 2),
        "fc2.b": (4,),
    }
    image = sample_image(np.random.default_rng(0), (64, 48))
    with edgedet.load(folder, task="regions") as model:
        scores = model(image, BOXES).scores
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("make", [proposals.proposals, regions.drawn])
def test_boxes_lie_in_the_frame_at_all_sizes(make: Callable[[int], np.ndarray]) -> None:
    boxes = make(2000)
    sides = boxes[:, 2:] - boxes[:, :2]
    assert (boxes >= 0).all() and (boxes[:, 2:] <= np.array(proposals.FRAME_WH) + 1e-3).all()
    assert sides.min() < 30 and sides.max() > 900 and len(np.unique(boxes, axis=0)) == 2000
