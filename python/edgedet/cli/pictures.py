"""Picture files: found by name, read without noise, written without loss of anything that was there."""

from __future__ import annotations

import glob
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgedet.camera.sources.picture import SUFFIXES, is_cut
from edgedet.errors import SourceError

Image = npt.NDArray[np.uint8]
# What libjpeg and OpenCV say of a file that they fill up with grey; other complaints (a colour profile) are harmless.
_DAMAGED = re.compile(r"premature end|\[ERROR", re.IGNORECASE)


def find(names: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The files that the names of files, folders and globs stand for.

    Returns:
        The files in order, each once, and a sentence for each name that stands for none.
    """
    files: dict[Path, None] = {}
    problems = []
    for name in names:
        try:
            files.update(dict.fromkeys(_expand(name)))
        except OSError as error:
            problems.append(str(error) if isinstance(error, SourceError) else f"{name}: {error.strerror}")
    return list(files), problems


def _expand(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        found = sorted(item for item in path.iterdir() if item.suffix.lower() in SUFFIXES and item.is_file())
        if not found:
            raise SourceError(f"{name}: expected a folder with pictures, got none in it; name the folder that has them")
        return found
    if path.is_file():
        return [path]
    matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207  pathlib's would match hidden files too
    if not matches or matches == [name]:
        raise SourceError(f"{name}: expected a picture, a folder or a glob, got no such file; correct the path")
    return [file for match in matches for file in _expand(match)]


def read(path: Path) -> Image:
    """The (H, W, 3) uint8 BGR picture in a file, turned as its EXIF data says.

    Raises:
        SourceError: the file can't be read, or is no whole picture.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: expected a picture, got {error.strerror}; correct the permissions") from error
    image = None
    with caught_stderr() as noise, suppress(cv2.error):  # OpenCV's error: more pixels than it takes
        # It takes an empty buffer for a programmer's mistake.
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None or _DAMAGED.search("".join(noise)) or is_cut(data):
        got = "one that is damaged or of no known kind" if data else "an empty file"
        raise SourceError(f"{path}: expected a picture, got {got}; copy it again, or save it as PNG or JPEG")
    return np.asarray(image, np.uint8)


@contextmanager
def caught_stderr() -> Iterator[list[str]]:
    """Catches what C libraries write to stderr, which nothing in Python can; the text is in the list afterwards."""
    said: list[str] = []
    with tempfile.TemporaryFile() as sink:
        stderr = os.dup(2)
        os.dup2(sink.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            sink.seek(0)
            said.append(sink.read().decode(errors="replace"))


class Album:
    """A folder for drawn pictures.

    A picture of ``street.jpg`` is called ``street-detected.jpg``, with a number where two of one run would have the
    same name; what an earlier run wrote under that name is replaced, but no input ever is.
    """

    def __init__(self, folder: Path, inputs: Iterable[Path]) -> None:
        """Makes the folder."""
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"--out: expected a folder, got the file {folder}; choose another")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._taken = {path.resolve() for path in inputs}

    def save(self, source: Path, image: Image) -> Path:
        """Writes the picture drawn from ``source``, JPEG if that was one, else PNG; gives its path."""
        path = self._name(source.stem, ".jpg" if source.suffix.lower() in (".jpg", ".jpeg") else ".png")
        ok, data = cv2.imencode(path.suffix, image)
        if not ok:
            raise OSError(f"{path}: expected an encoder for {path.suffix}, got none; install opencv-python")
        part = path.with_name(path.name + ".part")
        part.write_bytes(data.tobytes())
        part.replace(path)
        return path

    def _name(self, stem: str, suffix: str) -> Path:
        number = 1
        while True:
            path = self._folder / f"{stem}-detected{f'-{number}' if number > 1 else ''}{suffix}"
            if path.resolve() not in self._taken:
                self._taken.add(path.resolve())
                return path
            number += 1
