"""The region classifier against plain NumPy: projection, pooling and head, and every odd box."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import reference
from bundles import edit_json, sample_image, toy_bundle
from toyspp import LABELS, feature_map, head_layers, make_weights, probabilities, spp_bundle

import edgedet
from edgedet import spp
from edgedet.errors import BundleError, InferenceError
from edgedet.model import Timings
from edgedet.regions import RegionClassifier

LEVELS = (3, 1)
SIDE = 40  # the toy's usual shorter side


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spp_bundle(tmp_path_factory.mktemp("bundles") / "toyspp")


@pytest.fixture(scope="module")
def model(toy: Path) -> Iterator[RegionClassifier]:
    with edgedet.load(toy, task="regions", threads=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    return make_weights(np.random.default_rng(0), sum(bins * bins for bins in LEVELS), len(LABELS))


def picture(width: int = 133, height: int = 89, seed: int = 5) -> np.ndarray:
    return sample_image(np.random.default_rng(seed), (width, height))


def random_boxes(count: int, image_wh: tuple[int, int] = (133, 89), seed: int = 3) -> np.ndarray:
    """Inside, outside, tiny, inverted."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-0.3, 1.3, (count, 2, 2)) * image_wh
    ordered = np.where(rng.random((count, 1, 1)) < 0.9, np.sort(corners, axis=1), corners)
    return ordered.reshape(count, 4).astype(np.float32)


def plain(
    image: np.ndarray, boxes: np.ndarray, weights: dict[str, np.ndarray], side: int, rule: Any, head: Any
) -> dict[str, np.ndarray]:
    """The paper's regions step by step: resize, convolve, project, pool, classify. Boxes stay as they are."""
    height, width = image.shape[:2]
    growth = side / min(width, height)
    size_wh = round(width * growth), round(height * growth)
    resized = cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR)[..., ::-1]
    features = feature_map(reference.normalize(resized, rule.mean, rule.std)[None], weights)
    grid = head.grid(size_wh)
    scaled = boxes.astype(np.float64) * np.tile(np.divide(size_wh, (width, height)), 2)
    windows = reference.project_regions(scaled.astype(np.float32), grid.stride, grid.offset, grid.feature_wh)
    return {"windows": windows, **head_layers(reference.spp_pool(features, windows, head.levels), weights)}


@pytest.mark.parametrize("size_wh", [(133, 89), (90, 200), (40, 40)])
@pytest.mark.parametrize("side", [None, 24, 61])
def test_random_regions_are_those_of_plain_numpy(
    model: RegionClassifier, weights: dict[str, np.ndarray], size_wh: tuple[int, int], side: int | None
) -> None:
    image, boxes = picture(*size_wh), random_boxes(60, size_wh)
    expected = plain(image, boxes, weights, side or SIDE, model.spec.input, model.head)
    found = model(image, boxes, shorter_side=side)
    np.testing.assert_allclose(found.scores, probabilities(expected["logits"]), atol=1e-5)
    np.testing.assert_array_equal(found.boxes, boxes)
    assert found.image_wh == size_wh and found.labels == LABELS and len(found) == 60
    for layer in ("spp", "fc1", "logits"):
        values = model.features(image, boxes, layer, shorter_side=side)
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, expected[layer], atol=1e-4)


def test_the_whole_image_is_what_the_classifier_says(toy: Path, model: RegionClassifier) -> None:
    """At the classifier's own input, to the bit."""
    image = picture(64, 48)
    with edgedet.load(toy, task="classify", threads=1) as classifier:
        for size_wh in ((32, 24), (64, 48)):
            resized = cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR)
            tensor = reference.normalize(resized[..., ::-1], model.spec.input.mean, model.spec.input.std)[None]
            whole = model.features(image, [[0, 0, 64, 48]], "logits", shorter_side=size_wh[1])
            np.testing.assert_array_equal(whole, classifier.logits(np.ascontiguousarray(tensor)))
        photograph = picture()
        np.testing.assert_array_equal(model.raw(photograph)["logits"], classifier.raw(photograph)["logits"])


def test_golden_data(model: RegionClassifier) -> None:
    (golden,) = model.spec.golden
    image = cv2.imread(str(model.bundle.check(golden.image)))
    np.testing.assert_allclose(model.raw(image)["logits"], model.bundle.expected(golden)["logits"], atol=1e-5)


# What a box means.


def scores_of(model: RegionClassifier, *boxes: tuple[float, ...], **options: Any) -> np.ndarray:
    return model(picture(), np.array(boxes, np.float32), **options).scores


