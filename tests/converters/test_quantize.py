"""fp16 and int8 for ONNX Runtime: how far the answers move, what stays in float, and when the result is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import edgedet
from edgedet.camera.scene import draw_scene
from edgedet.cli import main
from edgedet.errors import BundleError, ConversionError, VerificationError
from edgedet.evaluate import verify as verify_module
from edgedet.evaluate.verify import verify
from edgedet_converters import calibration, quantize

SHAPES = Path(__file__).parents[2] / "examples" / "shapes"


def banded_graph() -> onnx.ModelProto:
    """relu(conv(x)) normalised over its channels, then two branches: boxes and logits."""
    rng = np.random.default_rng(0)
    weights = {
        "w": rng.normal(0, 0.3, (8, 3, 3, 3)),
        "band": np.ones((8, 8, 1, 1)),
        "bias": np.ones(8),
        "wb": rng.normal(0, 0.3, (4, 8, 1, 1)),
        "wl": rng.normal(0, 0.3, (6, 8, 1, 1)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="first"),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("Mul", ["r", "r"], ["s"], name="square"),
        helper.make_node("Conv", ["s", "band", "bias"], ["n"], name="sums"),
        helper.make_node("Sqrt", ["n"], ["q"], name="root"),
        helper.make_node("Div", ["r", "q"], ["d"], name="divide"),
        helper.make_node("Conv", ["d", "wb"], ["deltas"], name="boxes"),
        helper.make_node("Conv", ["d", "wl"], ["logits"], name="classes"),
    ]
    arrays = [numpy_helper.from_array(np.float32(values), name) for name, values in weights.items()]
    edges = [("x", [1, 3, 10, 10]), ("deltas", [1, 4, 8, 8]), ("logits", [1, 6, 8, 8])]
    x, *out = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in edges]
    graph = helper.make_graph(nodes, "banded", [x], out, arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=7)


def run(model: onnx.ModelProto | Path, x: np.ndarray) -> list[np.ndarray]:
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"]).run(None, {"x": x})


def test_the_normalisation_and_a_branch_are_found() -> None:
    graph = banded_graph().graph
    assert quantize.norm_nodes(graph) == {"square", "sums", "root", "divide"}
    assert quantize.own_nodes(graph, "deltas") == {"boxes"}
    assert quantize.own_nodes(graph, "logits") == {"classes"}


def test_nodes_get_names_of_their_own() -> None:
    graph = banded_graph().graph
    graph.node[0].name, graph.node[1].name = "", "boxes"
    quantize.name_nodes(graph)
    assert len({node.name for node in graph.node}) == len(graph.node) and "" not in [node.name for node in graph.node]


def test_half_precision_does_not_overflow_in_the_squares() -> None:
    x = np.random.default_rng(1).normal(0, 300, (1, 3, 10, 10)).astype(np.float32)
    expected, found = run(banded_graph(), x), run(quantize.to_fp16(banded_graph()), x)
    for a, b in zip(expected, found):
        assert b.dtype == np.float32
        np.testing.assert_allclose(b, a, atol=5e-3)
    assert not any(np.allclose(a, b, atol=1e-7) for a, b in zip(expected, found))


@pytest.mark.parametrize("branch", [None, "deltas"])
def test_int8_leaves_the_normalisation_in_float(tmp_path: Path, branch: str | None) -> None:
    rng = np.random.default_rng(2)
    feeds = [{"x": rng.normal(0, 1, (1, 3, 10, 10)).astype(np.float32)} for _ in range(20)]
    path = tmp_path / "model.onnx"
    quantize.to_int8(banded_graph(), path, feeds, float_output=branch)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    weights = {array.name for array in onnx.load(path).graph.initializer}
    assert {"band", "bias"} <= weights and "w_quantized" in weights and "wl_quantized" in weights
    assert ("wb" in weights) == (branch is not None)
    for a, b in zip(run(banded_graph(), feeds[0]["x"]), run(path, feeds[0]["x"])):
        assert 0 < np.abs(a - b).max() < 0.05 * np.abs(a).max()


def test_a_graph_that_cannot_be_quantised(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="onnx: expected a graph that can be quantised"):
        quantize.to_int8(banded_graph(), tmp_path / "model.onnx", [{"y": np.zeros(1, np.float32)}])
    assert list(tmp_path.glob("*.plain")) == []


def test_pictures_are_spread_over_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        (tmp_path / f"{number}.PNG").touch()
    (tmp_path / "notes.txt").touch()
    monkeypatch.setattr(calibration, "MAX_PICTURES", 3)
    assert [path.stem for path in calibration.pictures(tmp_path)] == ["0", "2", "4"]
    for place in (tmp_path / "none", tmp_path / "notes.txt"):
        with pytest.raises(ConversionError, match="calibration: expected a folder with pictures"):
            calibration.pictures(place)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 pictures of the kind that the toy was trained on."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed in range(30):
        cv2.imwrite(str(folder / f"{seed:02d}.png"), draw_scene(5000 + seed)[0])
    return folder


@pytest.fixture(scope="module")
def converted(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy in all precisions, by the command."""
    pytest.importorskip("mindspore", reason="needs the extra [convert]")
    out = tmp_path_factory.mktemp("bundles") / "shapes"
    arguments = ["ssd_mobilenet_v2", "--checkpoint", SHAPES / "shapes.ckpt", "--config", SHAPES / "config.json"]
    arguments += ["--labels", SHAPES / "labels.txt", "--calibration", scenes, "--out", out, "--golden"]
    arguments += [*sorted(scenes.iterdir())[:3], "--quantize", "int8", "--quantize", "none", "--quantize", "fp16"]
    assert main(["convert", *map(str, arguments)]) == 0
    return out


