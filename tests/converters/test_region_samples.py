"""Which regions are taken for what, on a picture whose overlaps are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from bundles import sample_image
from hypothesis import given
from hypothesis import strategies as st
from toyspp import spp_bundle

import edgedet
from edgedet.errors import AnnotationError
from edgedet.evaluate.voc import iou
from edgedet.regions import RegionClassifier
from edgedet_converters.annotations import Annotated
from edgedet_converters.region_samples import Picture, Reservoir, lay_out, take_features

THINGS = np.array([[10, 10, 50, 50], [60, 10, 100, 50]], np.float32)
CROWD = np.array([[10, 60, 50, 85]], np.float32)
ANNOTATED = Annotated(Path("a.png"), THINGS, np.array([2, 0], np.int32), CROWD)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegionClassifier]:
    folder = spp_bundle(tmp_path_factory.mktemp("samples") / "toyspp", goldens=0)
    with edgedet.load(folder, task="regions") as opened:
        yield opened


def seen(proposed: np.ndarray) -> Picture:
    return lay_out(ANNOTATED, proposed.astype(np.float32), (110, 90))


@pytest.mark.parametrize("layer", ["spp", "fc1"])
@pytest.mark.parametrize("count", [0, 600])
def test_features_are_the_classifiers(model: RegionClassifier, layer: str, count: int) -> None:
    boxes = np.random.default_rng(1).uniform(0, 90, (count, 4)).astype(np.float32)
    image = sample_image(np.random.default_rng(0), (110, 90))
    pooled, features = take_features(model, image, boxes, layer)
    np.testing.assert_allclose(features, model.features(image, boxes, layer), atol=1e-5)
    np.testing.assert_array_equal(pooled, model.features(image, boxes, "spp"))


def test_regions_are_cut_off_at_the_border() -> None:
    picture = seen(np.array([[-5, -5, 300, 300]]))
    assert picture.truth == 2 and picture.boxes[2].tolist() == [0, 0, 110, 90]


@pytest.mark.parametrize("box", [(110, 10, 120, 50), (-9, -9, -1, 50), (0, 90, 110, 99)])
def test_a_thing_outside_the_picture(box: tuple[float, ...]) -> None:
    boxes = np.array([THINGS[0], box], np.float32)
    annotated = Annotated(Path("a.png"), boxes, np.array([2, 0], np.int32), CROWD)
    with pytest.raises(AnnotationError, match=r"a\.png: expected boxes in its 110×90 pixels, got \["):
        lay_out(annotated, boxes, (110, 90))


def test_overlaps_by_class() -> None:
    proposed = np.array([[10, 10, 50, 50], [0, 0, 110, 90], [10, 10, 100, 50]])
    table = seen(proposed).by_class(3)
    np.testing.assert_allclose(table[:, 2], [1, 0, 1, 1600 / 9900, 1600 / 3600], rtol=1e-5)
    np.testing.assert_allclose(table[:, 0], [0, 1, 0, 1600 / 9900, 1600 / 3600], rtol=1e-5)
    assert not table[:, 1].any()


def test_no_two_of_the_distinct_are_near_duplicates() -> None:
    rng = np.random.default_rng(2)
    corner = rng.uniform(0, 60, (400, 2))
    picture = seen(np.concatenate([corner, corner + rng.uniform(15, 30, (400, 2))], axis=1))
    chosen = picture.distinct(np.random.default_rng(0))
    assert chosen[:2].tolist() == [0, 1]
    proposed = chosen[2:]
    assert len(set(proposed.tolist())) == len(proposed) and 20 < len(proposed) < 400
    overlaps = iou(picture.boxes[proposed], picture.boxes[proposed])
    assert np.triu(overlaps, 1).max() <= 0.7
    # And what is left out is a near-duplicate of one that stays, or lies on a crowd.
    out = np.setdiff1d(np.flatnonzero(~picture.ignored), chosen)
    assert iou(picture.boxes[out], picture.boxes[proposed]).max(axis=1).min() > 0.7
    assert not picture.ignored[proposed].any() and picture.ignored.any()


def test_near_regions_and_their_things() -> None:
    proposed = np.array([[12, 12, 52, 52], [58, 10, 98, 50], [0, 0, 110, 90], [10, 60, 50, 85]])
    picture = seen(proposed)
    assert picture.near().tolist() == [2, 3]
    assert picture.ignored.tolist() == [False] * 5 + [True]


def test_a_picture_without_things() -> None:
    none = Annotated(Path("b.png"), np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros((0, 4), np.float32))
    picture = lay_out(none, np.array([[0, 0, 20, 20]], np.float32), (50, 40))
    assert picture.truth == 0 and picture.near().size == 0 and not picture.by_class(2).any()
    assert picture.distinct(np.random.default_rng(0)).tolist() == [0]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.integers(1, 40))
def test_a_reservoir_keeps_so_many_and_their_columns_together(counts: list[int], most: int) -> None:
    pool, begin = Reservoir(most, np.random.default_rng(0)), 0
    for count in counts:
        numbers = np.arange(begin, begin + count)
        pool.add(numbers, 2 * numbers[:, None])
        begin += count
    first, second = pool.rows()
    assert len(first) == len(pool) == min(begin, most) and len(set(first.tolist())) == len(first)
    np.testing.assert_array_equal(second[:, 0], 2 * first)


def test_a_reservoir_favours_nobody() -> None:
    counts = np.zeros(60)
    for seed in range(400):
        pool = Reservoir(10, np.random.default_rng(seed))
        for begin in range(0, 60, 6):
            pool.add(np.arange(begin, begin + 6))
        counts[pool.rows()[0]] += 1
    # 400 times 10 of 60: 66.7 each, and a standard deviation of 7.5.
    assert abs(counts.reshape(10, 6).mean(axis=1) - 400 / 6).max() < 4 * 7.5 / 6**0.5
