"""A conversion whose tools are elsewhere: what waits in the bundle, and how another machine finishes it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import fake_converter
import pytest

import edgedet
from edgedet.cli import main
from edgedet.errors import BundleError, ConversionError
from edgedet_converters import converter_lite, pending

pytest.importorskip("mindspore", reason="needs the extra [convert]")
from edgedet_converters.convert import convert
from edgedet_converters.order import Options

pytestmark = pytest.mark.convert
SHAPES = Path(__file__).parents[2] / "examples" / "shapes"
ARGUMENTS = ["ssd_mobilenet_v2", "--checkpoint", str(SHAPES / "shapes.ckpt"), "--config", str(SHAPES / "config.json")]
ARGUMENTS += ["--labels", str(SHAPES / "labels.txt")]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without MindSpore Lite and CANN."""
    _hide(monkeypatch)


def _hide(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MSLITE_HOME", "EDGEDET_MSLITE_LIBRARY", "FAKE_CONVERTER", "ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("ASCEND_OPP_PATH", raising=False)
    monkeypatch.setattr(converter_lite, "_package", lambda: None)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Converted for everything on a machine that has but ONNX."""
    with pytest.MonkeyPatch.context() as patch:
        _hide(patch)
        return convert(
            "ssd_mobilenet_v2",
            SHAPES / "shapes.ckpt",
            tmp_path_factory.mktemp("bundles") / "shapes",
            config=SHAPES / "config.json",
            labels=SHAPES / "labels.txt",
            targets=["mslite", "onnx", "mindir", "ascend", "om"],
            options=Options(socs=("Ascend310",)),
        )


@pytest.fixture
def folder(converted: Path, tmp_path: Path) -> Path:
    """A copy to finish or to damage."""
    return Path(shutil.copytree(converted, tmp_path / "shapes"))


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-ins for the tools, put on the PATH."""
    programs = fake_converter.install(tmp_path / "programs")
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    monkeypatch.setenv("ASCEND_HOME_PATH", str(programs))
    return programs


def say_nothing(step: str) -> None:
    pass


def variants(folder: Path) -> list[str]:
    return [variant.target for variant in edgedet.Bundle.open(folder).spec.variants]


def test_what_is_finished_is_a_bundle(folder: Path) -> None:
    assert variants(folder) == ["onnx", "mindir"]
    with edgedet.load(folder, runtime="onnx") as model:
        assert model.spec.name == "shapes"
    (mindir,) = edgedet.Bundle.open(folder).only(target="mindir").spec.variants
    assert mindir.runtime == "mslite_wheel" and mindir.files["model"].file == "model.mindir"
    assert mindir.files["model"].outputs == {"deltas": "#0", "logits": "#1"}


def test_what_waits_has_all_that_its_tool_needs(folder: Path) -> None:
    names = {place.name: sorted(path.name for path in place.iterdir()) for place in (folder / "pending").iterdir()}
    assert names == {
        "ascend-Ascend310-fp32": ["convert.sh", "model.cfg", "model.mindir", "order.json"],
        "mslite-fp32": ["convert.sh", "model.mindir", "order.json"],
        "om-Ascend310-fp32": ["convert.sh", "model.onnx", "model_named.onnx", "order.json"],
    }
    why = {item.order.target: item.why for item in pending.waiting(folder)}
    assert "MSLITE_HOME" in why["mslite"] and "atc" in why["om"]


def test_another_machine_finishes_it(folder: Path, tools: Path) -> None:
    assert pending.resume(folder, progress=say_nothing) == []
    assert sorted(variants(folder)) == ["ascend", "mindir", "mslite", "om", "onnx"]
    assert not (folder / "pending").exists()
    with pytest.raises(ConversionError, match="expected a conversion that isn't finished, got none"):
        pending.resume(folder, progress=say_nothing)


def test_a_machine_with_one_tool_finishes_one(folder: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tools / "atc").unlink()
    monkeypatch.delenv("ASCEND_HOME_PATH")
    left = pending.resume(folder, progress=say_nothing)
    assert [item.order.target for item in left] == ["ascend", "om"]
    assert sorted(variants(folder)) == ["mindir", "mslite", "onnx"]
    assert not (folder / "pending" / "mslite-fp32").exists()


def test_scripts_run_where_edgedet_is_not(folder: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for script in sorted((folder / "pending").glob("*/convert.sh")):
        subprocess.run(["sh", str(script)], cwd="/", check=True, capture_output=True)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("ASCEND_HOME_PATH")
    assert pending.resume(folder, progress=say_nothing) == []
    assert sorted(variants(folder)) == ["ascend", "mindir", "mslite", "om", "onnx"]


def test_a_failure_leaves_everything_as_it_was(folder: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / "model.json").read_bytes()
    monkeypatch.setenv("FAKE_CONVERTER", "dropped")
    with pytest.raises(ConversionError, match="expected every operation to be kept"):
        pending.resume(folder, progress=say_nothing)
    assert (folder / "model.json").read_bytes() == before
    assert not list(folder.glob("*.ms")) and not (folder / "config").exists()
    monkeypatch.delenv("FAKE_CONVERTER")
    assert pending.resume(folder, progress=say_nothing) == []


def test_a_damaged_folder(folder: Path, tools: Path) -> None:
    graph = folder / "pending" / "mslite-fp32" / "model.mindir"
    graph.write_bytes(graph.read_bytes()[:-1])
    shutil.rmtree(folder / "pending" / "ascend-Ascend310-fp32")
    with pytest.raises(ConversionError, match=r"model\.mindir: expected the exported graph, got none or another"):
        pending.resume(folder, progress=say_nothing)
    (graph.parent / "order.json").write_text('{"target": "mslite"}')
    with pytest.raises(ConversionError, match=r"expected an order, got order\.json: precision: expected a value"):
        pending.resume(folder, progress=say_nothing)


def only_mslite(folder: Path) -> None:
    """Makes it a conversion of which nothing is finished yet, as `convert` leaves it."""
    data = json.loads((folder / "model.json").read_text())
    planned = {**data["variants"][0], "target": "mslite", "runtime": "", "files": {}, "producer": {}}
    (folder / "pending" / "model.json").write_text(json.dumps({**data, "variants": [planned]}))
    for path in (*folder.glob("model.*"), *folder.glob("pending/ascend-*/*"), *folder.glob("pending/om-*/*")):
        path.unlink()
    for path in (*folder.glob("pending/ascend-*"), *folder.glob("pending/om-*")):
        path.rmdir()


def test_nothing_finished_is_no_bundle_yet(folder: Path, tools: Path) -> None:
    only_mslite(folder)
    with pytest.raises(BundleError, match="got a conversion that isn't finished; do edgedet convert --resume"):
        edgedet.Bundle.open(folder)
    assert pending.resume(folder, progress=say_nothing) == []
    assert variants(folder) == ["mslite"] and not (folder / "pending").exists()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "shapes"
    assert main(["convert", *ARGUMENTS, "--out", str(out), "--target", "mslite", "--quantize", "int8"]) == 1
    _, err = capsys.readouterr()
    assert "mslite-int8 waits: converter_lite: expected" in err and f"edgedet convert --resume {out}" in err
    assert not (out / "model.json").exists()
    assert main(["convert", "--resume", str(out), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["pending"][0]["name"] == "mslite-int8"
    monkeypatch.setenv("PATH", str(fake_converter.install(tmp_path / "programs")), prepend=os.pathsep)
    assert main(["convert", "--resume", str(out)]) == 0
    assert "mslite int8: model.int8.ms" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ssd_mobilenet_v2"], "FAMILY and --out: expected both, or --resume DIR"),
        (["--out", "x"], "FAMILY and --out: expected both, or --resume DIR"),
        (["sppnet", "--resume", "x"], "--resume: expected no other argument, got family"),
        (["--resume", "x"], "x: expected a conversion that isn't finished, got none"),
        ([*ARGUMENTS, "--out", "x", "--target", "ascend"], "soc: expected of Ascend310"),
        ([*ARGUMENTS, "--out", "x", "--soc", "Ascend310"], "soc: expected a target for chips"),
        ([*ARGUMENTS, "--out", "x", "--quantize", "int8"], "calibration: expected a folder of pictures"),
        ([*ARGUMENTS, "--out", "x", "--calibration", "nowhere"], "calibration: expected a folder with pictures"),
        (
            [*ARGUMENTS, "--out", "x", "--target", "mindir", "--quantize", "fp16"],
            "mindir: expected a precision of fp32",
        ),
    ],
)
def test_wrong_use(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["convert", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["--sizes", "640"], ["--batch", "1,x"], ["--sizes", "0x5"], ["--quantize", "int4"]]
)
def test_arguments_that_are_none(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["convert", *ARGUMENTS, "--out", "x", *arguments])
    assert stop.value.code == 2
