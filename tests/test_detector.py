"""The detector from picture to boxes, against its golden data and the slow reference."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import reference
from bundles import sample_image, toy_bundle

import edgedet
from edgedet.detector import Detector
from edgedet.errors import InferenceError
from edgedet.image import to_tensor
from edgedet.model import Timings
from edgedet.results import Detections


@pytest.fixture
def model(whole_bundle: Path) -> Iterator[Detector]:
    with edgedet.load(whole_bundle, task="detect", threads=1) as opened:
        yield opened


def picture(width: int = 133, height: int = 89, seed: int = 5) -> np.ndarray:
    return sample_image(np.random.default_rng(seed), (width, height))


def check_same(found: Detections, other: Detections) -> None:
    np.testing.assert_allclose(found.boxes, other.boxes, atol=1e-3)
    np.testing.assert_allclose(found.scores, other.scores, atol=1e-6)
    np.testing.assert_array_equal(found.class_ids, other.class_ids)
    assert (found.labels, found.image_wh) == (other.labels, other.image_wh)


def truth(model: Detector, image: np.ndarray, **changes: Any) -> Detections:
    """The reference's detections in an image that fills the network's input."""
    raw, head = model.raw(image), model.postprocess.head
    names = ("score_threshold", "iou_threshold", "activation", "background")
    rule = {name: getattr(head, name) for name in (*names, "max_per_class", "max_detections", "plus_one")}
    anchors = head.anchors(model.spec.input.size_wh)
    boxes = reference.decode_boxes(raw["deltas"][0], anchors, head.variances, head.clip).astype(np.float32)
    size_wh = image.shape[1], image.shape[0]
    found = reference.detect(boxes, raw["logits"][0], image_wh=size_wh, **{**rule, **changes})
    return Detections(*found, model.labels, size_wh)


def test_golden_data(model: Detector) -> None:
    (golden,) = model.spec.golden
    image = cv2.imread(str(model.bundle.check(golden.image)))
    expected = model.bundle.expected(golden)
    raw = model.raw(image)
    for role in ("deltas", "logits"):
        np.testing.assert_allclose(raw[role], expected[role], atol=1e-4)
    size_wh = image.shape[1], image.shape[0]
    arrays = expected["boxes"], expected["scores"], expected["class_ids"]
    check_same(model(image), Detections(*arrays, model.labels, size_wh))


@pytest.mark.parametrize("size_wh", [(133, 89), (64, 48), (1, 1), (1000, 3), (1280, 720)])
def test_any_size_of_picture(model: Detector, size_wh: tuple[int, int]) -> None:
    image = picture(*size_wh)
    found = model(image)
    check_same(found, truth(model, image))
    assert found.image_wh == size_wh
    assert len(found) > 0


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "softmax", "score_threshold": 0.3},
        {"background": None},
        {"background": 3},
        {"plus_one": False, "iou_threshold": 0.3},
        {"max_per_class": 2},
        {"max_detections": 5},
        {"variances": (0.5, 0.4)},
        {"clip": False, "variances": (2.0, 0.2)},
    ],
    ids=str,
)
def test_the_bundles_rule_is_followed(tmp_path: Path, options: dict[str, Any]) -> None:
    folder = toy_bundle(tmp_path, head_options=options, goldens=0)
    with edgedet.load(folder, task="detect") as changed:
        for size_wh in ((133, 89), (11, 8)):  # in a small picture, a pixel more is much
            found = changed(picture(*size_wh))
            check_same(found, truth(changed, picture(*size_wh)))
            assert 0 < len(found) < changed.postprocess.head.count


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.35, 0.5, 1.0])
def test_score_threshold(model: Detector, threshold: float) -> None:
    found = model(picture(), score_threshold=threshold)
    check_same(found, truth(model, picture(), score_threshold=threshold))
    if threshold >= 0.1:
        everything = model(picture())
        check_same(found, everything[everything.scores > threshold])


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.9, 1.0])
def test_iou_threshold(model: Detector, threshold: float) -> None:
    check_same(model(picture(), iou_threshold=threshold), truth(model, picture(), iou_threshold=threshold))


def test_thresholds_bite(model: Detector) -> None:
    counts = [len(model(picture(), iou_threshold=threshold)) for threshold in (0.0, 0.4, 1.0)]
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("cap", [0, 1, 3, 1000])
def test_max_detections(model: Detector, cap: int) -> None:
    check_same(model(picture(), max_detections=cap), model(picture())[:cap])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("score_threshold", float("nan")),
        ("iou_threshold", -0.1),
        ("iou_threshold", 1.1),
        ("iou_threshold", float("nan")),
        ("max_detections", -1),
    ],
)
def test_wrong_option_is_named(model: Detector, name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        model(picture(), **{name: value})


@pytest.mark.parametrize("image", [None, np.zeros((0, 0, 3), np.uint8), np.zeros((5, 5, 3)), [[1]]], ids=repr)
def test_wrong_picture_is_named(model: Detector, image: Any) -> None:
    with pytest.raises(ValueError, match=r"^image: expected .*, got .*; "):
        model(image)


def test_sorted_by_score_then_class(model: Detector) -> None:
    found = model(picture())
    keys = list(zip((-found.scores).tolist(), found.class_ids.tolist()))
    assert keys == sorted(keys)


def test_channel_order(model: Detector) -> None:
    flipped = np.ascontiguousarray(picture()[:, :, ::-1])
    check_same(model(flipped, color="rgb"), model(picture()))
    assert model(flipped).scores.tolist() != model(picture()).scores.tolist()
    np.testing.assert_array_equal(model.raw(flipped, color="rgb")["logits"], model.raw(picture())["logits"])
    with pytest.raises(ValueError, match="^color: "):
        model(picture(), color="hsv")


@pytest.mark.parametrize("color", ["nv12", "nv21", "i420", "yuyv"])
def test_yuv_frames(model: Detector, color: str) -> None:
    bgr = picture(134, 90)
    planar = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    pairs = planar[90:].reshape(2, -1)
    chroma = {"i420": pairs, "nv12": pairs.T, "nv21": pairs[::-1].T}
    if color == "yuyv":
        frame = np.dstack([planar[:90], pairs.reshape(2, 45, 67).transpose(1, 2, 0).repeat(2, 0).reshape(90, 134)])
    else:
        frame = np.concatenate([planar[:90], chroma[color].reshape(45, 134)])
    found = model(frame, color=color)
    check_same(found, model(cv2.cvtColor(planar, cv2.COLOR_YUV2BGR_I420)))
    assert found.image_wh == (134, 90)
    assert len(found)


def test_batch_is_one_by_one(model: Detector) -> None:
    images = [picture(seed=seed) for seed in range(3)]
    found = model.batch(iter(images), max_detections=4)
    assert len(found) == 3
    for one, image in zip(found, images):
        check_same(one, model(image, max_detections=4))
    assert model.batch([]) == []


@pytest.mark.parametrize("size_wh", [(200, 90), (90, 200), (64, 48), (30, 900)])
@pytest.mark.parametrize("options", [{"resize": "letterbox"}, {"resize_wh": (80, 60)}], ids=["letterbox", "crop"])
def test_boxes_stay_inside_the_picture(tmp_path: Path, size_wh: tuple[int, int], options: dict[str, Any]) -> None:
    folder = toy_bundle(tmp_path, input_options=options, goldens=0)
    with edgedet.load(folder, task="detect") as model:
        image = picture(*size_wh)
        found = model(image, score_threshold=0.02)
        assert len(found) > 5
        assert found.boxes.min() >= 0
        assert (found.boxes.max(axis=0) <= np.tile(size_wh, 2)).all()
        # By hand: boxes of the input, mapped by the Placement, cut at the picture's edge.
        _, placed = to_tensor(image, model.spec.input)
        head = model.postprocess.head
        raw = model.raw(image)
        decoded = reference.decode_boxes(raw["deltas"][0], model.postprocess.anchors, head.variances)
        whole = placed.to_image(decoded * np.tile(placed.input_wh, 2))
        cut = np.clip(whole, 0, np.tile(size_wh, 2))
        for box in found.boxes:
            assert np.abs(cut - box).max(axis=1).min() < 1e-2


def test_letterbox_of_the_inputs_shape_is_a_stretch(tmp_path: Path, model: Detector) -> None:
    folder = toy_bundle(tmp_path, input_options={"resize": "letterbox"}, goldens=0)
    with edgedet.load(folder) as boxed:
        check_same(boxed(picture(128, 96)), model(picture(128, 96)))


def test_numbers_that_are_none_find_nothing(model: Detector) -> None:
    _, placed = to_tensor(picture(), model.spec.input)
    raw = model.raw(picture())
    for role in ("deltas", "logits"):
        for value in (np.nan, np.inf, -np.inf):
            found = model.postprocess({**raw, role: np.full_like(raw[role], value)}, placed)
            assert np.isfinite(found.boxes).all()
            assert role == "deltas" or len(found) == 0


def test_timings_are_the_threads_own(model: Detector) -> None:
    assert model.timings == Timings(0.0, 0.0, 0.0)
    model(picture())
    mine = model.timings
    assert min(mine) > 0
    with pytest.raises(ValueError, match="image"):
        model(None)  # type: ignore[arg-type]
    assert model.timings == mine
    theirs: list[Timings] = []

    def work() -> None:
        theirs.append(model.timings)
        model(picture())
        theirs.append(model.timings)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert theirs[0] == Timings(0.0, 0.0, 0.0)
    assert min(theirs[1]) > 0
    assert model.timings == mine


def test_four_threads_get_their_own_answers(model: Detector) -> None:
    images = [picture(seed=seed) for seed in range(4)]
    expected = [model(image) for image in images]

    def work(thread: int) -> None:
        for i in range(30):
            which = (thread + i) % 4
            check_same(model(images[which]), expected[which])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_warm_up(model: Detector) -> None:
    model.warm_up(2)
    assert min(model.timings) > 0


def test_closed_model(whole_bundle: Path) -> None:
    with edgedet.load(whole_bundle) as model:
        model(picture())
    model.close()
    with pytest.raises(InferenceError, match="closed"):
        model(picture())
