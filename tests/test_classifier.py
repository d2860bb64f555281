"""The classifier from picture to classes, against its golden data and plain NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from bundles import edit_json, rehash, sample_image, toy_bundle
from toyspp import LABELS, make_weights, prepared, probabilities, spp_bundle, whole_network

import edgedet
from edgedet.classifier import Classifier
from edgedet.errors import BundleError, InferenceError
from edgedet.model import Timings

LEVELS = (3, 1)


@pytest.fixture(scope="session")
def spp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spp_bundle(tmp_path_factory.mktemp("bundles") / "toyspp")


@pytest.fixture
def model(spp: Path) -> Iterator[Classifier]:
    with edgedet.load(spp, task="classify", threads=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    return make_weights(np.random.default_rng(0), sum(bins * bins for bins in LEVELS), len(LABELS))


def picture(width: int = 133, height: int = 89, seed: int = 5) -> np.ndarray:
    return sample_image(np.random.default_rng(seed), (width, height))


def test_it_is_what_the_bundle_opens_as(spp: Path) -> None:
    with edgedet.load(spp) as opened:
        assert type(opened) is edgedet.Classifier
        assert opened.labels == LABELS and opened.spec.tasks[0] == "classify"


@pytest.mark.parametrize("size_wh", [(133, 89), (30, 200), (1, 1)])
def test_the_best_classes_are_those_of_the_plain_network(
    model: Classifier, weights: dict[str, np.ndarray], size_wh: tuple[int, int]
) -> None:
    image = picture(*size_wh)
    logits = whole_network(prepared(image, model.spec.input), weights, LEVELS)
    scores = probabilities(logits[0])
    best = np.argsort(-scores, kind="stable")
    found = model(image, top_k=3)
    assert found.class_ids.tolist() == best[:3].tolist()
    np.testing.assert_allclose(found.scores, scores[best[:3]], atol=1e-6)
    assert [(row.label, row.class_id) for row in found] == [(LABELS[i], i) for i in best[:3].tolist()]
    np.testing.assert_allclose(model.raw(image)["logits"], logits, atol=1e-5)


def test_fewer_classes_than_asked_for_are_all(model: Classifier) -> None:
    found = model(picture())
    assert len(found) == len(LABELS) < 5
    assert found.scores.sum() == pytest.approx(1, abs=1e-6)
    assert len(model(picture(), top_k=np.int64(1))) == 1


@pytest.mark.parametrize("top_k", [0, -1, 2.0, True, "3", None])
def test_top_k_is_a_whole_number_from_1(model: Classifier, top_k: Any) -> None:
    with pytest.raises(ValueError, match="^top_k: expected a whole number from 1, got "):
        model(picture(), top_k=top_k)


@pytest.mark.parametrize("size_wh", [(32, 24), (33, 50), (451, 300), (1, 1)])
def test_logits_of_an_input_of_any_size(
    model: Classifier, weights: dict[str, np.ndarray], size_wh: tuple[int, int]
) -> None:
    tensor = np.random.default_rng(2).normal(size=(1, 3, size_wh[1], size_wh[0])).astype(np.float32)
    found = model.logits(tensor)
    assert found.shape == (1, len(LABELS)) and found.dtype == np.float32
    np.testing.assert_allclose(found, whole_network(tensor, weights, LEVELS), atol=1e-5)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (np.zeros((3, 24, 32), np.float32), r"^tensor: expected \(1, 3, H, W\) float32, got \(3, 24, 32\) float32"),
        (np.zeros((1, 3, 24, 32)), "expected float32, got float64"),
        (np.zeros((2, 3, 24, 32), np.float32), r"expected \(1, 3, None, None\), got"),
        (np.zeros((1, 3, 0, 32), np.float32), r"^size_wh: expected .*, got \(32, 0\)"),
        (None, "^tensor: expected .*, got NoneType"),
    ],
)
def test_a_tensor_that_is_no_input(model: Classifier, tensor: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.logits(tensor)


def test_color_names_the_order_of_the_channels(model: Classifier) -> None:
    image = picture()
    found, other = model(image), model(np.ascontiguousarray(image[..., ::-1]), color="rgb")
    assert found.to_dicts() == other.to_dicts()
    grey = model(image[..., :1])
    assert grey.to_dicts() == model(np.repeat(image[..., :1], 3, axis=2)).to_dicts()
    frame = np.random.default_rng(3).integers(0, 256, (90, 80), dtype=np.uint8)
    shown = cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_NV12)
    assert model(frame, color="nv12").to_dicts() == model(shown).to_dicts()


def test_batch_is_one_after_the_other(model: Classifier) -> None:
    images = [picture(seed=seed) for seed in range(3)]
    found = model.batch(images, top_k=2)
    assert [one.to_dicts() for one in found] == [model(image, top_k=2).to_dicts() for image in images]


def test_wrong_images_are_named(model: Classifier) -> None:
    for image in (None, np.zeros((4, 4), np.float32), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match="^image: expected "):
            model(image)


def test_threads_may_share_a_model(model: Classifier) -> None:
    images = [picture(seed=seed) for seed in range(24)]
    expected = [model(image).to_dicts() for image in images]
    with ThreadPoolExecutor(4) as pool:
        assert [found.to_dicts() for found in pool.map(model, images)] == expected


def test_timings_warm_up_and_close(spp: Path) -> None:
    model = edgedet.load(spp, task="classify")
    assert model.timings == Timings(0.0, 0.0, 0.0)
    model.warm_up()
    assert all(seconds > 0 for seconds in model.timings)
    model.close()
    model.close()
    with pytest.raises(InferenceError, match="closed"):
        model(picture())


def test_golden_data(model: Classifier) -> None:
    (golden,) = model.spec.golden
    image = cv2.imread(str(model.bundle.check(golden.image)))
    expected, found = model.bundle.expected(golden), model(image)
    np.testing.assert_array_equal(found.class_ids, expected["class_ids"])
    np.testing.assert_allclose(found.scores, expected["scores"], atol=1e-6)


def test_nan_from_the_network_is_no_answer(tmp_path: Path) -> None:
    folder = broken(tmp_path, np.nan)
    with edgedet.load(folder) as model, pytest.raises(InferenceError, match="^logits: expected finite numbers"):
        model(picture())


def broken(folder: Path, bias: float) -> Path:
    """A bundle whose first class has this for a bias."""
    spp_bundle(folder)
    graph = onnx.load(folder / "head.onnx")
    for constant in graph.graph.initializer:
        if constant.name == "fc2.b":
            values = onnx.numpy_helper.to_array(constant).copy()
            values[0] = bias
            constant.CopyFrom(onnx.numpy_helper.from_array(values, "fc2.b"))
    onnx.save(graph, str(folder / "head.onnx"))
    rehash(folder)
    return folder


def test_a_pool_of_another_size(tmp_path: Path) -> None:
    folder = spp_bundle(tmp_path)
    edit_json(folder, lambda data: data["head"].update(levels=[2, 1]))
    with pytest.raises(BundleError, match="networks' 3 channels, .*, got 5 bins"):
        edgedet.load(folder)


def rename_output(data: dict[str, Any]) -> None:
    outputs = data["variants"][0]["files"]["trunk"]["outputs"]
    outputs["map"] = outputs.pop("features")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda data: data["labels"].append("x"),
            r"expected to fit the networks' .*logits \(None, 4\), got 10 bins and 5",
        ),
        (lambda data: data["head"].update(levels=[4]), r"expected to fit .* pooled \(None, 30\) .*, got 16 bins"),
        (lambda data: data["variants"][0]["files"].pop("head"), "variants.files: expected head, got trunk"),
        (rename_output, "expected a trunk from image to features and a head from pooled to logits"),
    ],
)
def test_networks_that_do_not_fit_the_description(tmp_path: Path, change: Any, message: str) -> None:
    folder = spp_bundle(tmp_path)
    edit_json(folder, change)
    with pytest.raises(BundleError, match=rf"^model\.json: .*{message}"):
        edgedet.load(folder)


def test_the_head_must_be_a_classifiers(tmp_path: Path) -> None:
    folder = toy_bundle(tmp_path, tasks=("classify",), goldens=0)
    with pytest.raises(BundleError, match=r"^model\.json: head\.type: expected spp, got anchors"):
        edgedet.load(folder)
