"""The published sizes, each from a checkpoint saved by MindSpore under the published names. Minutes: the job `full`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mindspore", reason="needs the extra [convert]")
import skimage.data
from checkpoints import sane_checkpoint
from test_published_postprocess import check_equal, published

import edgedet
from edgedet.evaluate.verify import verify
from edgedet.image import to_tensor
from edgedet_converters import family as families
from edgedet_converters.convert import convert

pytestmark = [pytest.mark.convert, pytest.mark.full]
DETECTORS = ["nas_fpn", "ssd_mobilenet_v2", "ssd_resnet50_fpn"]


@pytest.fixture(scope="module", params=DETECTORS)
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    family = families.find(request.param)
    checkpoint = sane_checkpoint(family, family.config(), folder / "published.ckpt", training_extras=True)
    return convert(request.param, checkpoint, folder / "bundle")


def test_raw_outputs_are_mindspores(bundle: Path) -> None:
    verdict = verify(edgedet.Bundle.open(bundle))
    assert verdict.passed, verdict.table()
    for replay in verdict.replays:
        assert all(raw.max_rel <= 1e-4 for raw in replay.raw), verdict.table()


def test_boxes_are_those_of_the_published_evaluation(bundle: Path) -> None:
    with edgedet.load(bundle, task="detect") as model:
        for photo in ("astronaut", "coffee", "chelsea"):
            image = np.ascontiguousarray(getattr(skimage.data, photo)()[..., ::-1])
            _, placed = to_tensor(image, model.spec.input)
            expected = published(model.raw(image), model.postprocess.anchors, placed.image_wh)
            assert len(expected) > 50
            check_equal(model(image), expected)
