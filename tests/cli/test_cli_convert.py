"""``edgedet convert``: how the command line reaches the converter. What the converter does: tests/converters."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import pytest

from edgedet.cli import main
from edgedet.errors import VerificationError
from edgedet_converters import convert as converter
from edgedet_converters import family
from edgedet_converters.exported import Svd


@pytest.fixture
def calls(whole_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stands in for the converter; holds what it was called with."""
    seen: list[dict[str, Any]] = []

    def convert(family: str, checkpoint: Path, out: Path, *, progress: Any, **options: Any) -> Path:
        progress("exporting")
        seen.append({"family": family, "checkpoint": checkpoint, "out": out, **options})
        return whole_bundle

    monkeypatch.setattr(converter, "convert", convert)
    return seen


def test_help_lists_the_families(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["convert", "--help"])
    out = capsys.readouterr().out
    assert all(name in out for name in family.names())


def test_passes_everything_on(calls: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = "--checkpoint a.ckpt --out b --config c.json --labels d.txt --target onnx --golden 1.png 2.png --name n"
    assert main(["convert", "ssd_mobilenet_v2", *arguments.split()]) == 0
    (call,) = calls
    assert (call["family"], call["checkpoint"], call["out"]) == ("ssd_mobilenet_v2", Path("a.ckpt"), Path("b"))
    assert (call["config"], call["labels"], call["name"]) == (Path("c.json"), Path("d.txt"), "n")
    assert call["golden"] == [Path("1.png"), Path("2.png")] and list(call["targets"]) == ["onnx"]
    out, err = capsys.readouterr()
    assert "3: red, green, blue" in out and "s  exporting" in err


def test_json_is_the_new_bundles_info(calls: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "ssd_mobilenet_v2", "--checkpoint", "a.ckpt", "--out", "b", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["labels"] == ["red", "green", "blue"] and err == ""
    assert list(calls[0]["targets"]) == ["onnx"]


def test_other_answers_are_a_no(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(*args: Any, **options: Any) -> Path:
        raise VerificationError("b: expected the checkpoint's own answers, got others\n  table")

    monkeypatch.setattr(converter, "convert", refuse)
    assert main(["convert", "ssd_mobilenet_v2", "--checkpoint", "a.ckpt", "--out", "b"]) == 1
    assert capsys.readouterr().err.endswith("got others\n  table\n")


def test_without_mindspore_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def version(package: str) -> str:
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.metadata, "version", version)
    (tmp_path / "a.ckpt").touch()
    argv = ["convert", "ssd_mobilenet_v2", "--checkpoint", str(tmp_path / "a.ckpt"), "--out", str(tmp_path / "b")]
    assert main(argv) == 2
    assert "pip install 'edgedet[convert]'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["resnet", "--out", "b"], ["sppnet", "--target", "tflite"]])
def test_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["convert", *arguments])
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", None),
        ("--svd-rank 64,32", Svd((64, 32))),
        ("--svd-rank 64,32 --svd-limit 0.9,0.25", Svd((64, 32), 0.9, 0.25)),
    ],
)
def test_compression(calls: list[dict[str, Any]], arguments: str, expected: Svd | None) -> None:
    assert main(["convert", "sppnet", "--checkpoint", "a.ckpt", "--out", "b", *arguments.split()]) == 0
    assert calls[0]["svd"] == expected


def test_a_limit_without_ranks(calls: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "sppnet", "--checkpoint", "a.ckpt", "--out", "b", "--svd-limit", "1,0"]) == 2
    assert "--svd-limit: expected --svd-rank R1,R2 beside it, got none" in capsys.readouterr().err and calls == []


@pytest.mark.parametrize("arguments", ["--svd-rank 0,1", "--svd-rank a", "--svd-limit 0.5", "--svd-limit 0.5,2"])
def test_compression_that_is_no_numbers(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["convert", "sppnet", *arguments.split()])
    assert "error: argument --svd-" in capsys.readouterr().err
