import cv2
import numpy as np
import pytest

from edgedet.camera import scene
from edgedet.camera.scene import LABELS, MIN_VISIBLE, MovingScene, Thing, draw_scene, outline

SIZES = [(640, 480), (320, 240), (160, 200), (97, 61)]


def thing(class_id=1, center=(60.0, 50.0), radius=20.0, angle=0.0):
    return Thing(class_id, center, radius, angle, color=(10, 200, 250), edge=None, shade=0.0)


def painted(*things, size_wh=(120, 100)):
    image = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    boxes, class_ids = scene._paint(image, list(things))
    return image, boxes, class_ids


@pytest.mark.parametrize("size_wh", SIZES)
def test_types_and_shapes(size_wh):
    image, boxes, class_ids = draw_scene(3, size_wh)
    assert (image.shape, image.dtype) == ((size_wh[1], size_wh[0], 3), np.uint8)
    assert (boxes.shape, boxes.dtype) == ((len(class_ids), 4), np.float32)
    assert class_ids.dtype == np.int32


def test_same_seed_same_scene():
    for first, second in zip(draw_scene(7), draw_scene(7)):
        np.testing.assert_array_equal(first, second)


def test_drawing_does_not_depend_on_what_was_drawn_before():
    expected = draw_scene(8)[0]
    draw_scene(9)
    cv2.setRNGSeed(1)
    np.random.seed(1)  # the global generators must not matter
    np.testing.assert_array_equal(draw_scene(8)[0], expected)


def test_seeds_and_sizes_differ():
    assert not np.array_equal(draw_scene(1)[0], draw_scene(2)[0])
    assert len({draw_scene(seed)[1].tobytes() for seed in range(20)}) == 20


@pytest.mark.parametrize("size_wh", SIZES)
def test_boxes_lie_inside_and_are_not_empty(size_wh):
    for seed in range(40):
        _, boxes, class_ids = draw_scene(seed, size_wh)
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= size_wh).all()
        assert (boxes[:, :2] < boxes[:, 2:]).all()
        assert ((class_ids >= 0) & (class_ids < len(LABELS))).all()


def test_every_class_occurs_about_equally_often():
    class_ids = np.concatenate([draw_scene(seed, (160, 120))[2] for seed in range(200)])
    counts = np.bincount(class_ids, minlength=len(LABELS))
    assert counts.min() > 0.6 * counts.mean()


@pytest.mark.parametrize("class_id", range(len(LABELS)), ids=LABELS)
@pytest.mark.parametrize("angle", [0.0, 0.4, 2.0])
def test_the_box_is_tight_to_the_pixels(class_id, angle):
    image, boxes, _ = painted(thing(class_id, (60.3, 50.7), 20.0, angle))
    # Black ground, bright thing: what is at least half covered is at least half as bright.
    rows, columns = np.nonzero(image.max(axis=2) >= 125)
    expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_array_equal(boxes, [expected])
    # The farthest point of every outline is one radius away, so the box has the size it was asked for.
    assert 20 < max(boxes[0, 2] - boxes[0, 0], boxes[0, 3] - boxes[0, 1]) <= 43


@pytest.mark.parametrize("class_id", range(len(LABELS)), ids=LABELS)
def test_outlines_reach_one_radius_and_no_farther(class_id):
    assert np.hypot(*outline(class_id)[0].T).max() == pytest.approx(1, abs=0.03)


def test_a_ring_is_open():
    image, _, _ = painted(thing(LABELS.index("ring")))
    assert not image[50, 60].any()


def test_what_leaves_the_frame_is_cut_off_its_box():
    _, boxes, _ = painted(thing(LABELS.index("circle"), (5.0, 50.0)))
    assert boxes[0, 0] == 0
    assert 24 <= boxes[0, 2] <= 27


def test_a_covered_thing_keeps_the_box_of_what_shows():
    _, boxes, class_ids = painted(thing(1, (60, 50), angle=np.pi / 4), thing(1, (72, 50), angle=np.pi / 4))
    assert class_ids.tolist() == [1, 1]
    below, above = boxes
    assert below[2] == above[0]  # both are upright squares: the upper one's left side ends the lower one


def test_a_mostly_covered_thing_is_not_labelled():
    assert MIN_VISIBLE == 0.4
    upright = {"angle": np.pi / 4}
    side = 20 * np.sqrt(2)
    for share, labels in ((0.3, 1), (0.5, 2)):
        _, _, class_ids = painted(thing(1, (50, 50), **upright), thing(1, (50 + share * side, 50), **upright))
        assert len(class_ids) == labels


def test_a_thing_outside_the_frame_is_not_labelled():
    assert len(painted(thing(1, (-50, 50)))[1]) == 0


def test_a_moving_scene_is_the_same_in_any_order():
    film = MovingScene(5, (320, 240))
    later = film.frame(7)
    first = film.frame(0)
    for got, expected in zip(MovingScene(5, (320, 240)).frame(0), first):
        np.testing.assert_array_equal(got, expected)
    for got, expected in zip(film.frame(7), later):
        np.testing.assert_array_equal(got, expected)


def test_a_moving_scene_moves_smoothly_and_stays_in_the_frame():
    film = MovingScene(11, (320, 240), things=1)
    boxes = np.concatenate([film.frame(index)[1] for index in range(200)])
    assert len(boxes) == 200  # alone, it is never covered, and never leaves by more than it may
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert np.abs(np.diff(centers, axis=0)).max() < 8
    assert np.ptp(centers, axis=0).max() > 20
