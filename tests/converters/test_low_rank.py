"""Dense layers as pairs: the best of their rank, measured against the whole layers, and refused where that is far."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mindspore")

from checkpoints import CONFIGS, graph_mode, sane_checkpoint, small_config

import edgedet
from edgedet.errors import ConversionError
from edgedet.evaluate.verify import verify
from edgedet_converters import checkpoint, low_rank
from edgedet_converters.convert import convert
from edgedet_converters.exported import Svd

pytestmark = pytest.mark.convert
FC1, FC2 = (64, 800), (48, 64)


def weights(shape, rank, seed=0):
    """A matrix of that rank with singular values that fall, and noise far below them."""
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=(shape[0], rank)), rng.normal(size=(rank, shape[1]))
    matrix = (left / 2.0 ** np.arange(rank)) @ right / np.sqrt(rank * shape[1])
    return (matrix + rng.normal(0, 1e-6, shape)).astype(np.float32)


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (30, 30)])
@pytest.mark.parametrize("rank", [1, 7, 20])
def test_no_pair_of_that_rank_is_nearer(shape, rank):
    matrix = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    basis = low_rank.left_singular_vectors(matrix, rank)
    assert basis.shape == (shape[0], rank) and basis.dtype == np.float32
    np.testing.assert_allclose(basis.T @ basis, np.eye(rank), atol=1e-5)
    left_over = np.linalg.norm(matrix - basis @ (basis.T @ matrix))
    # Eckart and Young: what is left is the singular values that were cut off.
    cut = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)[rank:]
    assert left_over == pytest.approx(np.sqrt(np.square(cut).sum()), rel=1e-4, abs=1e-3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint whose dense layers have nearly low rank, as trained ones do, and its labels."""
    import mindspore

    folder = tmp_path_factory.mktemp("low_rank")
    path = sane_checkpoint("sppnet", small_config("sppnet"), folder / "sane.ckpt")
    values = checkpoint.read(path)
    values = {**values, "fc1.weight": 8 * weights(FC1, 8), "fc2.weight": 8 * weights(FC2, 6, seed=1)}
    entries = [{"name": name, "data": mindspore.Tensor(np.ascontiguousarray(value))} for name, value in values.items()]
    mindspore.save_checkpoint(entries, str(folder / "low.ckpt"))
    (folder / "labels.txt").write_text("\n".join(f"class {i}" for i in range(12)), encoding="utf-8")
    return folder


def converted(trained, out, svd, **options):
    with graph_mode():
        return convert(
            "sppnet",
            trained / "low.ckpt",
            out,
            config=CONFIGS / "sppnet.json",
            labels=trained / "labels.txt",
            svd=svd,
            **options,
        )


@pytest.fixture(scope="module")
def bundles(trained):
    """The whole head and the compressed one."""
    return converted(trained, trained / "whole", None), converted(
        trained, trained / "pairs", Svd((8, 6)), targets=("onnx", "mindir")
    )


def test_the_pair_is_in_every_export_and_says_the_same(bundles):
    whole, pairs = bundles
    assert {variant.target for variant in edgedet.Bundle.open(pairs).spec.variants} == {"onnx", "mindir"}
    assert verify(edgedet.Bundle.open(pairs)).passed
    for suffix in ("onnx", "mindir"):
        size = (pairs / f"head.{suffix}").stat().st_size
        assert size < 0.3 * (whole / "head.onnx").stat().st_size
    image = np.random.default_rng(5).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    boxes = np.array([[0, 0, 160, 120], [10, 20, 90, 100], [60, 5, 150, 70]], np.float32)
    with edgedet.load(whole, task="regions") as one, edgedet.load(pairs, task="regions") as other:
        for layer in ("fc1", "fc2", "logits"):
            expected = one.features(image, boxes, layer)
            np.testing.assert_allclose(other.features(image, boxes, layer), expected, rtol=1e-2, atol=1e-3)


def test_model_json_tells_ranks_and_agreement(bundles):
    whole, pairs = [edgedet.Bundle.open(folder).spec.source.compression for folder in bundles]
    assert whole is None
    assert pairs.ranks == (8, 6) and pairs.regions == 3 * low_rank.REGIONS
    assert pairs.top1 >= 0.99 and 0 < pairs.max_score < 0.01


def test_too_far_from_the_whole_head_is_refused_and_nothing_written(trained):
    with pytest.raises(ConversionError, match=r"svd-rank: expected ranks that keep .* got [0-9.]+ and [0-9.]+; give"):
        converted(trained, trained / "refused", Svd((1, 1), top1=0.999, max_score=1e-3))
    assert not (trained / "refused").exists() and not list(trained.glob(".refused*"))


@pytest.mark.parametrize(
    ("ranks", "message"),
    [
        ((8,), r"expected a rank for each dense layer .*head\.fc1, head\.fc2.*got 1"),
        ((8, 6, 4), "got 3"),
        ((60, 6), r"expected 1 to 59 for head\.fc1, .* got 60"),
        ((8, 28), r"expected 1 to 27 for head\.fc2"),
    ],
)
def test_ranks_that_make_no_sense(trained, tmp_path: Path, ranks, message):
    with pytest.raises(ConversionError, match=message):
        converted(trained, tmp_path / "out", Svd(ranks))
    assert not (tmp_path / "out").exists()


def test_a_family_without_such_layers(tmp_path: Path):
    config = small_config("ssd_mobilenet_v2")
    path = sane_checkpoint("ssd_mobilenet_v2", config, tmp_path / "ssd.ckpt")
    (tmp_path / "labels.txt").write_text("\n".join(f"class {i}" for i in range(config.num_classes)))
    options = {"config": CONFIGS / "ssd_mobilenet_v2.json", "labels": tmp_path / "labels.txt"}
    with pytest.raises(ConversionError, match=r"layer of ssd_mobilenet_v2 that can be compressed \(none\), got 2"):
        convert("ssd_mobilenet_v2", path, tmp_path / "out", svd=Svd((8, 6)), **options)


def test_regions_are_of_all_sizes_inside_the_picture():
    boxes = low_rank._regions(1, (300, 20))
    assert boxes[0].tolist() == [0, 0, 300, 20]
    assert (boxes[:, 2:] > boxes[:, :2]).all() and boxes.min() >= 0
    assert boxes[:, 2].max() <= 300 and boxes[:, 3].max() <= 20
    assert json.dumps(boxes.tolist()) == json.dumps(low_rank._regions(1, (300, 20)).tolist())
