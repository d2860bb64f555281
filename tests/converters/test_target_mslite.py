"""``.ms`` from MindSpore Lite's converter: how it is called, and that none of its silent faults passes for success."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import configs
import fake_converter
import numpy as np
import pytest
from ms_writer import write_ms

from edgedet.errors import ConversionError
from edgedet_converters import child, converter_lite, ms_file
from edgedet_converters.targets.mslite import TARGET


@pytest.fixture(autouse=True)
def converter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in on the PATH, and nothing of MindSpore Lite that this machine may have."""
    for name in ("MSLITE_HOME", "EDGEDET_MSLITE_LIBRARY", "FAKE_CONVERTER"):
        monkeypatch.delenv(name, raising=False)
    programs = fake_converter.install(tmp_path / "programs")
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    return programs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An order's folder with the exported graphs of a detector and of SPPNet."""
    work = tmp_path / "order"
    work.mkdir()
    for name in ("model", "trunk", "head"):
        (work / f"{name}.mindir").write_bytes(b"graph of " + name.encode())
    detector = {"Concat-7": [1, 2034, 4], "Concat-9": [1, 2034, 81]}
    fake_converter.write_edges(work, "model", {"image": [1, 3, 320, 320]}, detector)
    fake_converter.write_edges(work, "trunk", {"image": [1, 3, -1, -1]}, {"Conv-4": [1, 256, -1, -1]})
    rows = {"ReLU-1": [64, 8], "ReLU-2": [64, 8], "Dense-3": [64, 10]}
    fake_converter.write_edges(work, "head", {"pooled": [64, 12800]}, rows)
    return work


def convert(folder: Path, precision: str = "fp32", networks=None, **options):
    order, out = configs.order("mslite", precision, networks, **options), folder.parent / "bundle"
    out.mkdir(exist_ok=True)
    TARGET.prepare(order, folder)
    assert TARGET.missing(order, folder) is None
    return TARGET.convert(order, folder, out), out


def test_a_detector(folder: Path) -> None:
    variant, out = convert(folder)
    (file,) = variant.files.values()
    assert (variant.target, variant.runtime, variant.precision) == ("mslite", "mslite", "fp32")
    assert variant.producer == {"mindspore": "2.10.0", "mindspore_lite": "2.6.0"}
    assert file.inputs == {"image": "image"} and file.shapes == {}
    assert file.outputs == {"deltas": "Concat-7", "logits": "Concat-9"}
    assert (out / "model.ms").stat().st_mode & 0o777 != 0o400 and os.access(out / "model.ms", os.W_OK)


def test_free_sizes_are_declared(folder: Path) -> None:
    variant, _ = convert(folder, "fp16", configs.SPP)
    assert [file.file for file in variant.files.values()] == ["trunk.fp16.ms", "head.fp16.ms"]
    assert variant.files["trunk"].shapes == {"image": ((1, 3, None, None),)}
    assert variant.files["head"].shapes == {"pooled": ((None, 12800),)}


