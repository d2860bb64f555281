"""A bundle is replayed: it passes as it was written, and what has changed is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundles import edit_json, hashed, toy_bundle

import edgedet
from edgedet.evaluate.verify import verify


def change(folder: Path, role: str, by: float) -> None:
    """Makes the golden arrays those of another checkpoint, hashes and all."""
    path = folder / "golden" / "0.npz"
    with np.load(path) as arrays:
        changed = {name: array + np.float32(by) if name == role else array for name, array in arrays.items()}
    np.savez(path, **changed)
    edit_json(folder, lambda data: data["golden"][0].update(expected=hashed(folder, "golden/0.npz")))


def test_a_bundle_passes_as_it_was_written(whole_bundle: Path) -> None:
    verdict = verify(edgedet.Bundle.open(whole_bundle))
    assert verdict.passed and verdict.precision == "fp32" and verdict.runtime == "onnx"
    assert verdict.replays and all(replay.result.matched for replay in verdict.replays)
    assert verdict.to_dict()["passed"] is True and verdict.table().endswith("passed")


@pytest.mark.parametrize(
    ("role", "by", "reason"),
    [
        ("deltas", 0.5, "deltas: expected relative error"),
        ("logits", 0.5, "logits: expected relative error"),
        ("boxes", 3.0, "boxes: expected corners within"),
        ("scores", 0.01, "scores within"),
    ],
)
def test_other_answers_are_named(bundle: Path, role: str, by: float, reason: str) -> None:
    change(bundle, role, by)
    verdict = verify(edgedet.Bundle.open(bundle))
    assert not verdict.passed
    assert any(reason in text for text in verdict.reasons), verdict.reasons
    assert "FAILED" in verdict.table()


def test_a_bundle_without_golden_data_can_not_be_verified(tmp_path: Path) -> None:
    folder = toy_bundle(tmp_path / "toy", goldens=0)
    with pytest.raises(edgedet.BundleError, match="expected golden data, got none"):
        verify(edgedet.Bundle.open(folder))


def test_a_changed_picture_is_found_before_anything_runs(bundle: Path) -> None:
    picture = bundle / "golden" / "0.png"
    picture.write_bytes(picture.read_bytes() + b"x")
    with pytest.raises(edgedet.BundleError, match=r"golden/0\.png: expected sha256"):
        verify(edgedet.Bundle.open(bundle))
