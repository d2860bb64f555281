"""Ascend devices: found, shut, without CANN, of another chip. Boards are folders here."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import edgedet
from edgedet.runtime import _ascend


def board(root: Path, *, soc: str | None = None, mode: int = 0o660) -> Path:
    (root / "dev").mkdir()
    for name in ("davinci0", "davinci10", "davinci2", "davinci_manager"):
        (root / "dev" / name).touch(mode)
    if soc:
        (root / "usr/local/Ascend/nnrt/latest/lib64").mkdir(parents=True)
    return root


def test_no_device_no_permission_no_cann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = _ascend.missing(None, tmp_path)
    assert said and re.match("ascend: expected an Ascend device, got no /dev/davinci0; do ", said)
    board(tmp_path)
    assert [node.name for node in _ascend.device_nodes(tmp_path)] == ["davinci0", "davinci2", "davinci10"]
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "davinci_manager")
    said = _ascend.missing(None, tmp_path)
    assert said and re.search(r"leave to read and write /dev/davinci_manager, got none; do sudo usermod -aG \w+ ", said)
    monkeypatch.undo()
    said = _ascend.missing(None, tmp_path)
    assert said and "expected CANN" in said


@pytest.mark.parametrize(
    ("wanted", "here", "same"),
    [
        ("Ascend310P3", "Ascend310P3", True),
        ("310p", "Ascend310P3", True),
        ("Ascend310", "Ascend310P3", False),
        ("Ascend310", "Ascend310", True),
        ("Ascend310B4", "Ascend310B1", False),
        ("Ascend31", "Ascend310", False),
        ("", "Ascend310", False),
    ],
)
def test_chips(wanted: str, here: str, same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ascend.same_chip(wanted, here) == same
    monkeypatch.setattr(_ascend, "soc_name", lambda root: here)
    said = _ascend.missing(wanted, board(tmp_path, soc=here))
    assert said is None if same or not wanted else said and f"got {here}; do convert it for {here}" in said


def test_the_chips_library_is_asked_in_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board(tmp_path, soc="any")
    library = tmp_path / "usr/local/Ascend/nnrt/latest/lib64/libascendcl.so"
    assert _ascend.soc_name(tmp_path) is None
    library.write_text("no library")
    assert _ascend.soc_name(tmp_path) is None
    source = tmp_path / "soc.c"
    source.write_text('#include <stdio.h>\nconst char *aclrtGetSocName(void) { puts("noise"); return "Ascend310B4"; }')
    made = tmp_path / "made.so"
    subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(made)], check=True)
    _ascend._ask.cache_clear()
    library.write_bytes(made.read_bytes())
    assert _ascend.soc_name(tmp_path) == "Ascend310B4"


def test_auto_passes_over_an_ascend_that_is_not_there(bundle: Path, mindspore_lite: None) -> None:
    from bundles import edit_json

    def change(data: dict[str, Any]) -> None:
        ascend = {**data["variants"][0], "target": "ascend", "runtime": "mslite_wheel", "soc": "Ascend310P3"}
        data["variants"].insert(0, ascend)

    edit_json(bundle, change)
    able, unable = edgedet.Bundle.open(bundle).choices()
    if _ascend.missing("Ascend310P3"):
        assert [choice.runtime.name for choice in able] == ["onnx"]
        assert unable and unable[0].startswith("ascend: expected ")
