"""A classifier's golden data: replayed, and every way in which the answers can differ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from bundles import edit_json, hashed, rehash
from toyspp import spp_bundle

from edgedet.bundle import Bundle
from edgedet.errors import BundleError
from edgedet.evaluate.agreement import ClassAgreement, compare_classes
from edgedet.evaluate.golden import expected_results
from edgedet.evaluate.verify import LIMITS, verify
from edgedet.results import Classification

LABELS = ("a", "b", "c", "d")


def ranked(*class_ids: int, scores: tuple[float, ...] = (0.5, 0.25, 0.125)) -> Classification:
    return Classification(np.array(class_ids, np.int32), np.array(scores, np.float32), LABELS)


@pytest.mark.parametrize(
    ("scores", "misplaced", "apart"),
    [
        ([0.5, 0.25, 0.125, 0.125], 0, 0.0),
        ([0.5, 0.25, 0.1, 0.15], 1, 0.025),
        ([0.2, 0.5, 0.125, 0.175], 3, 0.3),
        ([0.5, 0.375, 0.0625, 0.0625], 0, 0.125),
        ([0.5, np.nan, 0.1, 0.2], 3, np.inf),
    ],
)
def test_places_and_scores_of_the_best(scores: list[float], misplaced: int, apart: float) -> None:
    found = compare_classes(np.array(scores, np.float32), ranked(0, 1, 2))
    assert (found.top, found.misplaced) == (3, misplaced)
    assert found.max_score == pytest.approx(apart)


@pytest.mark.parametrize(
    ("found", "precision", "faults"),
    [
        (ClassAgreement(5, 0, 0.0), "fp32", 0),
        (ClassAgreement(5, 1, 0.0), "fp32", 1),
        (ClassAgreement(5, 0, 0.01), "fp32", 1),
        (ClassAgreement(5, 2, 0.01), "fp16", 0),
        (ClassAgreement(5, 5, np.inf), "int8", 2),
        (ClassAgreement(5, 0, np.nan), "int8", 1),
    ],
)
def test_limits(found: ClassAgreement, precision: str, faults: int) -> None:
    said = list(found.faults(LIMITS[precision]))
    assert len(said) == faults
    assert all(sentence.startswith("classes: expected ") and ", got " in sentence for sentence in said)


def test_a_good_bundle_passes(tmp_path: Path) -> None:
    verdict = verify(Bundle.open(spp_bundle(tmp_path, goldens=2)))
    assert verdict.passed, verdict.table()
    lines = [line.strip() for line in verdict.table().splitlines()]
    assert sum(line.startswith("classes  top 4 identical; at most 0.0000") for line in lines) == 4
    assert [line for line in lines if line.startswith("golden/1")] == [
        "golden/1.png (classify)",
        "golden/1.png (regions)",
    ]
    assert json.loads(json.dumps(verdict.to_dict()))["replays"][0]["result"]["misplaced"] == 0


def test_another_network_fails(tmp_path: Path) -> None:
    folder = spp_bundle(tmp_path / "one")
    spp_bundle(tmp_path / "other", seed=9)
    (folder / "head.onnx").write_bytes((tmp_path / "other" / "head.onnx").read_bytes())
    rehash(folder)
    verdict = verify(Bundle.open(folder))
    assert not verdict.passed
    for task in ("classify", "regions"):
        for part in ("logits", "classes"):
            said = f"golden/0.png ({task}): {part}: expected "
            assert any(reason.startswith(said) for reason in verdict.reasons)


def test_nan_is_a_verdict_and_no_crash(tmp_path: Path) -> None:
    folder = spp_bundle(tmp_path)
    model = onnx.load(folder / "head.onnx")
    for constant in model.graph.initializer:
        if constant.name == "fc2.b":
            values = onnx.numpy_helper.to_array(constant).copy()
            values[:2] = np.nan, np.inf
            constant.CopyFrom(onnx.numpy_helper.from_array(values, "fc2.b"))
    onnx.save(model, str(folder / "head.onnx"))
    rehash(folder)
    verdict = verify(Bundle.open(folder))
    assert not verdict.passed and "FAILED" in verdict.table()


@pytest.mark.parametrize("change", [{"class_ids": np.zeros(9, np.int32)}, {"scores": None}])
def test_golden_data_that_is_none(tmp_path: Path, change: dict[str, np.ndarray | None]) -> None:
    folder = spp_bundle(tmp_path)
    path = folder / "golden" / "0.npz"
    with np.load(path) as arrays:
        kept = {**dict(arrays), **change}
    np.savez(path, **{name: array for name, array in kept.items() if array is not None})
    edit_json(folder, lambda data: data["golden"][0].update(expected=hashed(folder, "golden/0.npz")))
    with pytest.raises(BundleError, match="^golden: expected class_ids and scores, got "):
        verify(Bundle.open(folder))


def test_what_convert_records_is_what_verify_compares(tmp_path: Path) -> None:
    bundle = Bundle.open(spp_bundle(tmp_path))
    expected = bundle.expected(bundle.spec.golden[0])
    found = expected_results(bundle.spec, expected, np.zeros((4, 4, 3), np.uint8))
    np.testing.assert_array_equal(found["class_ids"], expected["class_ids"])
    np.testing.assert_allclose(found["scores"], expected["scores"], rtol=1e-6)