@pytest.mark.convert
def test_every_precision_is_in_the_bundle_and_the_most_exact_runs(converted: Path) -> None:
    bundle = edgedet.Bundle.open(converted)
    assert [variant.precision for variant in bundle.spec.variants] == ["fp32", "fp16", "int8"]
    assert bundle.choose().variant.precision == "fp32"
    sizes = [(converted / variant.files["model"].file).stat().st_size for variant in bundle.spec.variants]
    assert sizes[1] < 0.6 * sizes[0] and sizes[2] < 0.4 * sizes[0]
    assert not (converted / "calibration").exists()


@pytest.mark.convert
@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_each_precision_is_verified_by_its_own_limits(converted: Path, precision: str) -> None:
    verdict = verify(edgedet.Bundle.open(converted).only(target="onnx", precision=precision))
    assert verdict.precision == precision and verdict.passed, verdict.table()
    worst = max(raw.max_rel for replay in verdict.replays for raw in replay.raw)
    assert (
        {"fp32": 0, "fp16": 1e-4, "int8": 1e-3}[precision]
        < worst
        < {"fp32": 1e-4, "fp16": 2e-2, "int8": 0.25}[precision]
    )
    assert main(["verify", str(converted), "--precision", precision]) == 0


@pytest.mark.convert
def test_a_precision_that_the_bundle_has_not(converted: Path) -> None:
    with pytest.raises(BundleError, match="expected a variant mslite int8, got onnx fp32, onnx fp16, onnx int8"):
        edgedet.Bundle.open(converted).only(target="mslite", precision="int8")


@pytest.mark.convert
def test_the_box_branch_is_tried_in_float_then_it_is_refused(
    scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgedet_converters.convert import convert
    from edgedet_converters.order import Options

    strict = {**verify_module.LIMITS, "int8": replace(verify_module.LIMITS["int8"], max_rel=1e-3)}
    monkeypatch.setattr(verify_module, "LIMITS", strict)
    said: list[str] = []
    with pytest.raises(VerificationError, match=r"from onnx-int8, got others: golden/000\.png \(detect\): deltas"):
        convert(
            "ssd_mobilenet_v2",
            SHAPES / "shapes.ckpt",
            tmp_path / "shapes",
            config=SHAPES / "config.json",
            labels=SHAPES / "labels.txt",
            options=Options(precisions=("int8",), calibration=calibration.pictures(scenes)[:4]),
            golden=sorted(scenes.iterdir())[:1],
            progress=said.append,
        )
    assert [step for step in said if "int8" in step] == [
        "converting for onnx-int8",
        "verifying onnx-int8",
        "converting for onnx-int8, box branch in float",
        "verifying onnx-int8",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.convert
def test_the_head_is_calibrated_with_what_the_trunk_gives(
    tmp_path: Path, scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mindspore", reason="needs the extra [convert]")
    from checkpoints import CONFIGS, sane_checkpoint, small_config

    from edgedet_converters.convert import convert
    from edgedet_converters.order import Options

    config = small_config("sppnet")
    checkpoint = sane_checkpoint("sppnet", config, tmp_path / "small.ckpt")
    (tmp_path / "labels.txt").write_text("\n".join(f"class {i}" for i in range(config.num_classes)))
    convert(
        "sppnet",
        checkpoint,
        tmp_path / "bundle",
        config=CONFIGS / "sppnet.json",
        labels=tmp_path / "labels.txt",
        options=Options(precisions=("fp16", "int8"), calibration=calibration.pictures(scenes)[:8]),
    )
    bundle = edgedet.Bundle.open(tmp_path / "bundle")
    for precision in ("fp16", "int8"):
        verdict = verify(bundle.only(precision=precision))
        assert all(raw.cosine > 0.995 for replay in verdict.replays for raw in replay.raw), verdict.table()
    assert (tmp_path / "bundle" / "head.int8.onnx").stat().st_size < (
        tmp_path / "bundle" / "head.fp16.onnx"
    ).stat().st_size