def test_no_boxes(model: RegionClassifier) -> None:
    for none in ([], [[]], np.zeros((0, 4), np.float32), np.zeros((0, 4))):
        found = model(picture(), none)
        assert len(found) == 0 and found.scores.shape == (0, len(LABELS)) and found.boxes.shape == (0, 4)
        assert found.to_dicts() == [] and len(found.to_detections()) == 0
        assert model.features(picture(), none, "fc1").shape == (0, 6)
        assert model.features(picture(), none).shape == (0, 30)


def test_one_box_is_as_among_many(model: RegionClassifier) -> None:
    boxes = random_boxes(40)
    many = model(picture(), boxes).scores
    for i in (0, 17, 39):
        np.testing.assert_allclose(model(picture(), boxes[i : i + 1]).scores[0], many[i], atol=1e-6)


def test_what_lies_outside_is_cut_off(model: RegionClassifier) -> None:
    inside, beyond = scores_of(model, (50, 20, 133, 89), (50, 20, 1e30, 3e38))
    np.testing.assert_array_equal(inside, beyond)
    left, corner = scores_of(model, (-50, 30, -20, 40), (0, 30, 0, 40))
    np.testing.assert_array_equal(left, corner)


@pytest.mark.parametrize("box", [(60, 40, 60, 40), (62, 41, 58, 39), (59.9, 39.9, 60.1, 40.1), (62, 39.9, 58, 40.1)])
def test_what_holds_no_centre_takes_the_nearest_cell(model: RegionClassifier, box: tuple[float, ...]) -> None:
    grid = model.head.grid((60, 40))  # 133×89 at a shorter side of 40
    column, row = (round((p * 40 / 89 - o) / s) for p, s, o in zip((60, 40), grid.stride, grid.offset))
    x, y = (((c + d) * s + o) * 89 / 40 for c, d, s, o in zip((column, row), (0, 0), grid.stride, grid.offset))
    np.testing.assert_array_equal(scores_of(model, box), scores_of(model, (x - 1, y - 1, x + 1, y + 1)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_boxes_must_be_finite(model: RegionClassifier, value: float) -> None:
    boxes = np.zeros((3, 4))
    boxes[2, 1] = value
    with pytest.raises(ValueError, match=r"^boxes: expected finite corners, got \[0\.0, .* in box 2; do drop it"):
        model(picture(), boxes)


@pytest.mark.parametrize(
    "boxes",
    [
        np.zeros(4, np.float32),
        np.zeros((2, 5), np.float32),
        np.zeros((1, 2, 4), np.float32),
        np.zeros((1, 4), bool),
        np.zeros((1, 4), complex),
        np.array([["0", "0", "1", "1"]]),
        [[0, 0, 1, 1], [0, 0, 1]],
        np.zeros((0, 5)),
        "0 0 1 1",
        None,
        {"box": 1},
    ],
)
def test_boxes_of_another_kind(model: RegionClassifier, boxes: Any) -> None:
    for call in (model, model.features):
        with pytest.raises(ValueError, match=r"^boxes: expected \(R, 4\) float32, .*, got .*; give one row"):
            call(picture(), boxes)


def test_other_numbers_are_understood(model: RegionClassifier) -> None:
    wanted = scores_of(model, (10, 20, 70, 80), (0, 0, 5, 5))
    for boxes in ([[10, 20, 70, 80], (0, 0, 5, 5)], np.array([[10, 20, 70, 80], [0, 0, 5, 5]], np.uint8)):
        np.testing.assert_array_equal(model(picture(), boxes).scores, wanted)
    turned = np.array([[10, 20, 70, 80], [0, 0, 5, 5]], np.float32, order="F")
    np.testing.assert_array_equal(model(picture(), turned).scores, wanted)


def test_the_caller_may_change_the_boxes_afterwards(model: RegionClassifier) -> None:
    boxes = random_boxes(3)
    found = model(picture(), boxes)
    boxes[:] = 0
    assert found.boxes.any()


# Batches and equal windows.


def test_batches_change_nothing(model: RegionClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = np.concatenate([random_boxes(300), random_boxes(50)])
    whole = [model(picture(), boxes).scores, model.features(picture(), boxes, "fc1")]
    monkeypatch.setattr(spp, "HEAD_BATCH", 7)
    np.testing.assert_allclose(model(picture(), boxes).scores, whole[0], atol=1e-6)
    np.testing.assert_allclose(model.features(picture(), boxes, "fc1"), whole[1], atol=1e-5)


def rows_run(model: RegionClassifier, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    rows: list[int] = []
    run = model.run_head
    monkeypatch.setattr(model, "run_head", lambda pooled: rows.append(len(pooled)) or run(pooled))
    return rows


def test_equal_windows_go_through_the_head_once(model: RegionClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_run(model, monkeypatch)
    boxes = np.repeat(np.array([[0, 0, 60, 60], [70, 10, 120, 80]], np.float32), 500, axis=0)
    boxes += np.random.default_rng(0).uniform(0, 0.2, boxes.shape).astype(np.float32)  # the same cells
    found = model(picture(), boxes)
    assert rows == [2]
    assert (found.scores == found.scores[[0] * 500 + [500] * 500]).all()
    assert not (found.scores[0] == found.scores[500]).all()


def test_many_boxes_go_in_batches(model: RegionClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_run(model, monkeypatch)
    boxes = random_boxes(20_000, (400, 300))
    found = model(picture(400, 300), boxes, shorter_side=240)
    assert max(rows) <= spp.HEAD_BATCH and 2000 < sum(rows) < 20_000
    some = slice(None, None, 997)
    np.testing.assert_allclose(
        found.scores[some], model(picture(400, 300), boxes[some], shorter_side=240).scores, atol=1e-6
    )


def test_a_head_of_certain_numbers_of_rows(tmp_path: Path, model: RegionClassifier) -> None:
    """As a compiled one: batches are filled up, what fills them is not seen."""
    folder = spp_bundle(tmp_path)
    shapes = {"pooled": [[1, 30], [8, 30]]}
    edit_json(folder, lambda data: data["variants"][0]["files"]["head"].update(shapes=shapes))
    boxes = random_boxes(21)
    with edgedet.load(folder, task="regions") as compiled:
        assert compiled.most_rows == 8
        for count in (1, 5, 21):
            found, wanted = compiled(picture(), boxes[:count]), model(picture(), boxes[:count])
            np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-6)


# Scales and mirrors.


def test_each_region_takes_the_scale_where_it_is_nearest_to_224_pixels(model: RegionClassifier) -> None:
    image = picture(800, 600)
    boxes = np.array([[0, 0, 700, 600], [10, 10, 230, 250], [300, 300, 380, 390], [9, 9, 9, 9]], np.float32)
    found = model(image, boxes, scales=(240, 600, 1200))
    for row, side in enumerate((240, 600, 1200, 1200)):
        alone = model(image, boxes[row : row + 1], shorter_side=side)
        np.testing.assert_allclose(found.scores[row], alone.scores[0], atol=1e-6)
        for layer in ("spp", "fc1"):
            np.testing.assert_allclose(
                model.features(image, boxes, layer, scales=(240, 600, 1200))[row],
                model.features(image, boxes[row : row + 1], layer, shorter_side=side)[0],
                atol=1e-5,
            )


def test_scales_that_nothing_needs_are_not_computed(model: RegionClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[Any] = []
    trunk = model.feature_map
    monkeypatch.setattr(model, "feature_map", lambda tensor: sizes.append(tensor.shape[2]) or trunk(tensor))
    model(picture(800, 600), [[0, 0, 800, 600], [10, 10, 700, 500]], scales="paper")
    assert sizes == [480]


@pytest.mark.parametrize("scales", [None, (24, 60)])
def test_flip_is_the_mean_with_the_mirrored_image(model: RegionClassifier, scales: Any) -> None:
    image, boxes = picture(), random_boxes(50)
    mirrored = boxes.copy()
    mirrored[:, [0, 2]] = 133 - boxes[:, [2, 0]]
    once, twice = model(image, boxes, scales=scales), model(image[:, ::-1], mirrored, scales=scales)
    both = model(image, boxes, scales=scales, flip=True)
    np.testing.assert_allclose(both.scores, (once.scores + twice.scores) / 2, atol=1e-6)
    assert not np.allclose(once.scores, twice.scores, atol=1e-3)


@pytest.mark.parametrize("side", [0, -1, 688.0, True, "688", 16_385, [688]])
def test_shorter_side_is_a_whole_number(model: RegionClassifier, side: Any) -> None:
    with pytest.raises(ValueError, match="^shorter_side: expected a whole number of 1 to 16384, got "):
        model(picture(), [[0, 0, 9, 9]], shorter_side=side)


@pytest.mark.parametrize("scales", [[], "papers", (480, 0), (480, True), 480, range(1, 30), [480.0], {480}])
def test_scales_are_some_whole_numbers(model: RegionClassifier, scales: Any) -> None:
    with pytest.raises(ValueError, match="^scales: expected paper, or 1 to 16 whole numbers of 1 to 16384, got "):
        model(picture(), [[0, 0, 9, 9]], scales=scales)


def test_one_scale_or_several(model: RegionClassifier) -> None:
    with pytest.raises(ValueError, match="^scales: expected none beside shorter_side 480, got both"):
        model(picture(), [[0, 0, 9, 9]], shorter_side=480, scales="paper")


@pytest.mark.parametrize("size_wh", [(1, 1), (3, 2), (4000, 20), (20, 4000), (1, 9000)])
def test_odd_images_have_an_answer(model: RegionClassifier, size_wh: tuple[int, int]) -> None:
    width, height = size_wh
    found = model(picture(*size_wh), [[0, 0, width, height], [width / 3, 0, width / 2, height]], shorter_side=688)
    np.testing.assert_allclose(found.scores.sum(axis=1), 1, atol=1e-6)


# The rest of its manners.


def test_color_names_the_order_of_the_channels(model: RegionClassifier) -> None:
    image, boxes = picture(), random_boxes(5)
    turned = np.ascontiguousarray(image[..., ::-1])
    np.testing.assert_array_equal(model(image, boxes).scores, model(turned, boxes, color="rgb").scores)
    np.testing.assert_array_equal(model.features(image, boxes), model.features(turned, boxes, color="rgb"))
    assert len(model(image[..., 0], boxes)) == 5
    frame = np.random.default_rng(3).integers(0, 256, (90, 80), dtype=np.uint8)
    found, shown = model(frame, boxes, color="nv12"), cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_NV12)
    np.testing.assert_array_equal(found.scores, model(shown, boxes).scores)
    assert found.image_wh == (80, 60)
    for wrong in (None, image.astype(np.float32)):
        with pytest.raises(ValueError, match="^image: expected "):
            model(wrong, boxes)


@pytest.mark.parametrize(("name", "role"), [("pool5", "spp"), ("fc6", "fc1")])
def test_layers_go_by_the_papers_names_too(model: RegionClassifier, name: str, role: str) -> None:
    boxes = random_boxes(9)
    np.testing.assert_array_equal(model.features(picture(), boxes, name), model.features(picture(), boxes, role))


@pytest.mark.parametrize("layer", ["fc2", "conv5", "", None, 6])
def test_an_unknown_layer_is_named(model: RegionClassifier, layer: Any) -> None:
    with pytest.raises(ValueError, match="^layer: expected one of spp, fc1, logits, got "):
        model.features(picture(), [[0, 0, 9, 9]], layer)


def test_threads_may_share_a_model(model: RegionClassifier) -> None:
    tasks = [(picture(seed=seed), random_boxes(30, seed=seed)) for seed in range(16)]
    expected = [model(*task).scores for task in tasks]
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(lambda task: model(*task), tasks), expected):
            np.testing.assert_array_equal(found.scores, wanted)


def test_timings_warm_up_and_close(toy: Path) -> None:
    model = edgedet.load(toy, task="regions")
    assert isinstance(model, edgedet.RegionClassifier) and model.timings == Timings(0.0, 0.0, 0.0)
    model.warm_up()
    assert all(seconds > 0 for seconds in model.timings)
    model.close()
    with pytest.raises(InferenceError, match="closed"):
        model(picture(), [[0, 0, 9, 9]])


def test_a_trunk_with_another_map_than_described(tmp_path: Path) -> None:
    folder = spp_bundle(tmp_path)
    edit_json(folder, lambda data: data["head"]["trunk"][0].update(stride=3))
    message = "^features: expected 14 rows and 20 columns, as head.trunk says"
    with edgedet.load(folder, task="regions") as model, pytest.raises(InferenceError, match=message):
        model(picture(), [[0, 0, 9, 9]])


def test_the_head_must_have_a_pyramid(tmp_path: Path) -> None:
    folder = toy_bundle(tmp_path, tasks=("regions",), goldens=0)
    with pytest.raises(BundleError, match=r"^model\.json: head\.type: expected spp, got anchors"):
        edgedet.load(folder)


def test_nan_from_the_network_is_no_answer(model: RegionClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "run_head", lambda pooled: {"logits": np.full((len(pooled), 4), np.nan, np.float32)})
    with pytest.raises(InferenceError, match="^logits: expected finite numbers"):
        model(picture(), [[0, 0, 9, 9]])
