from __future__ import annotations

import json

from benchmarks import latency


def test_the_page_shows_the_figures_that_were_kept() -> None:
    rows = json.loads(latency.RESULTS.read_text(encoding="utf-8"))
    assert latency.PAGE.read_text(encoding="utf-8") == latency.page(rows)
    for row in rows:
        assert row["limit_ms"] >= row["age_p99_ms"] and row["holds"]
