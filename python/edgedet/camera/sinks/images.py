"""``images:FOLDER`` a picture file for each frame, drawn on; old ones make room for new ones.

A picture is called ``TIME-SOURCE-INDEX.jpg`` (UTC, to the millisecond), so that names sort by time. It appears under
its name when it is whole. Only files of such names are counted and deleted, also those of earlier runs.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import cv2

from edgedet.camera.result import Result
from edgedet.camera.sinks import values
from edgedet.camera.sinks.base import Sink
from edgedet.errors import SinkError

SCHEMES = ("images",)
GRAMMAR = """\
  images:FOLDER                     a picture per frame; ?limit=1000 (newest pictures kept) mb=500 (megabytes kept)
                                    only=found|all  draw=yes|no  format=jpg|png  quality=1..100 (of JPEG)"""
OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "limit": values.whole(1, 10**7),
    "mb": values.number(1, 1e7),
    "only": values.one_of("all", "found"),
    "draw": values.yes,
    "format": values.one_of("jpg", "png"),
    "quality": values.whole(1, 100),
}
_NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[\w.-]+-\d{8,}\.(jpg|png)")


def open(scheme: str, address: str, options: Mapping[str, Any]) -> Sink:
    """See `edgedet.camera.sinks`."""
    return Images(values.path(scheme, address), **options)


class Images(Sink):
    """Keeps the newest pictures in a folder."""

    def __init__(
        self,
        folder: Path,
        *,
        limit: int = 1000,
        mb: float = 500.0,
        only: str = "all",
        draw: bool = True,
        format: str = "jpg",
        quality: int = 90,
    ) -> None:
        """Nothing is written yet.

        Args:
            folder: where to; made if need be.
            limit: how many pictures are kept.
            mb: how many megabytes of them.
            only: ``found``: only frames in which something was found.
            draw: whether to draw what was found.
            format: ``jpg`` or ``png``.
            quality: of JPEG, 1 to 100.
        """
        self.name = f"images:{folder}"
        self._folder, self._limit, self._bytes = folder, limit, mb * 1e6
        self._only, self._draw, self._suffix = only, draw, f".{format}"
        self._parameters = [cv2.IMWRITE_JPEG_QUALITY, quality] if format == "jpg" else []
        self._kept: deque[tuple[Path, int]] = deque()
        self._total = 0

    def open(self) -> None:
        """Makes the folder, and counts what is there."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            old = sorted(path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))
            self._kept = deque((path, path.stat().st_size) for path in old)
        except OSError as error:
            raise SinkError(f"{self.name}: expected a folder, got {error.strerror}; correct the path") from error
        self._total = sum(size for _, size in self._kept)

    def write(self, result: Result) -> None:
        """Writes a picture, and deletes the oldest if there are too many."""
        if self._only == "found" and not any(_is_something(output) for output in result.outputs.values()):
            return
        ok, data = cv2.imencode(self._suffix, result.draw() if self._draw else result.picture, self._parameters)
        if not ok:
            raise SinkError(f"{self.name}: expected an encoder for {self._suffix}, got none; install opencv-python")
        self._save(self._folder / (_stem(result) + self._suffix), data.tobytes())

    def _save(self, path: Path, data: bytes) -> None:
        part = path.with_name(f".{path.name}.part")
        try:
            # First make room, so that a disk as large as the limit is large enough.
            while self._kept and (len(self._kept) >= self._limit or self._total + len(data) > self._bytes):
                old, size = self._kept.popleft()
                self._total -= size
                old.unlink(missing_ok=True)
            part.write_bytes(data)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise SinkError(
                f"{self.name}: expected room for a picture, got {error.strerror}; free some space"
            ) from error
        self._kept.append((path, len(data)))
        self._total += len(data)


def _is_something(output: Any) -> bool:
    return bool(len(output)) if hasattr(output, "__len__") else output is not None


def _stem(result: Result) -> str:
    """Time, source and index as a file's name."""
    time = datetime.fromtimestamp(result.captured_at, timezone.utc)
    source = re.sub(r"[^\w.-]+", "_", result.frame.source, flags=re.ASCII).strip("_.")[-60:] or "frame"
    return f"{time:%Y%m%dT%H%M%S}.{time.microsecond // 1000:03d}Z-{source}-{result.frame.index:08d}"
