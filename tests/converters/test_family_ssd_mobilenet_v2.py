import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mindspore")

from edgedet_converters import family
from edgedet_converters.families import ssd_mobilenet_v2 as ssd

pytestmark = pytest.mark.convert

ROOT = Path(__file__).parents[2]
SHAPES = ROOT / "examples" / "shapes"


@pytest.fixture(autouse=True, scope="module")
def graph_mode():
    # MindSpore 2.10's other mode trips over NumPy 2 at its first Transpose, and is not what gets exported.
    import mindspore

    before = mindspore.get_context("mode")
    mindspore.set_context(mode=mindspore.GRAPH_MODE)
    yield
    mindspore.set_context(mode=before)


@pytest.fixture(scope="module")
def levels():
    return ssd.FAMILY.describe(ssd.Config())["head"]["levels"]


@pytest.fixture(scope="module")
def shapes_config():
    return ssd.Config(**json.loads((SHAPES / "config.json").read_text()))


def anchors(levels, size_wh):
    """The rule of the bundle, spelled out: (N, 4) ``cy cx h w``, level, row, column, cell."""
    rows = [
        ((row + 0.5) * level["stride_wh"][1] / size_wh[1], (column + 0.5) * level["stride_wh"][0] / size_wh[0], h, w)
        for level in levels
        for row in range(level["grid_wh"][1])
        for column in range(level["grid_wh"][0])
        for w, h in level["cells_wh"]
    ]
    return np.array(rows).astype(np.float32)


def counts(levels):
    return [level["grid_wh"][0] * level["grid_wh"][1] * len(level["cells_wh"]) for level in levels]


def test_it_is_found_by_its_name():
    assert family.find("ssd_mobilenet_v2") is ssd.FAMILY


def test_the_published_parameters_name_by_name_and_shape_by_shape():
    published = json.loads((ROOT / "tests/data/params/ssd_mobilenet_v2.json").read_text())["inference"]
    cell = ssd.FAMILY.build(ssd.Config())
    built = {ssd.FAMILY.prefix + parameter.name: list(parameter.shape) for parameter in cell.get_parameters()}
    assert built == published
    assert sum(parameter.size for parameter in cell.get_parameters()) == 47_227_189


def test_batch_normalisation_uses_the_published_eps():
    from mindspore import nn

    cell = ssd.FAMILY.build(ssd.Config(num_classes=1, width=0.25, last_channels=64, extras=((32, 16),) * 4))
    assert {c.eps for _, c in cell.cells_and_names() if isinstance(c, nn.BatchNorm2d)} == {1e-3}


def test_published_levels(levels):
    assert [level["grid_wh"] for level in levels] == [[20, 20], [10, 10], [5, 5], [3, 3], [2, 2], [1, 1]]
    assert [level["stride_wh"][0] for level in levels] == [16, 32, 64, 108, 160, 320]
    assert np.cumsum([0, *counts(levels)]).tolist() == [0, 1200, 1800, 1950, 2004, 2028, 2034]


def test_published_anchors(levels):
    table = anchors(levels, (320, 320))
    assert table.shape == (2034, 4)
    root = np.sqrt(2)
    np.testing.assert_array_equal(table[0], np.float32([0.025, 0.025, 0.1, 0.1]))
    np.testing.assert_array_equal(table[1], np.float32([0.025, 0.025, 0.2 / root, 0.2 * root]))
    np.testing.assert_array_equal(table[2], np.float32([0.025, 0.025, 0.2 * root, 0.2 / root]))
    np.testing.assert_array_equal(table[3], np.float32([0.025, 0.075, 0.1, 0.1]))
    np.testing.assert_array_equal(table[1200], np.float32([0.05, 0.05, 0.35, 0.35]))
    np.testing.assert_array_equal(table[1203, 2:], np.float32([0.35 / np.sqrt(3), 0.35 * np.sqrt(3)]))
    np.testing.assert_array_equal(table[1205, 2:], np.float32([np.sqrt(0.35 * 0.5)] * 2))
    # The fourth level's step is 108, not a third of the input.
    assert np.unique(table[1950:2004, 0]).tolist() == np.float32([0.16875, 0.50625, 0.84375]).tolist()
    np.testing.assert_array_equal(table[2033], np.float32([0.5, 0.5, np.sqrt(0.95), np.sqrt(0.95)]))


