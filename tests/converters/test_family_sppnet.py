"""SPPNet: the published parameters, the published network, and the same layers at any other size."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mindspore")

from checkpoints import PARAMS, graph_mode, sane_checkpoint, small_bundle, small_config

import edgedet
from edgedet.classifier import Classifier
from edgedet.evaluate.verify import verify
from edgedet.spec import Input, SppHead
from edgedet.strict import read
from edgedet_converters import checkpoint, family, labels
from edgedet_converters.convert import convert
from edgedet_converters.families import sppnet

pytestmark = pytest.mark.convert
SLIM = {"num_classes": 20, "channels": [12, 16, 24, 24, 16], "hidden": [64, 48]}


@pytest.fixture(autouse=True, scope="module")
def in_graph_mode():
    with graph_mode():
        yield


def config_of(**options):
    return read(sppnet.Config, options, "config")


def published_network(config):
    """The published code for 224 pixels, written plainly: its names and order, its static pools on a map of 13×13."""
    from mindspore import nn, ops

    a, b, c, d, e = config.channels

    def conv(before, after, kernel, stride, **pad):
        return nn.Conv2d(before, after, kernel, stride, has_bias=True, **(pad or {"pad_mode": "same"}))

    class Published(nn.Cell):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = conv(3, a, 7, 2), conv(a, b, 5, 2)
            padded = {"pad_mode": "pad", "padding": 1}
            self.conv3, self.conv4, self.conv5 = (conv(*pair, 3, 1, **padded) for pair in ((b, c), (c, d), (d, e)))
            self.relu, self.lrn, self.pool = ops.ReLU(), ops.LRN(), nn.MaxPool2d(3, 2)
            self.plain = config.variant == "zfnet"
            sides = [(math.ceil(13 / bins), math.floor(13 / bins)) for bins in (6, 3, 2, 1)]
            self.levels = nn.CellList([nn.MaxPool2d(kernel, stride) for kernel, stride in sides])
            self.fc1 = nn.Dense(e * (36 if self.plain else 50), config.hidden[0])
            self.fc2, self.fc3 = nn.Dense(*config.hidden), nn.Dense(config.hidden[1], config.num_classes)

        def construct(self, x):
            x = self.pool(self.lrn(self.relu(self.conv1(x))))
            x = self.pool(self.lrn(self.relu(self.conv2(x))))
            x = self.relu(self.conv5(self.relu(self.conv4(self.relu(self.conv3(x))))))
            if self.plain:
                x = ops.reshape(self.pool(x), (1, -1))
            else:
                rows = ()
                for level in self.levels:
                    rows += (ops.reshape(level(x), (1, -1)),)
                x = ops.concat(rows, 1)
            return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))

    return Published().set_train(False)


def loaded(cell, path):
    import mindspore

    weights = mindspore.load_checkpoint(str(path))
    wanted = {parameter.name for parameter in cell.get_parameters()}
    missing, _ = mindspore.load_param_into_net(cell, {name: weights[name] for name in wanted})
    assert missing == []
    return cell


def noise(side_h, side_w, seed=0):
    return np.random.default_rng(seed).normal(size=(1, 3, side_h, side_w)).astype(np.float32)


def run(cell, tensor):
    import mindspore

    return cell(mindspore.Tensor(tensor)).asnumpy()


def top_5(logits):
    return np.argsort(-logits[0], kind="stable")[:5].tolist()


def test_it_is_found_by_its_name():
    assert family.find("sppnet") is sppnet.FAMILY


@pytest.mark.parametrize("variant", sppnet.VARIANTS)
def test_the_published_parameters_name_by_name_and_shape_by_shape(variant):
    published = json.loads((PARAMS / "sppnet.json").read_text())["inference"]
    if variant == "zfnet":
        published["fc1.weight"] = [4096, 9216]
    cell = sppnet.build(sppnet.Config(variant=variant))
    built = {parameter.name: list(parameter.shape) for parameter in cell.get_parameters()}
    assert built == published
    assert sum(parameter.size for parameter in cell.get_parameters()) == 77_037_672 - 4096 * 3584 * (variant == "zfnet")


def test_description_is_plain_json_and_what_was_published():
    description = sppnet.describe(sppnet.Config())
    assert json.loads(json.dumps(description)) == description
    assert description["tasks"] == ["classify", "regions"]
    rule = read(Input, description["input"], "input")
    assert (rule.size_wh, rule.resize_wh, rule.color) == ((224, 224), (256, 256), "rgb")
    head = read(SppHead, description["head"], "head")
    assert head.levels == (6, 3, 2, 1) and head.bins == 50
    assert head.grid((224, 224)) == ((16, 16), (11, 11), (13, 13))
    assert head.grid((180, 180)) == ((16, 16), (15, 15), (10, 10))
    assert sppnet.describe(sppnet.Config(variant="zfnet"))["head"]["levels"] == [6]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "alexnet"}, "variant: expected one of sppnet_mult, sppnet_single, zfnet, got 'alexnet'"),
        ({"channels": (1, 2, 3)}, "channels: expected 5 positive numbers, got"),
        ({"hidden": (8, 0)}, "hidden: expected 2 positive numbers, got"),
        ({"levels": ()}, "levels: expected some positive numbers, got"),
        ({"input_wh": (300, 224)}, "resize_wh: expected at least input_wh"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        sppnet.Config(**options)


def test_config_survives_json():
    config = small_config("sppnet")
    assert sppnet.Config(**json.loads(json.dumps(vars(config)))) == config
    hash(config)


def test_labels_are_imagenets_in_the_order_of_their_wordnet_ids():
    names = labels.packaged(sppnet.FAMILY.labels).names
    assert len(names) == len(set(names)) == 1000
    known = {0: "tench", 1: "goldfish", 207: "golden retriever", 281: "tabby", 285: "Egyptian cat", 504: "coffee mug"}
    known |= {134: "crane bird", 517: "crane", 638: "maillot", 967: "espresso", 968: "cup", 999: "toilet tissue"}
    assert {index: names[index] for index in known} == known


@pytest.mark.parametrize("variant", sppnet.VARIANTS)
def test_the_whole_at_224_is_the_published_network(variant, tmp_path):
    config = config_of(variant=variant, **SLIM)
    path = sane_checkpoint("sppnet", config, tmp_path / "slim.ckpt", training_extras=True)
    built = sppnet.build(config).set_train(False)
    checkpoint.load(path, sppnet.FAMILY, built)
    published = loaded(published_network(config), path)
    for seed in range(3):
        found, expected = (run(cell, noise(224, 224, seed)) for cell in (built, published))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
        assert top_5(found) == top_5(expected)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return small_bundle("sppnet", tmp_path_factory.mktemp("sppnet"))


@pytest.fixture
def model(bundle):
    with edgedet.load(bundle) as opened:
        yield opened


def test_the_small_twin_is_a_verified_classifier(model):
    assert type(model) is Classifier and model.spec.tasks == ("classify", "regions")
    verdict = verify(model.bundle)
    assert verdict.passed and len(verdict.replays) == 6, verdict.table()
    assert all(raw.max_rel <= 1e-5 for replay in verdict.replays for raw in replay.raw), verdict.table()
    assert model.spec.variants[0].files.keys() == {"trunk", "head"}


def region_of_all(bundle, network):
    """The logits of the region that is a whole picture of 224×224, and those of a network on its pixels."""
    image = np.random.default_rng(4).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    with edgedet.load(bundle, task="regions") as model:
        rule = model.spec.input
        pixels = (image[..., ::-1].astype(np.float32) - np.float32(rule.mean)) / np.float32(rule.std)
        expected = run(network, pixels.transpose(2, 0, 1)[None].copy())
        return model.features(image, [[0, 0, 224, 224]], "logits", shorter_side=224), expected


def test_the_region_of_the_whole_image_at_224_is_the_published_network(bundle):
    found, expected = region_of_all(
        bundle, loaded(published_network(small_config("sppnet")), bundle.parent / "sppnet.ckpt")
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(80, 96), (224, 224), (180, 180), (300, 451), (35, 400)])
def test_any_size_is_the_same_layers_on_another_map(bundle, model, height, width):
    whole = loaded(sppnet.build(small_config("sppnet")), bundle.parent / "sppnet.ckpt").set_train(False)
    tensor = noise(height, width)
    features = model._networks["trunk"].run({"image": tensor})["features"]
    columns, rows = model.spec.head.grid((width, height)).feature_wh
    assert features.shape[2:] == (rows, columns)
    assert (height, width) != (300, 451) or (rows, columns) == (18, 27)
    np.testing.assert_allclose(model.logits(tensor), run(whole, tensor), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", [1, 7, 200])
def test_the_head_takes_any_number_of_regions(model, count):
    rows = np.random.default_rng(1).uniform(0, 1, (count, 800)).astype(np.float32)
    head = model._networks["head"]
    found = head.run({"pooled": rows})
    assert {role: values.shape for role, values in found.items()} == {
        "fc1": (count, 64),
        "fc2": (count, 48),
        "logits": (count, 12),
    }
    single = head.run({"pooled": rows[-1:].copy()})
    for role, values in found.items():
        np.testing.assert_allclose(values[-1:], single[role], rtol=1e-5, atol=1e-5)


def test_fc1_reads_its_rows_in_the_order_of_the_published_flattening(model):
    rows = np.random.default_rng(2).uniform(0, 1, (4, 800)).astype(np.float32)
    weights = checkpoint.read(model.bundle.root.parent / "sppnet.ckpt")
    fc1 = np.maximum(rows @ weights["fc1.weight"].T + weights["fc1.bias"], 0)
    np.testing.assert_allclose(model._networks["head"].run({"pooled": rows})["fc1"], fc1, rtol=1e-4, atol=1e-5)


def test_mindir_keeps_what_the_onnx_rewrites(tmp_path):
    import mindspore
    from mindspore import nn

    from edgedet_converters import mindir
    from edgedet_converters.export import _write

    config = small_config("sppnet")
    cell = sppnet.build(config).set_train(False)
    networks = sppnet.networks(cell, config)
    for kind in ("onnx", "mindir"):
        for name, network in networks.items():
            _write(network, kind, tmp_path / name)
    primitives = mindir.primitives(tmp_path / "trunk.mindir")
    assert primitives["LRN"] == 2 and primitives["Conv2D"] == 5
    loaded_trunk = nn.GraphCell(mindspore.load(str(tmp_path / "trunk.mindir")))
    tensor = noise(101, 150)
    np.testing.assert_allclose(run(loaded_trunk, tensor), run(cell.trunk, tensor), rtol=1e-5, atol=1e-6)


@pytest.mark.full
@pytest.mark.parametrize("variant", sppnet.VARIANTS)
def test_full_size(variant, tmp_path: Path):
    """Minutes and gigabytes: the published sizes, against the published network, from a training checkpoint."""
    config = sppnet.Config(variant=variant)
    path = sane_checkpoint("sppnet", config, tmp_path / "published.ckpt", training_extras=True)
    (tmp_path / "config.json").write_text(json.dumps({"variant": variant}))
    folder = convert("sppnet", path, tmp_path / "bundle", config=tmp_path / "config.json")
    published = loaded(published_network(config), path)
    with edgedet.load(folder) as model:
        assert verify(model.bundle).passed
        assert model.labels[207] == "golden retriever"
        for seed in range(4):
            found, expected = model.logits(noise(224, 224, seed)), run(published, noise(224, 224, seed))
            assert top_5(found) == top_5(expected)
            assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()
        assert model.logits(noise(300, 451)).shape == (1, 1000)
    found, expected = region_of_all(folder, published)
    assert top_5(found) == top_5(expected)
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()
