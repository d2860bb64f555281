"""``edgedet bench``: what it measures, with what it says it was measured, and what it warns of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from bundles import toy_bundle
from toyspp import spp_bundle

import edgedet
from edgedet import _core
from edgedet.bundle import Bundle, sha256
from edgedet.cli import bench, main
from edgedet.model import Model


def measured(capsys: pytest.CaptureFixture[str], *argv: object) -> dict[str, Any]:
    assert main(["bench", *map(str, argv), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def test_json_says_what_was_measured_where(whole_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(capsys, whole_bundle, "--runs", 7, "--threads", 1, "--warm-up", 1)
    assert found["schema"] == bench.SCHEMA == 1
    assert found["edgedet"]["version"] == edgedet.__version__
    assert found["edgedet"]["vector_level"] == _core.build_info()["vector_level"]
    assert found["bundle"] == {"name": "toy", "sha256": sha256(whole_bundle / "model.json")}
    assert (found["task"], found["device"], found["threads"]) == ("detect", "cpu", 1)
    assert found["variant"] == {"target": "onnx", "precision": "fp32", "soc": None}
    assert found["runtime"]["name"] == "onnx" and found["runtime"]["version"][0].isdigit()
    assert found["image"] == {"name": "golden/0.png", "size_wh": [96, 72]}
    assert (found["runs"], found["warm_up"], found["concurrent"]) == (7, 1, 1)
    assert {"board", "cores", "memory", "governor", "throttling"} <= found["machine"].keys()


def test_stages_and_memory_make_sense(whole_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(capsys, whole_bundle, "--seconds", 0.2)
    stages = found["stages"]
    assert list(stages) == ["preprocess", "infer", "postprocess", "total"]
    for stage in stages.values():
        assert 0 < stage["min_s"] <= stage["p50_s"] <= stage["p90_s"] <= stage["p99_s"]
        assert stage["min_s"] <= stage["mean_s"] and stage["per_s"] == pytest.approx(1 / stage["mean_s"])
    parts = sum(stages[name]["mean_s"] for name in list(stages)[:3])
    assert parts <= stages["total"]["mean_s"] and found["runs"] * stages["total"]["mean_s"] <= found["wall_s"]
    assert found["per_s"] == pytest.approx(found["runs"] / found["wall_s"]) and found["wall_s"] >= 0.2
    memory = found["memory"]
    assert (
        0 < memory["before_load_bytes"] <= memory["peak_bytes"] and memory["after_load_bytes"] <= memory["peak_bytes"]
    )


def test_text_for_people(whole_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "p.png"
    cv2.imwrite(str(picture), np.zeros((9, 11, 3), np.uint8))
    argv = ["bench", str(whole_bundle), str(picture), "--runs", "3", "--concurrent", "2", "--threads", "2"]
    assert main(argv) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("toy: detect, onnx fp32 on cpu by onnx ") and "2 threads, 2 callers at once" in lines[0]
    assert lines[1].startswith(f"{picture}, 11×9: 3 calls in ")
    assert [line.split()[0] for line in lines[2:7]] == ["milliseconds", "preprocess", "infer", "postprocess", "total"]
    assert all(len(line.split()) == 7 for line in lines[3:7])
    assert [line.split()[0] for line in lines[7:10]] == ["throughput", "memory", "machine"]
    assert err == "calls (3)\n"


@pytest.mark.parametrize("much", [["--runs", "6"], ["--seconds", "0.05"]])
def test_every_task_of_a_bundle(tmp_path: Path, much: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    folder = spp_bundle(tmp_path)
    assert measured(capsys, folder, *much)["task"] == "classify"
    for task in Bundle.open(folder).spec.tasks:
        if task in edgedet.tasks.TASKS:
            assert measured(capsys, folder, "--task", task, *much)["task"] == task


def test_a_task_of_ones_own_is_rehearsed(
    whole_bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []
    monkeypatch.setattr(Model, "rehearse", lambda self, image: seen.append(self(image)))
    measured(capsys, whole_bundle, "--runs", 3, "--warm-up", 2)
    assert len(seen) == 5 and all(isinstance(found, edgedet.Detections) for found in seen)


def test_without_golden_data_a_scene_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(capsys, toy_bundle(tmp_path, goldens=0), "--runs", 1)
    assert found["image"] == {"name": "a drawn scene", "size_wh": [1280, 720]}


def test_a_machine_that_makes_the_figures_doubtful(
    whole_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in {
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave",
        "sys/devices/platform/soc/soc:firmware/get_throttled": "4",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(bench, "_ROOT", tmp_path)
    found = measured(capsys, whole_bundle, "--runs", 1)
    assert [doubt.split(";")[0] for doubt in found["warnings"]] == [
        "governor: expected performance, got powersave",
        "throttling: expected none, got throttled",
    ]
    assert found["machine"]["governor"] == {"governors": ["powersave"]}
    assert main(["bench", str(whole_bundle), "--runs", "1"]) == 0
    assert capsys.readouterr().out.count("\nwarning: ") == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["none.jpg"], "none.jpg: expected a picture"),
        (["--task", "classify"], "task: expected one of detect, got 'classify'"),
        (["--runtime", "none"], "runtime: expected one of"),
        (["--precision", "int8"], "expected a variant int8, got onnx fp32"),
        (["--device", "ascend"], "onnx runs on cpu"),
    ],
)
def test_wrong_choices_are_2(
    arguments: list[str], text: str, whole_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", str(whole_bundle), *arguments]) == 2
    out, err = capsys.readouterr()
    assert text in err and out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--runs", "0"],
        ["--seconds", "0"],
        ["--seconds", "nan"],
        ["--seconds", "1e9"],
        ["--concurrent", "0"],
        ["--concurrent", "1025"],
        ["--warm-up", "-1"],
        ["--seconds", "1", "--runs", "1"],
    ],
)
def test_wrong_numbers_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["bench", "demo", *arguments])
    assert stop.value.code == 2
    assert f"argument {arguments[-2]}: " in capsys.readouterr().err
