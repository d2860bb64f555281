"""``edgedet info`` and ``edgedet verify``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgedet.bundle import Bundle, sha256
from edgedet.cli import main


def test_info_says_what_would_run(whole_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(whole_bundle)]) == 0
    out = capsys.readouterr().out
    for text in ("detect", "64×48 rgb, stretch", "3: red, green, blue", "onnx fp32 on cpu", "model.onnx", "toy.ckpt"):
        assert text in out


def test_info_as_json(whole_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(whole_bundle), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    spec = Bundle.open(whole_bundle).spec
    assert found["labels"] == list(spec.labels) and found["head"]["type"] == "anchors"
    assert found["variants"][0]["files"] == {"model.onnx": (whole_bundle / "model.onnx").stat().st_size}
    assert found["would_run"] == [{"target": "onnx", "precision": "fp32", "device": "cpu"}]
    assert found["source"]["sha256"] == spec.source.sha256


def test_info_says_why_nothing_runs(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = bundle / "model.json"
    path.write_text(path.read_text().replace('"target": "onnx"', '"target": "other"'))
    assert main(["info", str(bundle)]) == 0
    out = capsys.readouterr().out
    assert "none of the variants" in out and "not here" in out


def test_info_shortens_long_label_lists(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads((bundle / "model.json").read_text())
    data["labels"] = [f"thing{i}" for i in range(80)]
    (bundle / "model.json").write_text(json.dumps(data))
    assert main(["info", str(bundle)]) == 0
    out = capsys.readouterr().out
    assert "80: thing0, " in out and "and 68 more" in out and "thing79" not in out


def test_verify_passes(whole_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(whole_bundle)]) == 0
    out, err = capsys.readouterr()
    assert "passed" in out and "golden inputs" in err


def test_verify_says_no_with_1(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golden = Bundle.open(bundle).spec.golden[0].expected
    path = bundle / golden.file
    with np.load(path) as arrays:
        moved = dict(arrays)
    moved["boxes"] = moved["boxes"] + np.float32(30)
    np.savez(path, **moved)  # type: ignore[arg-type]
    model_json = bundle / "model.json"
    model_json.write_text(model_json.read_text().replace(golden.sha256, sha256(path)))
    assert main(["verify", str(bundle), "--json"]) == 1
    out, err = capsys.readouterr()
    verdict = json.loads(out)
    assert verdict["passed"] is False and verdict["reasons"] and err == ""


def test_verify_of_a_damaged_bundle_is_2(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (bundle / "model.onnx").open("ab") as stream:
        stream.write(b"x")
    assert main(["verify", str(bundle)]) == 2
    assert "model.onnx: expected sha256" in capsys.readouterr().err
