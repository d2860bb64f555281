"""``csv:PATH`` a table with a row for each thing that was found; ``csv:-`` on stdout.

The columns are ``COLUMNS``, named in the first line. A frame in which nothing was found has no row; boxes are in pixels
of the frame, and empty for a classifier; ``model`` is empty for a sole one. What a model that is not edgedet's gives
has no columns: use ``jsonl``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

from edgedet.camera.result import Result
from edgedet.camera.sinks import values
from edgedet.camera.sinks.base import Sink
from edgedet.camera.sinks.lines import Lines

SCHEMES = ("csv",)
GRAMMAR = "  csv:PATH, csv:-                   a table, one row per thing found, - for stdout; ?append=yes"
OPTIONS: Mapping[str, Callable[[str], Any]] = {"append": values.yes}
COLUMNS = (
    *("captured_at", "source", "index", "source_s", "age_s"),
    *("model", "label", "score", "x1", "y1", "x2", "y2", "class_id"),
)


def open(scheme: str, address: str, options: Mapping[str, Any]) -> Sink:
    """See `edgedet.camera.sinks`."""
    return Csv(scheme, values.path_or_stdout(scheme, address), **options)


class Csv(Lines):
    """Writes a row for each detection; the module says what is in it."""

    def write(self, result: Result) -> None:
        """Writes the rows of one frame, all or none."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
        if self.is_new:
            writer.writeheader()
        facts = result.to_dict()
        for entry in facts.pop("detections"):
            writer.writerow({**facts, **entry, **dict(zip(("x1", "y1", "x2", "y2"), entry.get("box", ())))})
        self.write_text(text.getvalue())
