"""The region detector against plain NumPy, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import edit_json, hashed, sample_image
from hypothesis import given
from hypothesis import strategies as st
from toyspp import spp_bundle
from toysvm import CLASSES, make_svms, plain_raw, plain_result, svm_bundle

import edgedet
from edgedet.detector import Detector
from edgedet.errors import BundleError, InferenceError
from edgedet.evaluate.verify import verify
from edgedet.proposals.sliding import SlidingPyramid
from edgedet.region_detector import RegionDetector
from edgedet.region_postprocess import RegionPostprocess, _places, l2_normalized

SIZE_WH = (133, 89)


def picture(seed: int = 5) -> np.ndarray:
    return sample_image(np.random.default_rng(seed), SIZE_WH)


def some_boxes(count: int = 150, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(-0.2, 1.2, (count, 2, 2)) * SIZE_WH, axis=1).reshape(count, 4).astype(np.float32)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return svm_bundle(tmp_path_factory.mktemp("svm") / "toy")


@pytest.fixture(scope="module")
def model(toy: Path) -> Any:
    with edgedet.load(toy) as opened:
        yield opened


@pytest.mark.parametrize("layer", ["spp", "fc1"])
@pytest.mark.parametrize("normalize", ["l2", "none"])
@pytest.mark.parametrize("regression", [True, False])
def test_every_kind_is_that_of_plain_numpy(tmp_path: Path, layer: str, normalize: str, regression: bool) -> None:
    limits = {"score_threshold": 0.02, "max_per_class": 9, "max_detections": 20}
    folder = svm_bundle(
        tmp_path / "toy", layer=layer, normalize=normalize, regression=regression, goldens=0, head_options=limits
    )
    with edgedet.load(folder, task="detect") as model:
        raw = plain_raw(picture(), some_boxes(), model.spec, regression=regression)
        for role, values in model.raw(picture(), some_boxes()).items():
            np.testing.assert_allclose(values, raw[role], atol=1e-4)
        expected = plain_result(raw, SIZE_WH, model.spec)
        found = model(picture(), some_boxes())
    assert len(found) == 20 and max(np.bincount(found.class_ids)) <= 9
    np.testing.assert_array_equal(found.class_ids, expected["class_ids"])
    np.testing.assert_allclose(found.scores, expected["scores"], atol=1e-5)
    np.testing.assert_allclose(found.boxes, expected["boxes"], atol=1e-3)
    assert found.labels == CLASSES and found.image_wh == SIZE_WH


def test_golden_data_is_plain_numpys(toy: Path) -> None:
    verdict = verify(edgedet.Bundle.open(toy))
    assert verdict.passed, verdict.table()
    assert verdict.replays[0].result.matched > 3  # type: ignore[attr-defined]


def test_where_to_look(model: RegionDetector) -> None:
    image = picture()
    usual = model(image)
    assert len(usual) > 3
    pyramid = SlidingPyramid(20)
    for boxes in (pyramid, pyramid(image), pyramid(image).tolist(), lambda seen: pyramid(seen).astype(np.float64)):
        found = model(image, boxes)
        np.testing.assert_array_equal(found.boxes, usual.boxes)
    for none in ([], np.zeros((0, 4), np.float32), lambda _: np.zeros((0, 4), np.float32)):
        assert len(model(image, none)) == 0


def test_it_is_called_as_a_detector_is(model: RegionDetector) -> None:
    image = picture()
    everything = model(image, score_threshold=0.0, iou_threshold=1.0)
    assert len(everything) == 3 * 100  # the bundle's cap of each class
    few = model(image, score_threshold=0.0, max_detections=2)
    assert len(few) == 2 and (few.scores == everything.scores[0]).any()
    assert len(model.batch([image, image])) == 2
    model.warm_up()
    model(image)
    assert all(seconds > 0 for seconds in model.timings)


def test_the_proposer_and_the_network_get_their_own_order_of_colors(model: RegionDetector) -> None:
    image, seen = picture(), []

    def propose(given: np.ndarray) -> np.ndarray:
        seen.append(np.array(given))
        return some_boxes()

    one, other = model.raw(image, propose), model.raw(image[..., ::-1], propose, color="rgb")
    for asked in seen:
        np.testing.assert_array_equal(asked, image)
    np.testing.assert_array_equal(one["logits"], other["logits"])
    assert not np.allclose(one["logits"], model.raw(image, propose, color="rgb")["logits"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score_threshold": 1.5}, "score_threshold: expected 0 to 1, got 1.5"),
        ({"score_threshold": float("nan")}, "score_threshold: expected 0 to 1, got nan"),
        ({"iou_threshold": -1.0}, "iou_threshold: expected"),
        ({"max_detections": 0}, "max_detections: expected a whole number from 1"),
        ({"boxes": [[0, 0, 1]]}, r"boxes: expected \(R, 4\)"),
        ({"boxes": [[0, 0, float("nan"), 1]]}, "boxes: expected finite"),
        ({"boxes": lambda _: np.zeros((3, 5))}, r"boxes: expected \(R, 4\)"),
    ],
)
def test_wrong_arguments(model: RegionDetector, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model(picture(), **options)


def test_the_task_is_detect_and_no_other(toy: Path, whole_bundle: Path) -> None:
    with edgedet.load(toy, task="detect") as model, edgedet.load(whole_bundle, task="detect") as other:
        assert type(model) is RegionDetector and type(other) is Detector
    for task in ("regions", "classify"):
        with pytest.raises(BundleError, match=f"task: expected one of detect, got '{task}'"):
            edgedet.load(toy, task=task)


def test_a_head_without_svms(tmp_path: Path) -> None:
    bundle = edgedet.Bundle.open(spp_bundle(tmp_path / "spp", tasks=("detect",), goldens=0))
    with pytest.raises(BundleError, match="head.type: expected anchors or svm, got spp"):
        edgedet.load(bundle)
    with pytest.raises(BundleError, match="head.type: expected svm, got spp"):
        RegionPostprocess(bundle.spec)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("proposals", "file:../../etc/passwd"),
        ("proposals", "detector:../elsewhere"),
        ("proposals", ""),
        ("proposals", "magic"),
        ("proposals", "sliding:x"),
        ("proposals", "detector:toy"),  # itself, and so on
        ("proposals", "file:boxes.csv"),
        ("proposals", "edge_boxes:model.yml"),
        ("layer", "fc9"),
        ("normalize", "l1"),
        ("score_threshold", 2.0),
        ("iou_threshold", -0.1),
        ("max_per_class", 0),
        ("max_detections", 0),
        ("weights", {"file": "../svm.npz", "sha256": "0"}),
    ],
)
def test_a_head_that_is_wrong(tmp_path: Path, key: str, value: Any) -> None:
    folder = svm_bundle(tmp_path / "toy", goldens=0)
    edit_json(folder, lambda data: data["head"].update({key: value}))
    with pytest.raises(BundleError, match=r"model\.json: (head\.|file)"):
        edgedet.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("bias"),
        lambda arrays: arrays.update(extra=np.zeros(1, np.float32)),
        lambda arrays: arrays.update(weights=arrays["weights"][:2]),
        lambda arrays: arrays.update(weights=arrays["weights"].astype(np.float64)),
        lambda arrays: arrays.update(bias=arrays["bias"] * np.float32("nan")),
        lambda arrays: arrays.update(box_bias=arrays["box_bias"][:3]),
        lambda arrays: arrays.update(box_weights=arrays["box_weights"][:4], box_bias=arrays["box_bias"][:4]),
        lambda arrays: arrays.update(bias=np.array([None, None, None])),
    ],
)
def test_weights_that_do_not_fit(tmp_path: Path, change: Any) -> None:
    folder = svm_bundle(tmp_path / "toy", goldens=0)
    arrays = make_svms("fc1")
    change(arrays)
    np.savez(folder / "svm.npz", **arrays)
    edit_json(folder, lambda data: data["head"].update(weights=hashed(folder, "svm.npz")))
    with pytest.raises(BundleError, match=r"svm\.npz: expected"):
        edgedet.load(folder)


def test_weights_of_other_bytes(tmp_path: Path) -> None:
    folder = svm_bundle(tmp_path / "toy", goldens=0)
    np.savez(folder / "svm.npz", **make_svms("fc1", seed=1))
    with pytest.raises(BundleError, match=r"svm\.npz: expected sha256"):
        edgedet.load(folder)
    (folder / "svm.npz").unlink()
    with pytest.raises(BundleError, match=r"svm\.npz: expected a file of the bundle"):
        edgedet.load(folder)


@pytest.mark.parametrize("name", ["weights", "box_weights"])
def test_weights_for_other_features(tmp_path: Path, name: str) -> None:
    folder = svm_bundle(tmp_path / "toy", goldens=0)
    arrays = make_svms("fc1")
    arrays[name] = np.ascontiguousarray(arrays[name][:, :5])
    np.savez(folder / "svm.npz", **arrays)
    edit_json(folder, lambda data: data["head"].update(weights=hashed(folder, "svm.npz")))
    with edgedet.load(folder) as model, pytest.raises(InferenceError, match=f"{name}: expected .* columns"):
        model(picture())


@given(st.lists(st.integers(0, 3), max_size=30))
def test_places_count_those_of_the_same_class_before(class_ids: list[int]) -> None:
    expected = [class_ids[:i].count(class_id) for i, class_id in enumerate(class_ids)]
    assert _places(np.array(class_ids, np.int32)).tolist() == expected


def test_a_row_of_zeros_has_no_direction() -> None:
    rows = l2_normalized(np.array([[3, 4], [0, 0]], np.float32))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0]])
