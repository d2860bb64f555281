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

import errno
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from edgedet.camera.result import Result
from edgedet.camera.sinks import values
from edgedet.camera.sinks.base import Sink
from edgedet.errors import SinkError

SCHEMES = ("jsonl",)
GRAMMAR = "  jsonl:PATH, jsonl:-               JSON Lines, one per frame, - for stdout; ?append=yes"
OPTIONS: Mapping[str, Callable[[str], Any]] = {"append": values.yes}


def open(scheme: str, address: str, options: Mapping[str, Any]) -> Sink:
    """See `edgedet.camera.sinks`."""
    return JsonLines(None if address == "-" else values.path(scheme, address), **options)


class JsonLines(Sink):
    """Writes a line of JSON for each result; the module says what is in it."""

    def __init__(self, path: Path | None, *, append: bool = False) -> None:
        """To a file (None: stdout), which is replaced unless ``append``."""
        self.name = f"jsonl:{'-' if path is None else path}"
        self._path, self._append = path, append
        self._file: BinaryIO | None = None
        self._regular = False

    def open(self) -> None:
        """Opens the file; after `close` it goes on where it ended."""
        if self._path is None:
            self._file = sys.stdout.buffer
            return
        try:
            self._file = self._path.open("ab", buffering=0)  # every write at the end, also after a `truncate`
            self._regular = self._path.is_file()  # no pipe, no device
            if self._regular and not self._append:
                self._file.truncate(0)
        except OSError as error:
            raise SinkError(f"{self.name}: expected a file to write, got {error.strerror}; correct the path") from error
        self._append = True

    def write(self, result: Result) -> None:
        """Writes one line, or nothing of it."""
        assert self._file is not None, "open it first"
        line = json.dumps(result.to_dict(), allow_nan=False, default=_plain).encode() + b"\n"
        begin = self._file.tell() if self._regular else 0
        try:
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._file.flush()
        except OSError as error:
            if self._regular:
                self._file.truncate(begin)
            raise SinkError(f"{self.name}: expected room for a line, got {error.strerror}; free some space") from error

    def close(self) -> None:
        """Closes the file."""
        file, self._file = self._file, None
        if file is not None and self._path is not None:
            file.close()


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays, which JSON doesn't know."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"expected something that JSON can hold, got {type(value).__name__}; return dicts and lists")
