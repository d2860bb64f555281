"""docs/families.md is what the families and the recorded figures say, to the letter."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("mindspore", reason="needs the extra [convert]")
from edgedet_converters import family as families

pytestmark = pytest.mark.convert
ROOT = Path(__file__).parents[1]


def test_the_cards_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    from benchmarks.cards import PAGE, page
    from benchmarks.families import RESULTS

    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert sorted(results) == families.names()
    assert PAGE.read_text(encoding="utf-8") == page(results), "do python -m benchmarks.cards"
