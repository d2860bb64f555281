from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("mindspore")

from checkpoints import PARAMS, graph_mode, small_bundle, small_config

from edgedet import Bundle
from edgedet.evaluate.verify import verify
from edgedet.spec import AnchorHead
from edgedet.strict import read
from edgedet_converters import family
from edgedet_converters.families import ssd_resnet50_fpn as ssd

pytestmark = pytest.mark.convert


@pytest.fixture(autouse=True, scope="module")
def in_graph_mode():
    with graph_mode():
        yield


@pytest.fixture(scope="module")
def published():
    return ssd.FAMILY.build(ssd.Config())


def head_of(config):
    return read(AnchorHead, ssd.FAMILY.describe(config)["head"], "head")


def test_it_is_found_by_its_name():
    assert family.find("ssd_resnet50_fpn") is ssd.FAMILY


def test_the_published_parameters_name_by_name_and_shape_by_shape(published):
    wanted = json.loads((PARAMS / "ssd_resnet50_fpn.json").read_text())["inference"]
    built = {ssd.FAMILY.prefix + parameter.name: list(parameter.shape) for parameter in published.get_parameters()}
    assert built == wanted
    assert sum(parameter.size for parameter in published.get_parameters()) == 33_370_814


def test_batch_normalisation_uses_the_published_eps(published):
    from mindspore import nn

    eps = {name: cell.eps for name, cell in published.cells_and_names() if isinstance(cell, nn.BatchNorm2d)}
    pyramid = ("feature_extractor.fpn.", "feature_extractor.bottom_up.")
    assert all(value == (1e-5 if name.startswith(pyramid) else 1e-3) for name, value in eps.items())
    assert len(eps) == 53 + 3 + 2 + 2 * 5 * 4


def test_strides_lie_in_the_3x3_convolutions(published):
    resnet = published.feature_extractor.resnet
    layers = [resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4]
    assert [layer[0].conv2.stride for layer in layers] == [(1, 1), (2, 2), (2, 2), (2, 2)]
    assert all(block.conv1.stride == block.conv3.stride == (1, 1) for layer in layers for block in layer)
    assert [[block.project for block in layer] for layer in layers] == [[True] + [False] * n for n in (2, 3, 5, 2)]


def test_levels_share_convolutions_but_not_normalisations(published):
    for towers in (published.multi_box.addition_layer_loc, published.multi_box.addition_layer_cls):
        for layer in range(4):
            assert len({id(tower[layer].features[0]) for tower in towers}) == 1
            assert len({id(tower[layer].features[1]) for tower in towers}) == 5


