"""Final boxes equal the published evaluation's, at the published size, on photographs of four shapes.

A made-up network stands in for the published one: it looks at each cell's mean colour and place and gives raw outputs
of ssd_mobilenetV2's size (2034 anchors, 81 columns). Neighbouring cells of a photograph look alike, so that boxes crowd
together as they do in earnest.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import reference
import skimage.data
from bundles import published_levels, toy_bundle

from edgedet import ops, spec
from edgedet.detector import Postprocess
from edgedet.image import to_tensor
from edgedet.results import Detections

PHOTOS = ("astronaut", "coffee", "chelsea", "rocket")


@pytest.fixture(scope="module")
def postprocess(tmp_path_factory: pytest.TempPathFactory) -> tuple[Postprocess, spec.Input]:
    folder = toy_bundle(tmp_path_factory.mktemp("published"), goldens=0)
    toy = spec.parse((folder / "model.json").read_text(encoding="utf-8"))
    published = dataclasses.replace(
        toy,
        input=dataclasses.replace(toy.input, size_wh=(320, 320)),
        head=dataclasses.replace(toy.head, levels=published_levels()),
        labels=tuple(f"class {i}" for i in range(80)),
    )
    return Postprocess(published), published.input


def raw_outputs(tensor: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    picture = tensor[0].transpose(1, 2, 0)
    deltas, logits = [], []
    for level in published_levels():
        columns, rows = level.grid_wh
        color = cv2.resize(picture, level.grid_wh, interpolation=cv2.INTER_AREA).reshape(-1, 3)
        y, x = np.mgrid[:rows, :columns].reshape(2, -1)
        seen = np.concatenate([color, np.sin([x, y, x + y]).T, rng.normal(0, 0.2, (len(x), 2))], axis=1)
        cells = len(level.cells_wh)
        deltas.append((seen @ rng.normal(0, 0.3, (8, cells * 4))).reshape(-1, 4))
        logits.append((seen @ rng.normal(0, 0.5, (8, cells * 81)) - 4.0).reshape(-1, 81))
    return {"deltas": np.float32(np.concatenate(deltas)[None]), "logits": np.float32(np.concatenate(logits)[None])}


def published(outputs: dict[str, np.ndarray], anchors: np.ndarray, image_wh: tuple[int, int]) -> list[tuple]:
    """The published decoding, in float32 as its graph computes, and the published suppression."""
    deltas, logits = outputs["deltas"][0], outputs["logits"][0]
    centre = deltas[:, :2] * np.float32(0.1) * anchors[:, 2:] + anchors[:, :2]
    size = np.exp(deltas[:, 2:] * np.float32(0.2)) * anchors[:, 2:]
    boxes = np.clip(np.concatenate([centre - size / 2, centre + size / 2], axis=1), 0, 1)
    scores = 1 / (1 + np.exp(-logits))
    assert boxes.dtype == scores.dtype == np.float32
    return reference.published_detect(boxes, scores, np.float32(image_wh[::-1]))


def check_equal(found: Detections, expected: list[tuple]) -> None:
    assert len(found) == len(expected)
    for class_id in range(80):
        mine = found[found.class_ids == class_id]
        theirs = [(box, score) for box, score, wanted, _ in expected if wanted == class_id]
        assert len(mine) == len(theirs), f"class {class_id}"
        if theirs:
            np.testing.assert_allclose(mine.boxes, [box for box, _ in theirs], atol=1e-3)
            np.testing.assert_allclose(mine.scores, [score for _, score in theirs], atol=1e-6)


@pytest.mark.parametrize("photo", PHOTOS)
def test_boxes_are_the_published_ones(photo: str, postprocess: tuple[Postprocess, spec.Input]) -> None:
    process, rule = postprocess
    image = getattr(skimage.data, photo)()
    tensor, placed = to_tensor(image, rule, color="rgb")
    outputs = raw_outputs(tensor, PHOTOS.index(photo))
    passed = (outputs["logits"][0, :, 1:] > np.log(0.1 / 0.9)).sum()
    found = process(outputs, placed)
    expected = published(outputs, process.anchors, placed.image_wh)
    # The case is a hard one: many pass, many of these are suppressed, and the larger pictures fill some classes.
    counts = np.bincount([wanted for _, _, wanted, _ in expected], minlength=80)
    assert 1_000 < len(expected) < 0.9 * passed
    assert counts.min() < 60
    assert counts.max() == 100 or photo == "chelsea"
    check_equal(found, expected)
    assert found.image_wh == image.shape[1::-1]


@pytest.mark.parametrize("photo", PHOTOS)
def test_entries_for_the_evaluation(photo: str, postprocess: tuple[Postprocess, spec.Input]) -> None:
    process, rule = postprocess
    tensor, placed = to_tensor(getattr(skimage.data, photo)(), rule, color="rgb")
    outputs = raw_outputs(tensor, 9)
    box, score, class_id, _ = max(published(outputs, process.anchors, placed.image_wh), key=lambda entry: entry[1])
    best = process(outputs, placed).to_coco(7)[0]
    assert (best["image_id"], best["category_id"]) == (7, class_id)
    np.testing.assert_allclose(best["bbox"], [*box[:2], *(box[2:] - box[:2])], atol=2e-3)
    np.testing.assert_allclose(best["score"], score, atol=1e-6)


def test_the_size_of_the_image_matters(postprocess: tuple[Postprocess, spec.Input]) -> None:
    """Corners belong to the box, so suppression depends on the pixels: boxes of another size are others."""
    process, rule = postprocess
    tensor, _ = to_tensor(skimage.data.coffee(), rule, color="rgb")
    outputs = raw_outputs(tensor, 1)
    kept = {}
    for size_wh in ((40, 30), (600, 400)):
        _, placed = to_tensor(np.zeros((size_wh[1], size_wh[0], 3), np.uint8), rule)
        found = process(outputs, placed)
        check_equal(found, published(outputs, process.anchors, size_wh))
        kept[size_wh] = len(found)
    assert kept[40, 30] != kept[600, 400]


def test_kernel_alone(postprocess: tuple[Postprocess, spec.Input]) -> None:
    process, rule = postprocess
    tensor, placed = to_tensor(skimage.data.astronaut(), rule, color="rgb")
    outputs = raw_outputs(tensor, 3)
    arrays = ops.detect(
        outputs["deltas"][0],
        outputs["logits"][0],
        process.anchors,
        image_wh=placed.image_wh,
        score_threshold=0.1,
        iou_threshold=0.6,
        plus_one=True,
    )
    found = Detections(*arrays, process.labels, placed.image_wh)
    check_equal(found, published(outputs, process.anchors, placed.image_wh))
