"""Where MindSpore Lite's C library is on this machine, opened once."""

from __future__ import annotations

import importlib.util
import mmap
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from edgedet import _core
from edgedet.errors import RuntimeUnavailable

# As Linux packages call it, and as OpenHarmony does.
NAMES = ("libmindspore-lite.so", "libmindspore_lite_ndk.so")
CURE = "do set EDGEDET_MSLITE_LIBRARY to libmindspore-lite.so of MindSpore Lite's package for this machine"

_opened: dict[str, _core.MsliteLibrary] = {}
_lock = threading.Lock()


def candidates() -> Iterator[str]:
    """Where to look, best first: files that are there, then names for the loader's own search."""
    home = os.environ.get("MSLITE_HOME")
    folders = [Path(home, *parts) for parts in (("runtime", "lib"), ("lib",), ())] if home else []
    for place in _wheel_folders():
        folders += [place / "lib", place]
    for folder in folders:
        yield from (str(folder / name) for name in NAMES if (folder / name).is_file())
    yield from NAMES


def _wheel_folders() -> list[Path]:
    try:
        found = importlib.util.find_spec("mindspore_lite")  # looks, and imports nothing
    except (ImportError, ValueError):
        return []
    return [Path(place) for place in (found.submodule_search_locations if found else None) or ()]


def open_library(path: str | os.PathLike[str] | None = None) -> _core.MsliteLibrary:
    """The library at ``path``, else at ``EDGEDET_MSLITE_LIBRARY``, else the first of `candidates` that can be used.

    Raises:
        RuntimeUnavailable: there is none, or it is not the library.
    """
    named = os.fspath(path) if path is not None else os.environ.get("EDGEDET_MSLITE_LIBRARY")
    why: list[str] = []
    for place in [named] if named else candidates():
        try:
            return _open(place)
        except _core.MsliteError as error:
            # The loader's reasons begin with the file's name.
            why.append(str(error) if place in str(error) else f"{place}: {error}")
    raise RuntimeUnavailable(f"mslite: expected MindSpore Lite's C library, got {'; '.join(why)}; {CURE}")


def _open(place: str) -> _core.MsliteLibrary:
    with _lock:
        if place not in _opened:
            _opened[place] = _core.MsliteLibrary(place)
        return _opened[place]


def version(library: _core.MsliteLibrary) -> str | None:
    """The library's version (``2.6.0``) where its file or its folder tells; its C API can't be asked."""
    try:
        with Path(library.path).open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = re.search(rb"MindSpore Lite (\d{1,3}\.\d{1,3}\.\d{1,3}\w{0,8})", data)
            if found:
                return found.group(1).decode()
    except (OSError, ValueError):
        return None
    in_path = re.search(r"mindspore-lite-(\d{1,3}\.\d{1,3}\.\d{1,3}\w{0,8})", os.path.realpath(library.path))
    return in_path.group(1) if in_path else None