def test_published_anchors():
    head = head_of(ssd.Config())
    assert [level.grid_wh for level in head.levels] == [(80, 80), (40, 40), (20, 20), (10, 10), (5, 5)]
    assert np.cumsum([0] + [level.count for level in head.levels]).tolist() == [0, 38400, 48000, 50400, 51000, 51150]
    table = head.anchors((640, 640))
    # The published generator, in its own order of operations.
    rows = [
        ((y + 0.5) * step, (x + 0.5) * step, scale / np.sqrt(ratio) * 4 * step, scale * np.sqrt(ratio) * 4 * step)
        for step in (8, 16, 32, 64, 128)
        for y in range(640 // step)
        for x in range(640 // step)
        for ratio in (1.0, 2.0, 0.5)
        for scale in (1, 2**0.5)
    ]
    np.testing.assert_allclose(table, np.float32(np.array(rows) / 640), rtol=1e-7)
    np.testing.assert_array_equal(table[0], np.float32([4 / 640, 4 / 640, 32 / 640, 32 / 640]))


def test_description_is_plain_json_and_what_was_published():
    description = ssd.FAMILY.describe(ssd.Config())
    assert json.loads(json.dumps(description)) == description
    assert description["tasks"] == ["detect"]
    assert description["input"]["size_wh"] == [640, 640] and description["input"]["color"] == "rgb"
    head = head_of(ssd.Config())
    assert (head.score_threshold, head.iou_threshold, head.max_per_class) == (0.1, 0.6, 100)
    assert head.plus_one and head.background == 0 and head.activation == "sigmoid"


def slow_enlarge(x, wanted):
    """(..., n) -> (..., wanted), as TensorFlow's first bilinear resize defined it."""
    n, out = x.shape[-1], []
    for i in range(wanted):
        source = i * n / wanted
        low = int(source)
        out.append(x[..., low] + (x[..., min(low + 1, n - 1)] - x[..., low]) * (source - low))
    return np.stack(out, -1)


@pytest.mark.parametrize(("cells_wh", "wanted_wh"), [((5, 3), (10, 6)), ((19, 10), (37, 19)), ((1, 2), (1, 3))])
def test_enlarging_is_bilinear_without_half_pixel_centres(cells_wh, wanted_wh):
    import mindspore

    x = np.random.default_rng(0).normal(size=(2, 3, *cells_wh[::-1])).astype(np.float32)
    enlarged = ssd.Enlarge(cells_wh, wanted_wh)(mindspore.Tensor(x)).asnumpy()
    expected = slow_enlarge(slow_enlarge(x, wanted_wh[0]).swapaxes(2, 3), wanted_wh[1]).swapaxes(2, 3)
    np.testing.assert_allclose(enlarged, expected, rtol=1e-6, atol=1e-6)
    if wanted_wh == (10, 6):
        np.testing.assert_array_equal(enlarged[..., ::2, ::2], x)
        np.testing.assert_array_equal(enlarged[..., -1, -1], x[..., -1, -1])


def test_the_top_down_path_ends_before_the_activations():
    import mindspore

    config = ssd.Config(input_wh=(96, 64), stage_channels=(4, 4, 8, 12), fpn_channels=3)
    rng = np.random.default_rng(1)
    fpn = ssd.Fpn(config).set_train(False)
    for conv in fpn.lateral_convs_list:
        conv.weight.set_data(mindspore.Tensor(rng.normal(size=conv.weight.shape).astype(np.float32)))
        conv.bias.set_data(mindspore.Tensor(rng.normal(size=conv.bias.shape).astype(np.float32)))
    for sequence in fpn.fpn_convs_list:  # passes its input on
        weight = np.zeros((3, 3, 3, 3), np.float32)
        weight[range(3), range(3), 1, 1] = 1
        sequence[0].weight.set_data(mindspore.Tensor(weight))
        sequence[1].moving_variance.set_data(mindspore.Tensor(np.full(3, 1 - 1e-5, np.float32)))
    maps = [rng.normal(size=(1, c, h, w)).astype(np.float32) for c, h, w in ((4, 8, 12), (8, 4, 6), (12, 2, 3))]
    lateral = [
        np.einsum("oi,bihw->bohw", conv.weight.asnumpy()[:, :, 0, 0], x) + conv.bias.asnumpy()[:, None, None]
        for conv, x in zip(fpn.lateral_convs_list, maps)
    ]
    p5 = lateral[2]
    p4 = lateral[1] + slow_enlarge(slow_enlarge(p5, 6).swapaxes(2, 3), 4).swapaxes(2, 3)
    p3 = lateral[0] + slow_enlarge(slow_enlarge(p4, 12).swapaxes(2, 3), 8).swapaxes(2, 3)
    for found, expected in zip(fpn(*(mindspore.Tensor(x) for x in maps)), (p3, p4, p5)):
        np.testing.assert_allclose(found.asnumpy(), np.clip(expected, 0, 6), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("input_wh", [(128, 128), (100, 75)])
def test_outputs_agree_with_their_description(input_wh):
    import mindspore

    small = small_config("ssd_resnet50_fpn")
    config = ssd.Config(**{**vars(small), "input_wh": input_wh})
    network = ssd.FAMILY.networks(ssd.FAMILY.build(config), config)["model"]
    image = mindspore.Tensor(np.zeros(network.inputs["image"], np.float32))
    deltas, logits = network.cell.set_train(False)(image)
    head = head_of(config)
    assert network.outputs == ("deltas", "logits")
    assert deltas.shape == (1, head.count, 4)
    assert logits.shape == (1, head.count, head.columns(config.num_classes))
    width, height = input_wh
    assert [level.grid_wh for level in head.levels][:2] == [(-(-width // s), -(-height // s)) for s in (8, 16)]


def test_the_small_twin_converts_and_gives_its_checkpoints_answers(tmp_path):
    verdict = verify(Bundle.open(small_bundle("ssd_resnet50_fpn", tmp_path)))
    assert verdict.passed, verdict.table()
    assert max(raw.max_rel for replay in verdict.replays for raw in replay.raw) <= 1e-4
    assert min(replay.result.matched for replay in verdict.replays) >= 10
