"""Repeats what failed in the package ``mindspore_lite`` in a process of its own, to read what its library logs.

The package raises ``predict failed!`` and no reason; the reason goes to the process's stderr, which here is a child's.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from edgedet.errors import RuntimeUnavailable
from edgedet.runtime import _wheel_package
from edgedet.runtime._mslite_probe import LOG_BYTES, REFUSED, Verdict, log_by_line, run_child
from edgedet.runtime._wheel_model import Options, WheelError, WheelModel
from edgedet.runtime.base import Array

_CODE = """
import json, sys
order = json.load(sys.stdin)
sys.path[:] = order["path"]
from edgedet.runtime import _wheel_probe
_wheel_probe.child(order)
"""


def probe(path: Path, options: Options, feed: Mapping[str, Array] | None = None) -> Verdict:
    """Builds the network and runs it once: on the feed or, when its sizes are known, on zeros."""
    order: dict[str, Any] = {"model": os.fsencode(path).hex(), "options": asdict(options), "feed": None}
    with tempfile.TemporaryDirectory(prefix="edgedet-") as folder:
        if feed is not None:
            order["feed"] = str(Path(folder, "feed.npz"))
            np.savez(order["feed"], *feed.values())
        return run_child(["-c", _CODE], order)


def child(order: dict[str, Any]) -> None:
    """What the child does; never comes back."""
    _limit()
    log_by_line()
    sys.stdout = sys.stderr
    try:
        lite, _ = _wheel_package.load()
        model = WheelModel(lite, Path(os.fsdecode(bytes.fromhex(order["model"]))), Options(**order["options"]))
        _run(model, order["feed"])
    except (WheelError, RuntimeUnavailable, OSError) as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        _end(REFUSED)
    _end(0)


def _run(model: WheelModel, feed: str | None) -> None:
    if feed is not None:
        with np.load(feed, allow_pickle=False) as arrays:
            values = [arrays[name] for name in arrays.files]
    elif all(size is not None for info in model.inputs for size in info.shape):
        values = [np.zeros([size or 0 for size in info.shape], info.dtype) for info in model.inputs]
    else:
        return
    for buffer, value in zip(model.bind([value.shape for value in values]), values):
        np.copyto(buffer, value)
    model.predict()


def _end(code: int) -> None:
    sys.stderr.flush()
    os._exit(code)  # the library's own exit handlers are no part of the question


def _limit() -> None:
    """The log's size; not the memory's, of whose addresses an Ascend driver takes a terabyte."""
    import resource

    for kind, most in ((resource.RLIMIT_FSIZE, LOG_BYTES), (resource.RLIMIT_CORE, 0)):
        allowed = resource.getrlimit(kind)[1]
        value = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(kind, (value, value))
