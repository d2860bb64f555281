"""Networks whose outputs are float16: read in place, and taken for the numbers that they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import sample_image, toy_bundle
from toyspp import spp_bundle

import edgedet
from edgedet import ops
from edgedet.detector import Detector
from edgedet.errors import BundleError
from edgedet.evaluate.verify import verify
from edgedet.image import to_tensor
from edgedet.runtime.base import TensorInfo


def picture() -> np.ndarray:
    return sample_image(np.random.default_rng(5), (133, 89))


@pytest.fixture(scope="module")
def halved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Detector]:
    """The model's twin whose outputs are float16, as Ascend gives them."""
    folder = toy_bundle(tmp_path_factory.mktemp("bundles") / "half", half=True)
    with edgedet.load(folder, task="detect", threads=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def model(whole_bundle: Path) -> Iterator[Detector]:
    with edgedet.load(whole_bundle, task="detect", threads=1) as opened:
        yield opened


@pytest.mark.parametrize("options", [{}, {"score_threshold": 0.3}, {"iou_threshold": 0.1, "max_detections": 7}])
def test_float16_outputs_mean_their_own_numbers(halved: Detector, model: Detector, options: dict[str, Any]) -> None:
    raw, exact = halved.raw(picture()), model.raw(picture())
    _, placed = to_tensor(picture(), halved.spec.input)
    for role, array in raw.items():
        assert array.dtype == np.float16
        np.testing.assert_array_equal(array, exact[role].astype(np.float16))
    wide = {role: array.astype(np.float32) for role, array in raw.items()}
    found, wanted = halved(picture(), **options), halved.postprocess(wide, placed, **options)
    assert len(found) > 3
    for name in ("boxes", "scores", "class_ids"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


def test_float16_outputs_are_read_in_place(halved: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, seen = ops.detect, []

    def spy(deltas: np.ndarray, logits: np.ndarray, *rest: Any, **options: Any) -> Any:
        seen.append((deltas.dtype, logits.dtype, deltas.flags.c_contiguous))
        return kernel(deltas, logits, *rest, **options)

    monkeypatch.setattr(ops, "detect", spy)
    halved(picture())
    assert seen == [(np.float16, np.float16, True)]


def test_float16_outputs_are_verified(halved: Detector) -> None:
    verdict = verify(halved.bundle)
    assert verdict.passed, verdict.table()
    assert 0 < max(raw.max_rel for replay in verdict.replays for raw in replay.raw) < 1e-3


def test_outputs_that_are_no_floats(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "edgedet.network.Network.outputs",
        {role: TensorInfo(role, (), np.dtype(np.uint8)) for role in ("deltas", "logits")},
    )
    with pytest.raises(BundleError, match="^deltas: expected float32 or float16, got uint8; convert "):
        edgedet.load(bundle)


@pytest.mark.parametrize("half", [("map",), ("rows",), ("out",), ("map", "rows", "out")], ids="+".join)
def test_networks_of_half_precision(tmp_path: Path, half: tuple[str, ...]) -> None:
    image = picture()
    whole, less = spp_bundle(tmp_path / "whole"), spp_bundle(tmp_path / "half", half=half)
    with edgedet.load(whole, task="classify") as model, edgedet.load(less, task="classify") as halved:
        assert halved.raw(image)["logits"].dtype == np.float32
        np.testing.assert_allclose(halved.raw(image)["logits"], model.raw(image)["logits"], atol=2e-3)
        assert halved(image).class_ids.tolist() == model(image).class_ids.tolist()
