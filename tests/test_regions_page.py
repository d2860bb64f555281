"""docs/regions.md: its example and its commands are run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
from bundles import sample_image
from toyspp import spp_bundle

from edgedet import proposals
from edgedet.cli import main
from edgedet.views import MAX_PIXELS

PAGE = (Path(__file__).parents[1] / "docs" / "regions.md").read_text(encoding="utf-8")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    spp_bundle(tmp_path / "models" / "sppnet")
    cv2.imwrite(str(tmp_path / "street.jpg"), sample_image(np.random.default_rng(0), (400, 300)))
    (tmp_path / "boxes.json").write_text("[[0, 0, 200, 200]]", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_runs(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(example.replace('"fc2"', '"fc1"'), {})  # the toy has fewer layers
    assert len(capsys.readouterr().out.splitlines()) == 2 and (elsewhere / "named.png").exists()


def test_the_commands_run(elsewhere: Path) -> None:
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(commands) == 2
    for command in commands:
        program, *argv = shlex.split(command)
        assert program == "edgedet" and main(argv) == 0


def test_the_tables_name_what_there_is() -> None:
    assert all(f"| `{name}` |" in PAGE for name in proposals.names())
    assert f"{MAX_PIXELS:,}".replace(",", " ") in PAGE