def test_description_is_plain_json():
    description = ssd.FAMILY.describe(ssd.Config())
    assert json.loads(json.dumps(description)) == description
    assert description["input"]["size_wh"] == [320, 320]
    assert description["head"]["score_threshold"] == 0.1


def test_config_survives_json(shapes_config):
    again = ssd.Config(**json.loads(json.dumps(vars(shapes_config))))
    assert again == shapes_config
    hash(again)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": [0.2, 0.4]}, "scales: expected 7 entries for 6 levels, got 2"),
        ({"aspect_ratios": [[2]]}, "aspect_ratios: expected 6 entries for 6 levels, got 1"),
        ({"steps": [16]}, "steps: expected 6 entries for 6 levels, got 1"),
        ({"split": 7}, "split: expected 1 to 6, got 7"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ssd.Config(**options)


def test_shapes_outputs_agree_with_their_description(shapes_config):
    import mindspore

    network = ssd.FAMILY.networks(ssd.FAMILY.build(shapes_config), shapes_config)["model"]
    network.cell.set_train(False)
    head = ssd.FAMILY.describe(shapes_config)["head"]
    image = mindspore.Tensor(np.zeros(network.inputs["image"], np.float32))
    deltas, logits = network.cell(image)
    assert network.outputs == ("deltas", "logits")
    assert deltas.shape == (1, sum(counts(head["levels"])), 4)
    assert logits.shape == (1, sum(counts(head["levels"])), 1 + shapes_config.num_classes)


def test_odd_and_oblong_inputs_agree_with_their_description():
    import mindspore

    config = ssd.Config(
        num_classes=2,
        input_wh=(100, 75),
        width=0.25,
        last_channels=16,
        extras=[(16, 8)] * 4,
        steps=None,
    )
    levels = ssd.FAMILY.describe(config)["head"]["levels"]
    cell = ssd.FAMILY.build(config).set_train(False)
    deltas, _ = cell(mindspore.Tensor(np.zeros((1, 3, 75, 100), np.float32)))
    assert [level["grid_wh"] for level in levels] == [[7, 5], [4, 3], [2, 2], [1, 1], [1, 1], [1, 1]]
    assert levels[0]["stride_wh"] == [100 / 7, 75 / 5]
    assert deltas.shape[1] == sum(counts(levels))


def test_outputs_are_ordered_by_row_column_and_anchor():
    import mindspore

    from edgedet_converters.blocks import AnchorOutput

    # Channel a * 3 + c at row y, column x holds the number y x a c.
    y, x, a, c = np.meshgrid(range(2), range(4), range(5), range(3), indexing="ij")
    number = np.float32(1000 * y + 100 * x + 10 * a + c)
    fine = number.transpose(2, 3, 0, 1).reshape(1, 15, 2, 4)
    coarse = -fine[..., :1, :1].copy()
    joined = AnchorOutput(3)((mindspore.Tensor(fine), mindspore.Tensor(coarse))).asnumpy()
    table = number.reshape(-1, 3)
    np.testing.assert_array_equal(joined[0], np.concatenate([table, -table[:5]]))


def test_labels_and_checkpoint_of_the_shapes_example(shapes_config):
    from mindspore import load_checkpoint

    from edgedet.camera.scene import LABELS

    assert (SHAPES / "labels.txt").read_text().splitlines() == list(LABELS)
    assert shapes_config.num_classes == len(LABELS)
    saved = {name: value.shape for name, value in load_checkpoint(str(SHAPES / "shapes.ckpt")).items()}
    assert saved == {"network." + p.name: p.shape for p in ssd.FAMILY.build(shapes_config).get_parameters()}
