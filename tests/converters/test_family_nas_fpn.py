from __future__ import annotations

import hashlib
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
from edgedet_converters.families import nas_fpn

pytestmark = pytest.mark.convert


@pytest.fixture(autouse=True, scope="module")
def in_graph_mode():
    with graph_mode():
        yield


@pytest.fixture(scope="module")
def published():
    return nas_fpn.FAMILY.build(nas_fpn.Config())


def head_of(config):
    return read(AnchorHead, nas_fpn.FAMILY.describe(config)["head"], "head")


def test_it_is_found_by_its_name():
    assert family.find("nas_fpn") is nas_fpn.FAMILY


def test_the_published_parameters_name_by_name_and_shape_by_shape(published):
    wanted = json.loads((PARAMS / "nas_fpn.json").read_text())["inference"]
    built = {nas_fpn.FAMILY.prefix + parameter.name: list(parameter.shape) for parameter in published.get_parameters()}
    assert built == wanted
    assert sum(parameter.size for parameter in published.get_parameters()) == 85_972_160


def test_batch_normalisation_uses_the_published_eps(published):
    from mindspore import nn

    eps = {name: cell.eps for name, cell in published.cells_and_names() if isinstance(cell, nn.BatchNorm2d)}
    assert all(value == (1e-3 if name.startswith("backbone.") else 1e-5) for name, value in eps.items())
    assert len(eps) == 53 + 3 + 2 + 7 * 7


def test_the_heads_have_no_bias(published):
    assert not any(name.endswith("bias") for name in published.parameters_dict())


def test_published_anchors_bit_by_bit():
    head = head_of(nas_fpn.Config())
    assert np.cumsum([0] + [level.count for level in head.levels]).tolist() == [0, 57600, 72000, 75600, 76500, 76725]
    table = head.anchors((640, 640))
    assert table.dtype == np.float32 and table.shape == (76725, 4)
    digest = hashlib.sha256(table.tobytes()).hexdigest()
    assert digest == "e672d767826fd9025efd2373d81b67952c11707acd900d68c049b89a4fd40bc2"


def test_description_is_plain_json_and_what_was_published():
    description = nas_fpn.FAMILY.describe(nas_fpn.Config())
    assert json.loads(json.dumps(description)) == description
    assert description["tasks"] == ["detect"]
    assert description["input"]["size_wh"] == [640, 640] and description["input"]["color"] == "rgb"
    head = head_of(nas_fpn.Config())
    assert (head.score_threshold, head.iou_threshold, head.max_per_class) == (0.1, 0.6, 100)
    assert head.plus_one and head.background == 0 and head.activation == "sigmoid"


@pytest.mark.parametrize("input_wh", [(600, 640), (640, 0), (64, 128)])
def test_a_size_whose_levels_do_not_fit_is_refused(input_wh):
    with pytest.raises(ValueError, match="input_wh: expected multiples of 128, got"):
        nas_fpn.Config(input_wh=input_wh)


def resized(x, level, wanted):
    """The map of a level in the size of another: nearest neighbours, or the maxima of whole windows."""
    if wanted < level:
        return x.repeat(1 << (level - wanted), 2).repeat(1 << (level - wanted), 3)
    ratio = 1 << (wanted - level)
    batch, channels, height, width = x.shape
    return x.reshape(batch, channels, height // ratio, ratio, width // ratio, ratio).max((3, 5))


def attended(a, b):
    return b + a / (1 + np.exp(-b.mean((2, 3), keepdims=True)))


def slow_stage(p3, p4, p5, p6, p7, out):
    """The published stage, written out; ``out(k, x)`` is what ends its k-th merging cell."""
    p4_1 = out(0, attended(resized(p6, 6, 4), p4))
    p4_2 = out(1, p4_1 + p4)
    p3 = out(2, resized(p4_2, 4, 3) + p3)
    p4 = out(3, resized(p3, 3, 4) + p4_2)
    p5 = out(5, p5 + attended(resized(p4, 4, 5), resized(p3, 3, 5)))
    p7 = out(7, p7 + attended(resized(p5, 5, 7), resized(p4_2, 4, 7)))
    p6 = out(8, attended(resized(p7, 7, 6), resized(p5, 5, 6)))
    return p3, p4, p5, p6, p7


def simple(conv, norm, rng):
    """Makes a convolution and its normalisation one factor and one addend per channel, and gives both."""
    import mindspore

    channels = conv.weight.shape[0]
    factor, addend = rng.uniform(0.5, 1.5, channels), rng.uniform(-1, 0.5, channels)
    weight = np.zeros(conv.weight.shape, np.float32)
    middle = weight.shape[2] // 2
    weight[range(channels), range(channels), middle, middle] = factor
    conv.weight.set_data(mindspore.Tensor(weight))
    norm.beta.set_data(mindspore.Tensor(addend.astype(np.float32)))
    norm.moving_variance.set_data(mindspore.Tensor(np.full(channels, 1 - 1e-5, np.float32)))
    return factor[:, None, None], addend[:, None, None]


def test_the_neck_merges_as_published():
    import mindspore

    channels = 3
    config = nas_fpn.Config(input_wh=(256, 128), stage_channels=(4, 3, 3, 3), fpn_channels=channels, fpn_stages=2)
    neck, rng = nas_fpn.Neck(config).set_train(False), np.random.default_rng(0)
    entries = [simple(cell.conv, cell.batchnorm, rng) for cell in neck.lateral_convs]
    downs = [simple(cell[0].conv, cell[0].batchnorm, rng) for cell in neck.extra_downsamples]
    outs = [
        {
            k: simple(cell.out_conv.features[1], cell.out_conv.features[2], rng)
            for k, cell in enumerate(stage)
            if k not in (4, 6)
        }
        for stage in neck.fpn_stages
    ]
    maps = [rng.normal(size=(1, channels, 128 >> n, 256 >> n)).astype(np.float32) for n in (3, 4, 5)]
    levels = [x * factor + addend for x, (factor, addend) in zip(maps, entries)]
    for n, (factor, addend) in zip((5, 6), downs):
        levels.append(resized(levels[-1] * factor + addend, n, n + 1))
    for stage in outs:
        levels = slow_stage(*levels, lambda k, x, stage=stage: np.maximum(x, 0) * stage[k][0] + stage[k][1])
    for found, expected in zip(neck(*(mindspore.Tensor(x) for x in maps)), levels):
        np.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-4, atol=1e-4)


def test_outputs_agree_with_their_description():
    import mindspore

    config = nas_fpn.Config(**{**vars(small_config("nas_fpn")), "input_wh": (256, 128), "fpn_stages": 1})
    network = nas_fpn.FAMILY.networks(nas_fpn.FAMILY.build(config), config)["model"]
    image = mindspore.Tensor(np.zeros(network.inputs["image"], np.float32))
    deltas, logits = network.cell.set_train(False)(image)
    head = head_of(config)
    assert network.outputs == ("deltas", "logits")
    assert [level.grid_wh for level in head.levels] == [(32, 16), (16, 8), (8, 4), (4, 2), (2, 1)]
    assert deltas.shape == (1, head.count, 4)
    assert logits.shape == (1, head.count, head.columns(config.num_classes))


def test_the_small_twin_converts_and_gives_its_checkpoints_answers(tmp_path):
    verdict = verify(Bundle.open(small_bundle("nas_fpn", tmp_path)))
    assert verdict.passed, verdict.table()
    assert max(raw.max_rel for replay in verdict.replays for raw in replay.raw) <= 1e-4
    assert min(replay.result.matched for replay in verdict.replays) >= 10