def test_calibration_is_written_as_the_converter_reads_it(folder: Path) -> None:
    place = folder / "calibration" / "model" / "image"
    place.mkdir(parents=True)
    tensor = np.arange(1 * 3 * 2 * 4, dtype=np.float32).reshape(1, 3, 2, 4)
    np.save(place / "0000.npy", tensor)
    variant, _ = convert(folder, "int8", pictures=1)
    assert [path.name for path in place.iterdir()] == ["0000.bin"]
    written = np.frombuffer((place / "0000.bin").read_bytes(), np.float32).reshape(1, 2, 4, 3)
    np.testing.assert_array_equal(written, tensor.transpose(0, 2, 3, 1))
    assert variant.precision == "int8" and "calibrate_size=1\n" in (folder / "model.cfg").read_text()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("dropped", r"expected every operation to be kept, got Muls \(multiply by a Tensor\) left out of model\.ms"),
        ("no_file", r"expected the file model\.ms, got none although it reports success"),
        ("empty", r"expected the file model\.ms, got none although it reports success"),
        ("no_marker", "expected 'CONVERT RESULT SUCCESS:0', got none"),
        ("garbage", r"model\.ms: expected a MindSpore Lite model \(identifier MSL2\)"),
        ("fails", "expected exit code 0, got 1; last lines: .*parse model failed"),
        ("crashes", "expected exit code 0, got -6"),
        ("renamed", r"model\.ms: expected tensors for \['deltas', 'logits'\], got \['Concat-9'\]"),
    ],
)
def test_no_fault_passes_for_success(folder: Path, fault: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CONVERTER", fault)
    with pytest.raises(ConversionError, match=message):
        convert(folder)


def test_after_a_fault_the_converter_is_asked_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CONVERTER", "dropped")
    with pytest.raises(ConversionError):
        convert(folder)
    monkeypatch.delenv("FAKE_CONVERTER")
    assert convert(folder)[0].files["model"].file == "model.ms"


def test_a_converter_that_hangs_is_ended_with_its_children(
    folder: Path, converter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CONVERTER", "hangs")
    began = time.monotonic()
    with pytest.raises(ConversionError, match="converter_lite: expected to end within 2 s, got no end"):
        child.run([str(converter / "converter_lite")], folder, folder / "x.log", timeout_s=2)
    assert time.monotonic() - began < 30
    # Whoever still had the log open would be one of its children.
    used = [path for path in Path("/proc").glob("[0-9]*/fd/*") if _target(path) == str(folder / "x.log")]
    assert used == []


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def test_a_program_that_cannot_be_started(folder: Path) -> None:
    with pytest.raises(ConversionError, match="expected a program that runs, got No such file"):
        child.run([str(folder / "none")], folder, folder / "x.log", timeout_s=2)


def test_without_the_converter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(converter_lite, "_package", lambda: None)
    order = configs.order("mslite")
    TARGET.prepare(order, folder)
    assert "do set MSLITE_HOME" in str(TARGET.missing(order, folder))
    with pytest.raises(ConversionError, match="expected MindSpore Lite's converter, got none"):
        TARGET.convert(order, folder, folder)


def test_the_script_does_what_the_target_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = configs.order("mslite")
    TARGET.prepare(order, folder)
    subprocess.run(["sh", str(folder / "convert.sh")], cwd="/", check=True, capture_output=True)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(converter_lite, "_package", lambda: None)
    out = folder.parent / "bundle"
    out.mkdir()
    assert TARGET.missing(order, folder) is None
    assert TARGET.convert(order, folder, out).files["model"].file == "model.ms"


def test_the_script_shows_why_it_failed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TARGET.prepare(configs.order("mslite"), folder)
    monkeypatch.setenv("FAKE_CONVERTER", "fails")
    done = subprocess.run(["sh", str(folder / "convert.sh")], capture_output=True, text=True)
    assert done.returncode == 1 and "parse model failed" in done.stdout


def test_the_home_comes_first_and_brings_its_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "mindspore-lite"
    fake_converter.install(home / "tools" / "converter" / "converter")
    for place in (home / "tools" / "converter" / "lib", home / "runtime" / "lib"):
        place.mkdir(parents=True)
    monkeypatch.setenv("MSLITE_HOME", str(home))
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    tool = converter_lite.find()
    assert tool is not None and tool.command == (str(home / "tools/converter/converter/converter_lite"),)
    assert tool.environment["LD_LIBRARY_PATH"] == f"{home}/tools/converter/lib:{home}/runtime/lib"


def test_the_python_package_is_the_last_resort(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "path" / "mindspore_lite"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(PACKAGE)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    with pytest.raises(ConversionError, match=r"model\.int8\.ms: expected a MindSpore Lite model"):
        convert(folder, "int8")
    assert (folder / "model.log").read_text().splitlines() == [
        "MINDIR_LITE general NHWC False {'common_quant_param': {'quant_type': 'WEIGHT_QUANT', 'bit_num': '8', "
        "'min_quant_weight_size': '0', 'min_quant_weight_channel': '16'}} MINDIR model.mindir model",
        "CONVERT RESULT SUCCESS:0",
    ]


PACKAGE = """
class ModelType:
    MINDIR, MINDIR_LITE = "MINDIR", "MINDIR_LITE"
class FmkType:
    MINDIR = "MINDIR"
class Format:
    NHWC = "NHWC"
class Converter:
    weight_fp16 = False
    def __init__(self):
        self.sections = {}
    def set_config_info(self, section, keys):
        self.sections[section] = keys
    def convert(self, fmk_type, model_file, output_file):
        print(self.save_type, self.optimize, self.input_format, self.weight_fp16, self.sections, fmk_type, model_file,
              output_file)
        with open(output_file + ".ms", "w") as stream:
            stream.write("what the package would write")
"""


@pytest.mark.parametrize("in_subgraph", [False, True])
def test_reading_a_file(tmp_path: Path, in_subgraph: bool) -> None:
    path = write_ms(
        tmp_path / "a.ms",
        [("image", (1, 8, 9, 3), 1)],
        [("a", (1, -1, 4), 0), ("b", (), 0)],
        nodes=5,
        in_subgraph=in_subgraph,
    )
    found = ms_file.read(path)
    assert (found.version, found.nodes) == ("MindSpore Lite 2.6.0", 5)
    assert found.inputs == (ms_file.MsTensor("image", (1, 8, 9, 3), "nhwc"),)
    assert [(tensor.name, tensor.shape) for tensor in found.outputs] == [("a", (1, -1, 4)), ("b", ())]


def test_no_cut_or_changed_file_is_more_than_an_error(tmp_path: Path) -> None:
    whole = write_ms(tmp_path / "a.ms", [("image", (1, 8, 9, 3), 1)], [("a", (1, 4), 0)]).read_bytes()
    rng, broken = np.random.default_rng(0), tmp_path / "broken.ms"
    for trial in range(300):
        data = bytearray(whole[: rng.integers(0, len(whole))] if trial % 2 else whole)
        for place in rng.integers(0, max(len(data), 1), 3) if data and not trial % 2 else ():
            data[place] = rng.integers(0, 256)
        broken.write_bytes(data)
        try:
            ms_file.read(broken)
        except ConversionError as error:
            assert str(error).startswith("broken.ms: expected")
