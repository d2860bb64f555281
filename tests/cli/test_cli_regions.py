"""``edgedet regions``: boxes from a file or a proposer, what is printed and drawn, and the mistakes people make."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from bundles import sample_image
from toyspp import LABELS, spp_bundle

import edgedet
from edgedet import proposals
from edgedet.cli import main

BOXES = [[0, 0, 80, 60], [10, 12, 50, 50], [60, 5, 78, 58]]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spp_bundle(tmp_path_factory.mktemp("bundles") / "toyspp")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "street.png"
    cv2.imwrite(str(path), sample_image(np.random.default_rng(1), (80, 60)))
    return path


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(BOXES), encoding="utf-8")
    return path


def entry_of(capsys: pytest.CaptureFixture[str]) -> dict:
    (entry,) = json.loads(capsys.readouterr().out)["pictures"]
    return entry


def test_boxes_of_a_file(toy: Path, picture: Path, boxes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["regions", str(toy), str(picture), "--boxes", str(boxes), "--json"]
    assert main([*argv, "--score-threshold", "0.3", "--top-k", "2"]) == 0
    entry = entry_of(capsys)
    with edgedet.load(toy, task="regions") as model:
        wanted = model(cv2.imread(str(picture)), BOXES)
    assert entry["scores"] == wanted.to_dicts(top_k=2) and entry["regions"] == 3
    assert entry["detections"] == wanted.to_detections(score_threshold=0.3).to_dicts()
    assert main([*argv, "--score-threshold", "1"]) == 0
    entry = entry_of(capsys)
    assert entry["detections"] == [] and "scores" not in entry


@pytest.mark.parametrize(
    "options", [["--shorter-side", "30"], ["--scales", "24,60"], ["--scales", "paper"], ["--flip"]]
)
def test_options_are_those_of_the_model(
    toy: Path, picture: Path, boxes: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["regions", str(toy), str(picture), "--boxes", str(boxes), "--json", "--top-k", "4", *options]) == 0
    values = {"--shorter-side": {"shorter_side": 30}, "--flip": {"flip": True}}
    scales = {"scales": "paper" if options[-1] == "paper" else [24, 60]}
    with edgedet.load(toy, task="regions") as model:
        wanted = model(cv2.imread(str(picture)), BOXES, **values.get(options[0], scales))
        usual = model(cv2.imread(str(picture)), BOXES)
    found = entry_of(capsys)["scores"]
    assert found == wanted.to_dicts(top_k=4) and found != usual.to_dicts(top_k=4)


def test_proposals_by_name(
    toy: Path, whole_bundle: Path, picture: Path, boxes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = cv2.imread(str(picture))
    for text in ("sliding:30", f"file:{boxes}", f"detector:{whole_bundle}"):
        assert main(["regions", str(toy), str(picture), "--proposals", text, "--json", "--top-k", "1"]) == 0
        entry = entry_of(capsys)
        assert [one["box"] for one in entry["scores"]] == proposals.make(text)(image).tolist()


def test_text_and_picture(
    toy: Path, picture: Path, boxes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["regions", str(toy), str(picture), "--boxes", str(boxes), "--score-threshold", "0.3"]
    assert main([*argv, "--out", str(tmp_path / "out"), "--max-detections", "2", "--iou-threshold", "1"]) == 0
    first, *things = capsys.readouterr().out.splitlines()
    drawn = tmp_path / "out" / "street-detected.png"
    assert first.startswith(f"{picture}: 2 named of 3 regions, in ") and first.endswith(f"drawn in {drawn}")
    assert len(things) == 2 and all(thing.split()[0] in LABELS for thing in things)
    assert (cv2.imread(str(drawn)) != cv2.imread(str(picture))).any()
    assert main([*argv, "--top-k", "3"]) == 0
    _, *regions = capsys.readouterr().out.splitlines()
    assert len(regions) == 3 and all(line.count(",") == 2 for line in regions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "one of the arguments --boxes --proposals is required"),
        (["--boxes", "a.json", "--proposals", "sliding"], "not allowed with argument"),
        (["--proposals", "sliding", "--scales", "480", "--shorter-side", "480"], "not allowed with argument"),
        (["--proposals", "sliding", "--scales", "480,"], "expected a whole number from 1"),
        (["--proposals", "sliding", "--top-k", "0"], "expected a whole number from 1"),
    ],
)
def test_wrong_use(
    toy: Path, picture: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["regions", str(toy), str(picture), *options])
    assert stop.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--boxes", "none.json"], "none.json: expected a file of boxes, got No such file"),
        (["--proposals", "slide"], "proposals: expected one of detector, "),
        (["--proposals", "detector:nowhere"], "expected a bundle"),
    ],
)
def test_no_regions_to_be_had(
    toy: Path, picture: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["regions", str(toy), str(picture), *options]) == 2
    assert message in capsys.readouterr().err


def test_a_bundle_without_regions(
    whole_bundle: Path, picture: Path, boxes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["regions", str(whole_bundle), str(picture), "--boxes", str(boxes)]) == 2
    assert "task: expected one of detect, got 'regions'" in capsys.readouterr().err


def test_a_picture_that_the_proposer_refuses_is_passed_over(
    toy: Path, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = tmp_path / "large.png"
    cv2.imwrite(str(large), np.zeros((2000, 2000, 3), np.uint8))
    assert main(["regions", str(toy), str(large), str(picture), "--proposals", "sliding:2"]) == 1
    out, err = capsys.readouterr()
    assert "large.png: smallest: expected up to 1000000 windows" in err and "street.png: " in out


def test_the_help_names_the_proposers(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["regions", "--help"])
    out = capsys.readouterr().out
    assert all(f"  {name}" in out.split("proposals:")[-1] for name in proposals.names())
