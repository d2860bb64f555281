"""Ascend: what the converters are told for each chip and precision, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import configs
import fake_converter
import numpy as np
import pytest

from edgedet.errors import ConversionError
from edgedet_converters import ascend, converter_lite
from edgedet_converters.order import Options
from edgedet_converters.targets import ascend as ascend_target
from edgedet_converters.targets import om as om_target

TEXTS = dict(configs.texts())


@pytest.mark.parametrize("name", TEXTS)
def test_golden(name: str) -> None:
    assert TEXTS[name] == (configs.GOLDEN / name).read_text(encoding="utf-8"), "run tests/converters/configs.py"


def test_no_golden_is_left_over() -> None:
    assert {path.name for path in configs.GOLDEN.iterdir()} == set(TEXTS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "soc: expected of Ascend310, .*, got none"),
        ({"socs": ("Ascend910",)}, "soc: expected of Ascend310, .*, got Ascend910"),
        ({"socs": ("Ascend310",), "batches": (1,), "sizes": ((1, 1),)}, "expected batches or sizes, got both"),
        ({"socs": ("Ascend310",), "batches": (0,)}, "batch: expected numbers of 1 to 2048"),
        ({"socs": ("Ascend310",), "batches": tuple(range(1, 102))}, "batch: expected up to 100"),
    ],
)
def test_refused(options: dict, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        ascend.check(Options(**options))


def test_sizes_for_a_network_of_one_size() -> None:
    with pytest.raises(ConversionError, match="sizes: expected a network of any size"):
        ascend.shapes(configs.order("ascend", soc="Ascend310", sizes=((64, 64),)), "model")


def test_pixels_for_a_part_of_a_model() -> None:
    asked = configs.order("ascend", networks=configs.SPP, soc="Ascend310", aipp=True)
    with pytest.raises(ConversionError, match="aipp: expected one network from image to answer, got trunk, head"):
        ascend_target.config(asked, "trunk")


def test_shapes_are_declared() -> None:
    asked = configs.order("ascend", soc="Ascend310", batches=(4, 1))
    assert ascend.shapes(asked, "model") == {"image": ((1, 3, 320, 320), (4, 3, 320, 320))}
    whole = configs.order("ascend", networks=configs.SPP, soc="Ascend310")
    assert ascend.shapes(whole, "head") == {"pooled": ((1, 12800), (64, 12800))}


@pytest.mark.parametrize("color", ["rgb", "bgr"])
def test_the_chips_arithmetic_is_the_bundles_own(color: str) -> None:
    from dataclasses import replace

    from edgedet.image import to_tensor

    spec = replace(configs.IMAGE, size_wh=(6, 5), color=color)
    text = ascend.aipp(replace(configs.order("ascend", soc="Ascend310", aipp=True), input=spec), "model")
    keys = dict(line.strip().split(": ") for line in text.splitlines()[1:-1])
    pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    swapped = pixels[:, :, ::-1] if keys["rbuv_swap_switch"] == "true" else pixels
    planes = [
        (swapped[:, :, c] - float(keys[f"mean_chn_{c}"]) - float(keys[f"min_chn_{c}"]))
        * float(keys[f"var_reci_chn_{c}"])
        for c in range(3)
    ]
    np.testing.assert_allclose(planes, to_tensor(pixels, spec)[0][0], atol=1e-5)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An order's folder, the stand-ins on the PATH, and an environment that seems to have CANN."""
    for name in ("MSLITE_HOME", "FAKE_CONVERTER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(fake_converter.install(tmp_path / "programs")), prepend=os.pathsep)
    monkeypatch.setenv("ASCEND_HOME_PATH", str(tmp_path))
    work = tmp_path / "order"
    work.mkdir()
    (work / "model.mindir").write_bytes(b"graph")
    (tmp_path / "bundle").mkdir()
    return work


def test_compiled_for_a_chip(folder: Path) -> None:
    order = configs.order("ascend", soc="Ascend310B4", aipp=True, batches=(1, 2))
    out = folder.parent / "bundle"
    ascend_target.TARGET.prepare(order, folder)
    variant = ascend_target.TARGET.convert(order, folder, out)
    assert (variant.runtime, variant.precision, variant.soc, variant.aipp) == (
        "mslite_wheel",
        "fp16",
        "Ascend310B4",
        True,
    )
    file = variant.files["model"]
    assert file.file == "model.Ascend310B4.mindir" and file.outputs == {"deltas": "#0", "logits": "#1"}
    assert len(file.shapes["image"]) == 2 and os.access(out / file.file, os.W_OK)
    kept = sorted(path.relative_to(out).as_posix() for path in (out / "config").rglob("*.cfg"))
    place = "config/ascend-Ascend310B4-fp32"
    assert kept == [f"{place}/model.aipp.cfg", f"{place}/model.cfg"]


def test_without_cann(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME", "ASCEND_OPP_PATH"):
        monkeypatch.delenv(name, raising=False)
    order = configs.order("ascend", soc="Ascend310")
    assert "set_env.sh" in str(ascend_target.TARGET.missing(order, folder))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(converter_lite, "_package", lambda: None)
    assert "converter_lite" in str(ascend_target.TARGET.missing(order, folder))
    assert "atc" in str(om_target.TARGET.missing(order, folder))


def test_compiled_by_atc(folder: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    nodes = [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Neg", ["x"], ["b"])]
    edges = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 320, 320]) for name in "xab"]
    graph = helper.make_graph(nodes, "g", edges[:1], edges[1:])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=7), folder / "model.onnx"
    )
    order, out = configs.order("om", soc="Ascend310"), folder.parent / "bundle"
    om_target.TARGET.prepare(order, folder)
    named = onnx.load(folder / "model_named.onnx").graph
    assert [value.name for value in (*named.input, *named.output)] == ["image", "deltas", "logits"]
    variant = om_target.TARGET.convert(order, folder, out)
    assert (variant.runtime, variant.soc) == ("acl", "Ascend310")
    assert (out / "model.Ascend310.om").read_bytes().startswith(b"IMOD")
