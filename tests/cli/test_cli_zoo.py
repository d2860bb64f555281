"""``edgedet zoo``, and ``edgedet convert`` without a checkpoint. Downloads as such: tests/converters."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from flaky_server import CONTENT, Server, answering, cut_off, whole

from edgedet.cli import main
from edgedet_converters import convert as converter
from edgedet_converters import zoo

NAMES = ["sppnet", "ssd_mobilenet_v2", "ssd_resnet50_fpn", "nas_fpn"]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("EDGEDET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def toys(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server with toy assets of the published names."""
    right = hashlib.sha256(CONTENT).hexdigest()
    assets = [
        dataclasses.replace(zoo.find(name), file=f"{name}.ckpt", url=f"{server.url}/{name}.ckpt", sha256=right)
        for name in NAMES
    ]
    monkeypatch.setattr(zoo, "assets", lambda: tuple(assets))
    return server


def test_list_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "list"]) == 0
    out, err = capsys.readouterr()
    title, *rows = out.splitlines()
    assert title.split("  ")[0] == "NAME" and err == ""
    assert [row.split()[0] for row in rows] == NAMES
    for row, asset in zip(rows, zoo.assets()):
        for column, value in (("DATA SET", asset.dataset), ("METRIC", asset.evaluation)):
            assert row[title.index(column) :].startswith(value)


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == [dataclasses.asdict(asset) for asset in zoo.assets()]


@pytest.mark.parametrize("name", NAMES)
def test_show_tells_everything(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "show", name]) == 0
    out = capsys.readouterr().out
    asset = dataclasses.asdict(zoo.find(name))
    assert len(out.splitlines()) == len(asset)
    assert all(any(line.endswith(f"  {value}") for line in out.splitlines()) for value in asset.values())
    assert main(["zoo", "show", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == asset


@pytest.mark.parametrize("action", ["show", "fetch"])
def test_an_unknown_name(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", action, "yolo"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("edgedet zoo: name: expected one of sppnet, ") and "'yolo'" in err


@pytest.mark.parametrize("arguments", [[], ["find"], ["show"], ["fetch"], ["fetch", "sppnet", "--mirr", "x"]])
def test_wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["zoo", *arguments])
    assert stop.value.code == 2


@pytest.mark.parametrize("action", ["list", "show", "fetch"])
def test_every_action_has_a_help_with_an_example(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["zoo", action, "--help"])
    assert stop.value.code == 0
    assert f"  edgedet zoo {action}" in capsys.readouterr().out.split("example:")[1]


def test_fetch_prints_the_path_alone(toys: Server, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = cache / "sppnet.ckpt"
    assert main(["zoo", "fetch", "sppnet"]) == 0
    assert path.read_bytes() == CONTENT
    assert capsys.readouterr() == (f"{path}\n", "downloading sppnet.ckpt (0.3 MB)\n")
    assert main(["zoo", "fetch", "sppnet"]) == 0  # it is there
    assert capsys.readouterr() == (f"{path}\n", "")
    assert len(toys.asked) == 1


def test_fetch_from_a_mirror_to_a_folder(toys: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "fetch", "nas_fpn", "--mirror", f"{toys.url}/m", "--out", str(tmp_path / "o")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'o' / 'nas_fpn.ckpt'}\n"
    assert toys.asked == [("/m/nas_fpn.ckpt", None)]


def test_fetch_says_what_went_wrong(toys: Server, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toys.plan = [whole(b"another")]
    assert main(["zoo", "fetch", "sppnet"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"edgedet zoo: {toys.url}/sppnet.ckpt: expected the published file, got another file" in err
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(("option", "left"), [([], []), (["--keep-partial"], [".sppnet.ckpt.part"])])
def test_fetch_keeps_a_part_if_told_to(
    toys: Server, cache: Path, option: list[str], left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    toys.plan = [cut_off(1000), answering(404)]
    assert main(["zoo", "fetch", "sppnet", *option]) == 2
    assert [path.name for path in cache.iterdir()] == left
    assert waits == [0.5]


@pytest.fixture
def converted(whole_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Stands in for the converter; holds the checkpoints that it was given."""
    seen: list[Any] = []

    def convert(family: str, checkpoint: Path, out: Path, **options: Any) -> Path:
        seen.append(checkpoint)
        return whole_bundle

    monkeypatch.setattr(converter, "convert", convert)
    monkeypatch.setattr(converter.importlib.metadata, "version", lambda package: "1")
    return seen


def test_convert_fetches_the_published_checkpoint(
    toys: Server, tmp_path: Path, cache: Path, converted: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", "ssd_mobilenet_v2", "--out", str(tmp_path / "out"), "--json"]) == 0
    assert converted == [cache / "ssd_mobilenet_v2.ckpt"]
    assert converted[0].read_bytes() == CONTENT
    out, err = capsys.readouterr()
    assert json.loads(out) and err == ""


def test_convert_fetches_nothing_that_it_is_given(toys: Server, tmp_path: Path, converted: list[Any]) -> None:
    assert main(["convert", "ssd_mobilenet_v2", "--out", str(tmp_path / "out"), "--checkpoint", "own.ckpt"]) == 0
    assert converted == [Path("own.ckpt")] and toys.asked == []


@pytest.mark.parametrize("options", [["--config", "c.json"], ["--labels", "l.txt"]])
def test_a_tuned_model_brings_its_own_checkpoint(
    toys: Server, tmp_path: Path, options: list[str], converted: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", "ssd_mobilenet_v2", "--out", str(tmp_path / "out"), *options]) == 2
    assert f"--checkpoint: expected the file that goes with {options[0]}, got none" in capsys.readouterr().err
    assert converted == [] and toys.asked == []


def test_nothing_is_fetched_for_a_conversion_that_cannot_begin(
    toys: Server, tmp_path: Path, converted: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", "ssd_mobilenet_v2", "--out", str(tmp_path)]) == 2
    assert "expected a folder that doesn't exist yet" in capsys.readouterr().err
    assert converted == [] and toys.asked == []
