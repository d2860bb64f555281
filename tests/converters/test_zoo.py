"""The published checkpoints as data, and how one is fetched."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flaky_server import CONTENT, Server, whole

from edgedet.errors import BundleError, SourceError
from edgedet.spec import Source
from edgedet_converters import draft, zoo

RIGHT = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("EDGEDET_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def toy(server: Server, monkeypatch: pytest.MonkeyPatch) -> zoo.Asset:
    """An asset of the local server, in place of the published ones."""
    asset = dataclasses.replace(zoo.find("sppnet"), file="toy.ckpt", url=f"{server.url}/there/toy.ckpt", sha256=RIGHT)
    monkeypatch.setattr(zoo, "assets", lambda: (asset,))
    return asset


def test_there_are_four() -> None:
    assert [asset.family for asset in zoo.assets()] == ["sppnet", "ssd_mobilenet_v2", "ssd_resnet50_fpn", "nas_fpn"]


@pytest.mark.parametrize("asset", zoo.assets(), ids=lambda asset: asset.family)
def test_an_asset_is_told_in_full(asset: zoo.Asset) -> None:
    assert all(dataclasses.asdict(asset).values())
    assert re.fullmatch("[0-9a-f]{64}", asset.sha256)
    assert re.fullmatch(r"[\w.-]+\.ckpt", asset.file)
    assert asset.url.startswith("https://download.mindspore.cn/") and asset.url.endswith(f"/{asset.file}")
    assert asset.evaluation.split(" | ")[-1] in asset.file
    assert datetime.date.fromisoformat(asset.updated).year == 2022
    assert zoo.find(asset.family) is asset and zoo.by_sha256(asset.sha256) is asset


def test_no_two_have_the_same_bytes_or_name() -> None:
    for key in ("sha256", "file", "url"):
        assert len({getattr(asset, key) for asset in zoo.assets()}) == len(zoo.assets())


def test_a_damaged_list_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    entry = dataclasses.asdict(zoo.find("sppnet"))
    del entry["licence"]
    (tmp_path / "data" / "zoo.json").write_text(json.dumps([entry]))
    monkeypatch.setattr(zoo.resources, "files", lambda package: tmp_path)
    with pytest.raises(BundleError, match=r"^zoo\.json: \[0\]\.licence: expected a value, got none"):
        zoo.assets.__wrapped__()


def test_an_unknown_name_is_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^name: expected one of sppnet, .*, nas_fpn, got 'yolo'; see edgedet zoo"):
        zoo.fetch("yolo", tmp_path)
    assert zoo.by_sha256("0" * 64) is None


@pytest.mark.parametrize(
    ("own", "shared", "expected"),
    [
        (None, None, "home/.cache/edgedet"),
        (None, "", "home/.cache/edgedet"),
        (None, "relative", "home/.cache/edgedet"),
        (None, "{}/shared", "shared/edgedet"),
        ("", "{}/shared", "shared/edgedet"),
        ("{}/own", "{}/shared", "own"),
    ],
)
def test_where_assets_are_kept(
    own: str, shared: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("EDGEDET_CACHE", own), ("XDG_CACHE_HOME", shared)):
        if value is not None:
            monkeypatch.setenv(name, value.format(tmp_path))
    assert zoo.cache_folder() == tmp_path / expected


def test_fetches_into_the_cache_once(toy: zoo.Asset, server: Server, tmp_path: Path) -> None:
    for _ in range(2):
        path = zoo.fetch("sppnet")
        assert path == tmp_path / "home" / ".cache" / "edgedet" / "toy.ckpt"
        assert path.read_bytes() == CONTENT
    assert [path for path, _ in server.asked] == ["/there/toy.ckpt"]


@pytest.mark.parametrize("end", ["", "/", "/a/b", "/a/b/"])
def test_fetches_from_a_mirror(toy: zoo.Asset, server: Server, tmp_path: Path, end: str) -> None:
    assert zoo.fetch("sppnet", tmp_path / "new" / "out", mirror=server.url + end) == tmp_path / "new/out/toy.ckpt"
    assert server.asked == [(f"{end.rstrip('/')}/toy.ckpt", None)]


@pytest.mark.parametrize("mirror", ["", "host/x", "ftp://h", "file:///x", "http://", "http://h/?a", "http://h#a"])
def test_a_mirror_that_is_none(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(ValueError, match=r"^mirror: expected an address like "):
        zoo.fetch("sppnet", tmp_path, mirror=mirror)


def test_a_mirror_with_another_file(toy: zoo.Asset, server: Server, tmp_path: Path) -> None:
    server.plan = [whole(b"another")]
    with pytest.raises(SourceError, match=f"another file .* instead of {RIGHT}, 7 bytes"):
        zoo.fetch("sppnet", tmp_path / "out", mirror=server.url)
    assert list((tmp_path / "out").iterdir()) == []


def test_options_get_through(toy: zoo.Asset, server: Server, tmp_path: Path) -> None:
    server.plan = [whole(cut=100), whole(cut=0)]
    done: list[int] = []
    said: list[str] = []
    with pytest.raises(SourceError, match="3 times in a row"):
        zoo.fetch(
            "sppnet",
            tmp_path,
            timeout_s=5,
            retries=2,
            backoff_s=0.001,
            keep_partial=True,
            progress=lambda so_far, total: done.append(so_far),
            notice=said.append,
        )
    assert done[-1] == 100 and len(said) == 2
    assert [path.name for path in tmp_path.iterdir()] == [".toy.ckpt.part"]


def test_a_bundle_tells_the_source_of_a_published_checkpoint(toy: zoo.Asset, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed.ckpt"
    renamed.write_bytes(CONTENT)
    expected = Source("renamed.ckpt", RIGHT, toy.url, toy.evaluation, toy.licence, toy.citation)
    assert draft.source(renamed) == expected
    renamed.write_bytes(CONTENT + b"fine-tuned")
    assert draft.source(renamed) == Source("renamed.ckpt", hashlib.sha256(CONTENT + b"fine-tuned").hexdigest())


def test_needs_no_mindspore() -> None:
    code = "import sys; sys.modules['mindspore'] = None; from edgedet_converters import zoo; print(len(zoo.assets()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "4\n"
