"""``video:PATH`` the frames as a video, drawn on.

The file appears under its name when it is whole; before, it is ``.NAME.part.SUFFIX``. It keeps the frames' own time:
the rate is that of the first frames unless ``fps`` says otherwise, and where frames are missing the last one is shown
for longer. Every frame that comes is in it. A frame of another size than the first is fitted into it, with
black borders.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgedet.camera.result import Result
from edgedet.camera.sinks import values
from edgedet.camera.sinks.base import Sink
from edgedet.errors import SinkError

SCHEMES = ("video",)
GRAMMAR = """\
  video:PATH.mp4|avi|mkv|webm       the frames as a video; ?fps=RATE (that of the first frames) draw=yes|no
                                    codec=FOURCC (mp4v, MJPG, VP80, VP90)"""
CODECS = {".mp4": "mp4v", ".mkv": "mp4v", ".avi": "MJPG", ".webm": "VP80"}
OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "fps": values.number(0.1, 240),
    "codec": values.fourcc,
    "draw": values.yes,
}
#: Encoders say nothing when a disk is full; with less than this left the file is finished while that can be done.
ROOM_BYTES = 32 * 2**20
_FIRST = 8  # frames that the rate is told from
_LONGEST_S = 10.0  # a longer gap between frames is shortened to this

Picture = npt.NDArray[np.uint8]


def open(scheme: str, address: str, options: Mapping[str, Any]) -> Sink:
    """See `edgedet.camera.sinks`."""
    return Video(values.path(scheme, address), **options)


class Video(Sink):
    """Encodes the frames into one file; after errors a new one is begun, called ``NAME-2``, ``NAME-3`` and so on."""

    def __init__(self, path: Path, *, fps: float | None = None, codec: str | None = None, draw: bool = True) -> None:
        """Nothing is written yet.

        Args:
            path: the file; its suffix says what kind.
            fps: frames per second; None: as the first frames come.
            codec: its four-letter code; None: the usual one of the kind.
            draw: whether to draw what was found.

        Raises:
            ValueError: no such kind of file.
        """
        if path.suffix not in CODECS:
            raise ValueError(f"video: expected a file *{', *'.join(CODECS)}, got {path.name!r}; choose another suffix")
        self.name = f"video:{path}"
        self._path, self._fps, self._draw = path, fps, draw
        self._codec = codec or CODECS[path.suffix]
        self._files = 0
        self._writer: _Writer | None = None
        self._first: list[tuple[float, Picture]] = []

    def open(self) -> None:
        """Checks that there is a folder and an encoder; the file is begun when the rate is known."""
        if not self._path.parent.is_dir():
            raise SinkError(f"{self.name}: expected a folder {self._path.parent}, got none; make it first")
        self._files += 1
        with _Writer(self._part, self._codec, 25.0, (64, 64), self.name):
            pass
        self._part.unlink(missing_ok=True)

    def write(self, result: Result) -> None:
        """Adds one frame."""
        free = shutil.disk_usage(self._path.parent).free
        if free < ROOM_BYTES:
            raise SinkError(f"{self.name}: expected {ROOM_BYTES >> 20} MB of room, got {free >> 20}; free some space")
        frame = result.frame
        shown_s = frame.captured_s if frame.source_s is None else frame.source_s
        picture = result.draw() if self._draw else result.picture
        if self._writer is not None:
            self._writer.add(shown_s, picture)
        else:
            self._first.append((shown_s, picture))
            if self._fps is not None or len(self._first) == _FIRST:
                self._begin()

    def _begin(self) -> None:
        """Writes the frames that have been held back until the rate was known."""
        first, self._first = self._first, []
        height, width = first[0][1].shape[:2]
        fps = self._fps or _rate([shown_s for shown_s, _ in first])
        self._writer = _Writer(self._part, self._codec, fps, (width, height), self.name)
        for shown_s, picture in first:
            self._writer.add(shown_s, picture)

    def close(self) -> None:
        """Finishes the file and gives it its name."""
        if self._first:
            self._begin()
        writer, self._writer = self._writer, None
        if writer is None:
            return
        writer.close()
        part = self._part
        if not part.is_file() or not part.stat().st_size:
            raise SinkError(f"{self.name}: expected a written video, got none; check the space on the disk")
        part.replace(self._numbered(self._path))

    @property
    def _part(self) -> Path:
        return self._numbered(self._path.with_name(f".{self._path.stem}.part{self._path.suffix}"))

    def _numbered(self, path: Path) -> Path:
        return path if self._files < 2 else path.with_name(f"{path.stem}-{self._files}{path.suffix}")


class _Writer:
    """An encoder with a beat: shows each picture for as long as it takes until the next."""

    def __init__(self, path: Path, codec: str, fps: float, size_wh: tuple[int, int], name: str) -> None:
        self._fps, self._size_wh = fps, size_wh
        self._shown: Picture = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
        self._written = 0
        self._began_s = self._last_s = 0.0
        code = int.from_bytes(codec.encode(), "little")
        self._encoder = cv2.VideoWriter(str(path), code, fps, size_wh)
        if not self._encoder.isOpened():
            raise SinkError(
                f"{name}: expected an encoder for {codec} that can write a file {path.suffix} here, got none; "
                "choose another codec, or check the folder's permissions"
            )

    def add(self, shown_s: float, picture: Picture) -> None:
        """Adds a picture that is shown from ``shown_s`` on; the last one is shown until then."""
        fitted = _fitted(picture, self._size_wh)
        if not self._written:
            self._began_s = shown_s
        elif shown_s < self._last_s or shown_s - self._last_s > _LONGEST_S:  # a loop began again, or a long gap
            self._began_s += shown_s - self._last_s - min(max(shown_s - self._last_s, 0.0), _LONGEST_S)
        self._last_s = shown_s
        due = round((shown_s - self._began_s) * self._fps)
        for _ in range(self._written, due):
            self._encoder.write(self._shown)
            self._written += 1
        self._shown = fitted
        self._encoder.write(fitted)
        self._written += 1

    def close(self) -> None:
        self._encoder.release()

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _rate(times: list[float]) -> float:
    """Frames per second of the first frames; 25 if they can't tell."""
    steps = np.diff(times)
    step = float(np.median(steps)) if len(steps) else 0.0
    return round(min(max(1 / step, 1.0), 120.0), 2) if step > 0 else 25.0


def _fitted(picture: Picture, size_wh: tuple[int, int]) -> Picture:
    """The picture, scaled to fit into the size and centred on black if it has another."""
    height, width = picture.shape[:2]
    if (width, height) == size_wh:
        return picture
    scale = min(size_wh[0] / width, size_wh[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    canvas = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    left, top = (size_wh[0] - inner[0]) // 2, (size_wh[1] - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(picture, inner)
    return canvas
