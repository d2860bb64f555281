import numpy as np
import pytest

from edgedet.evaluate.voc import average_precision, iou, mean_average_precision

HERE = (0, 0, 10, 10)
HALF = (0, 0, 10, 5)  # IoU with HERE: exactly one half
THERE = (20, 20, 30, 30)
FAR = (50, 50, 60, 60)


def table(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def ap(found, truth, **options):
    """One image; ``found`` is a list of (box, score)."""
    boxes, scores = table(*(box for box, _ in found)), np.array([score for _, score in found], np.float32)
    return average_precision([boxes], [scores], [table(*truth)], **options)


def test_iou_of_literal_boxes():
    got = iou(table(HERE, THERE, (10, 10, 0, 0), (5, 5, 5, 9)), table(HERE, HALF, (5, 0, 15, 10)))
    np.testing.assert_allclose(got, [[1, 0.5, 1 / 3], [0, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_all_right_is_one():
    assert ap([(HERE, 0.9), (THERE, 0.2)], [HERE, THERE]) == 1


def test_nothing_found_is_zero():
    assert ap([], [HERE]) == 0


def test_no_truth_is_nan():
    assert np.isnan(ap([(HERE, 0.9)], []))


def test_a_mistake_before_a_hit_halves_the_precision():
    assert ap([(FAR, 0.9), (HERE, 0.8)], [HERE]) == 0.5


def test_a_mistake_after_the_last_hit_costs_nothing():
    assert ap([(HERE, 0.9), (FAR, 0.8)], [HERE]) == 1


def test_hand_computed_curve():
    # right, wrong, right, one truth missed: recall 1/3 at precision 1, 2/3 at precision 2/3.
    found = [(HERE, 0.9), (FAR, 0.8), (THERE, 0.7)]
    assert ap(found, [HERE, THERE, (80, 80, 90, 90)]) == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)


def test_precision_is_interpolated_from_the_right():
    # wrong, right, right: the precisions 1/2 and 2/3 both count as 2/3.
    assert ap([(FAR, 0.9), (HERE, 0.8), (THERE, 0.7)], [HERE, THERE]) == pytest.approx(2 / 3)


def test_a_second_box_on_the_same_truth_is_wrong():
    assert ap([(HERE, 0.9), (HERE, 0.8), (THERE, 0.7)], [HERE, THERE]) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_the_best_score_takes_the_truth_not_the_best_overlap():
    # The half box comes first and takes HERE; the exact one is then wrong.
    assert ap([(HERE, 0.8), (HALF, 0.9), (FAR, 0.85)], [HERE]) == 1
    assert ap([(HERE, 0.8), (HALF, 0.9), (THERE, 0.7)], [HERE, THERE]) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_box_does_not_fall_back_on_its_second_truth():
    near = (0, 0, 10, 9)
    found = [(HERE, 0.9), ((0, 0, 10, 9.8), 0.8)]  # the second overlaps HERE most, which is taken
    assert ap(found, [HERE, near]) == 0.5


def test_the_threshold_itself_is_a_hit():
    assert ap([(HALF, 0.9)], [HERE]) == 1
    assert ap([(HALF, 0.9)], [HERE], iou_threshold=0.500001) == 0


def test_scores_are_compared_across_images():
    boxes, truth = [table(FAR), table(HERE)], [table(HERE), table(HERE)]
    assert average_precision(boxes, [np.array([0.9]), np.array([0.8])], truth) == 0.25
    assert average_precision(boxes, [np.array([0.8]), np.array([0.9])], truth) == 0.5


def test_a_box_only_meets_the_truth_of_its_own_image():
    assert average_precision([table(HERE), table()], [np.array([0.9]), np.array([])], [table(), table(HERE)]) == 0


def test_mean_leaves_out_classes_without_truth():
    found = [(table(HERE, THERE, FAR), np.array([0.9, 0.8, 0.7]), np.array([0, 1, 2]))]
    truth = [(table(HERE, FAR), np.array([0, 1]))]
    mean, per_class = mean_average_precision(found, truth, classes=4)
    assert mean == 0.5
    np.testing.assert_array_equal(per_class, [1, 0, np.nan, np.nan])


def test_a_box_of_another_class_does_not_count():
    found = [(table(HERE), np.array([0.9]), np.array([1]))]
    mean, _ = mean_average_precision(found, [(table(HERE), np.array([0]))], classes=2)
    assert mean == 0


def test_no_truth_at_all_is_nan():
    none = np.zeros(0, int)
    mean, per_class = mean_average_precision([(table(), np.zeros(0), none)], [(table(), none)], classes=2)
    assert np.isnan(mean)
    assert np.isnan(per_class).all()


def test_every_image_needs_an_entry():
    with pytest.raises(ValueError, match="found: expected one entry for each of the 1 images, got 0"):
        mean_average_precision([], [(table(HERE), np.array([0]))], classes=1)
