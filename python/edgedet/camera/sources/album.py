"""Pictures in a folder, one after the other, and those that are yet to come."""

from __future__ import annotations

import glob
import re
import threading
import time
from pathlib import Path
from typing import Optional

from edgedet.camera.sources import picture
from edgedet.camera.sources.base import Shot
from edgedet.camera.sources.options import Options
from edgedet.errors import EndOfStream, SourceError, SourceTimeout

_POLL_S = 0.05


def natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """A sorting key that puts ``shot9`` before ``shot10``."""
    parts = re.findall(r"(\d{1,18})|(\D+)", path.name)
    return [(int(digits), "") if digits else (-1, text.lower()) for digits, text in parts], str(path)


class AlbumDevice:
    """A picture, a folder of pictures or a glob, in natural order.

    One that is damaged is counted and passed over. A watched one may still be on its way: when it has changed it is
    looked at again.
    """

    size_wh: Optional[tuple[int, int]] = None

    def __init__(self, path: Path, options: Options, name: str) -> None:
        self.rate: Optional[float] = options.rate
        self._path = path
        self._options = options
        self._name = name
        self._seen: set[Path] = set()
        self._damaged: dict[Path, int] = {}  # when each was last changed
        self._given = 0
        self._interrupted = threading.Event()
        self._waiting = self._find()
        if not self._waiting and not options.watch:
            got = "no such file" if not path.is_dir() else "a folder without any"
            raise SourceError(f"{name}: expected pictures, got {got}; correct the path")

    @property
    def damaged(self) -> int:
        """See `Device.damaged`."""
        return len(self._damaged)

    def _find(self) -> list[Path]:
        """Pictures to look at, the first in order last."""
        if self._path.is_dir():
            found = [item for item in self._path.iterdir() if item.suffix.lower() in picture.SUFFIXES]
        elif self._path.exists():
            found = [self._path]
        else:
            matches = glob.glob(str(self._path), recursive=True)  # noqa: PTH207  pathlib's would match hidden files too
            found = [path for path in map(Path, matches) if path.suffix.lower() in picture.SUFFIXES]
        self._seen.intersection_update(found)
        return sorted(
            (path for path in found if path not in self._seen and self._is_new(path)), key=natural, reverse=True
        )

    def _is_new(self, path: Path) -> bool:
        return path.is_file() and self._damaged.get(path) != path.stat().st_mtime_ns

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`."""
        until = time.monotonic() + timeout_s
        while True:
            while self._waiting:
                shot = self._decoded(self._waiting.pop())
                if shot is not None:
                    return shot
            if not self._options.watch:
                self._begin_again()
                continue
            if self._interrupted.is_set():
                raise EndOfStream
            left = until - time.monotonic()
            if left <= 0:
                raise SourceTimeout(
                    f"{self._name}: expected a new picture within {timeout_s:g} s, got none; read again to wait longer"
                )
            began = time.monotonic()
            self._waiting = self._find()
            # A large folder takes long to go through: never more than a tenth of the time.
            self._interrupted.wait(0 if self._waiting else min(left, max(_POLL_S, 10 * (time.monotonic() - began))))

    def _begin_again(self) -> None:
        if not self._given:
            raise SourceError(
                f"{self._name}: expected pictures, got none that can be read, {self.damaged} damaged; copy them again"
            )
        if not self._options.loop:
            raise EndOfStream
        self._seen.clear()
        self._given = 0
        self._waiting = self._find()

    def _decoded(self, path: Path) -> Optional[Shot]:
        """The picture; None if it can't be read."""
        changed = 0
        try:
            status = path.stat()
            changed = status.st_mtime_ns
            if status.st_size > picture.MAX_BYTES:
                raise SourceError(f"{path}: expected up to {picture.MAX_BYTES} bytes, got {status.st_size}; shrink it")
            image = picture.decode(path.read_bytes(), str(path))
        except OSError:
            self._damaged[path] = changed
            return None
        self._damaged.pop(path, None)
        self._seen.add(path)
        self._given += 1
        source_s = (self._given - 1) / self.rate if self.rate else None
        return Shot(image, time.monotonic(), source_s)

    def interrupt(self) -> None:
        """See `Device.interrupt`."""
        self._interrupted.set()

    def close(self) -> None:
        """See `Device.close`."""
