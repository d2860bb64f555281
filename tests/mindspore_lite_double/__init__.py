"""A double of MindSpore Lite's Python package, for the tests and for nothing else, and its model files.

``FOLDER`` holds a package of the real one's name, ``mindspore_lite``: no inference, the same calls with the same
signatures, and the same silence where the real one is silent (version 2.6, and what 2.0 and 2.7 do otherwise). It is
found only where a test puts ``FOLDER`` on the import path.

A model file is that of `mslite_double` (which see for the graphs and most of the behaviours) with a header of its own;
the double of the C library and this one read the same lines. Behaviours that only this one knows:

``report_format N``    inputs claim another format (a number of the library's)
``no_data``            an input does not take its data, and nothing says so
``build_log TEXT``     the build logs that text as an error, and fails

Environment variables: ``MINDSPORE_LITE_DOUBLE_DEVICES`` is how many Ascend devices there are (none);
``MINDSPORE_LITE_DOUBLE_BROKEN`` makes the import fail, as a package built for another NumPy does;
``MINDSPORE_LITE_DOUBLE_RENAMED`` takes ``cpu.thread_num`` away, as another release might.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mslite_double import write_model

FOLDER = Path(__file__).parent
# A MindIR file begins with its version and its producer (fields 1 and 2 of a protobuf message).
HEADER = b"\x0a\x030.1\x12\x09MindSpore".ljust(72, b"\0")


def write_mindir(path: Path, graph: str, *behaviours: str, **options: Any) -> Path:
    """Writes a ``.mindir`` file for the double; the arguments are those of `mslite_double.write_model`."""
    write_model(path, graph, *behaviours, **options)
    path.write_bytes(HEADER + path.read_bytes()[len(HEADER) :])
    return path
