"""docs/benchmarks.md and the README's table are what the recorded figures say, to the letter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import pages, plot


def test_the_page_is_up_to_date() -> None:
    assert pages.PAGE.read_text(encoding="utf-8") == pages.page(), "do python -m benchmarks.pages"


def test_the_readme_is_up_to_date() -> None:
    text = pages.README.read_text(encoding="utf-8")
    assert pages.MARKED.search(text)
    assert text == pages.readme(text), "do python -m benchmarks.pages"


def test_every_program_in_the_plot_has_a_style() -> None:
    panels = json.loads((pages.RESULTS / "growth.json").read_text(encoding="utf-8"))["panels"]
    assert {name for panel in panels.values() for name in panel["lines"]} <= plot.STYLES.keys()
    assert plot.IMAGE.is_file()


def test_the_plot_has_every_panel(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra [bench]")
    data = json.loads((pages.RESULTS / "growth.json").read_text(encoding="utf-8"))
    plot.draw(data, tmp_path / "growth.svg")
    drawn = (tmp_path / "growth.svg").read_text(encoding="utf-8")
    assert all(title in drawn for title in data["panels"])
    assert data["machine"] in drawn
