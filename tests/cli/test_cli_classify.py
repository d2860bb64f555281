"""``edgedet classify``: what it prints and passes over; what it shares with ``detect`` is tested there."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from bundles import sample_image
from toyspp import LABELS, spp_bundle

import edgedet
from edgedet.cli import main


@pytest.fixture
def spp(tmp_path: Path) -> Path:
    return spp_bundle(tmp_path / "toyspp")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index, name in enumerate(("a.png", "b.png")):
        cv2.imwrite(str(folder / name), sample_image(np.random.default_rng(index), (80, 60)))
    return folder


def test_prints_what_the_model_says(spp: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", str(spp), str(pictures), "--top-k", "2", "--json"]) == 0
    out, err = capsys.readouterr()
    entries = json.loads(out)["pictures"]
    with edgedet.load(spp, task="classify") as model:
        wanted = [model(cv2.imread(str(path)), top_k=2).to_dicts() for path in sorted(pictures.iterdir())]
    assert [entry["classes"] for entry in entries] == wanted and err == ""
    assert entries[0]["picture"] == str(pictures / "a.png") and entries[0]["size_wh"] == [80, 60]
    assert set(entries[0]["seconds"]) == {"preprocess", "infer", "postprocess"}


def test_text_has_a_line_for_each_class(spp: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", str(spp), str(pictures / "a.png")]) == 0
    first, *rows = capsys.readouterr().out.splitlines()
    names, scores = zip(*(row.split() for row in rows))
    assert sorted(names) == sorted(LABELS) and list(scores) == sorted(scores, reverse=True)
    assert first.startswith(f"{pictures / 'a.png'}: {names[0]}, in ")


def test_passes_over_what_is_no_picture(spp: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pictures / "c.png").write_text("no picture")
    assert main(["classify", str(spp), str(pictures), "--json"]) == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert len(found["pictures"]) == 2 and len(found["failed"]) == 1
    assert err.startswith("edgedet classify: ") and "c.png" in err


def test_a_detectors_bundle_is_refused(whole_bundle: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", str(whole_bundle), str(pictures)]) == 2
    assert "task: expected one of detect, got 'classify'" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5"])
def test_wrong_numbers_are_refused(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["classify", "demo", "x.png", "--top-k", value])
    assert stop.value.code == 2
    assert "argument --top-k: expected a whole number from 1" in capsys.readouterr().err


def test_info_and_verify_know_the_bundle(spp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(spp)]) == 0
    said = capsys.readouterr().out
    assert "classify, regions" in said and "trunk.onnx" in said and "head.onnx" in said
    assert "32×24 rgb, stretch to 44×33, centre crop" in said
    assert main(["verify", str(spp)]) == 0
    assert "top 4 identical" in capsys.readouterr().out
