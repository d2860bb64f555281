"""``jsonl:PATH`` one JSON document per line and frame; ``jsonl:-`` on stdout.

=============== =====================================================================================================
``source``      the source's name, without any password
``index``       the frame's number in its source, from 0
``captured_at`` when it was captured, ISO 8601, UTC, milliseconds
``source_s``    the stream's own time in seconds, or null
``image_wh``    [width, height] of the frame in pixels
``age_s``       seconds from the capture to the result
``times_s``     seconds of the stages: ``capture``, ``queue``, ``preprocess``, ``infer``, ``postprocess``
``drops``       frames of this source that were dropped until now, by reason
``detections``  what was found, the best first: ``label``, ``score``, ``box`` [x1, y1, x2, y2] in pixels (not for a
                classifier), ``class_id``; and ``model`` if there are several. Of a model that is not edgedet's:
                ``value``, whatever it gave
=============== =====================================================================================================

A line is written and flushed as a whole, so that a reader never waits for the rest of one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from edgedet.camera.result import Result
from edgedet.camera.sinks import values
from edgedet.camera.sinks.base import Sink
from edgedet.camera.sinks.lines import Lines

SCHEMES = ("jsonl",)
GRAMMAR = "  jsonl:PATH, jsonl:-               JSON Lines, one per frame, - for stdout; ?append=yes"
OPTIONS: Mapping[str, Callable[[str], Any]] = {"append": values.yes}


def open(scheme: str, address: str, options: Mapping[str, Any]) -> Sink:
    """See `edgedet.camera.sinks`."""
    return JsonLines(scheme, values.path_or_stdout(scheme, address), **options)


class JsonLines(Lines):
    """Writes a line of JSON for each result; the module says what is in it."""

    def write(self, result: Result) -> None:
        """Writes one line, or nothing of it."""
        self.write_text(json.dumps(result.to_dict(), allow_nan=False, default=plain) + "\n")


def plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's, for `json.dumps`."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"expected something that JSON can hold, got {type(value).__name__}; return dicts and lists")
