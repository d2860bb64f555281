"""Boxes from a file: JSON, CSV or NumPy's .npy; the same for every image."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet.errors import SourceError
from edgedet.proposals import Boxes
from edgedet.strict import short

HELP = "the boxes in a file; the argument is its path, .json, .csv or .npy"
TAKES_PATH = True
MAX_BYTES = 64 << 20
MAX_BOXES = 1_000_000


@dataclass(frozen=True, eq=False)
class FileBoxes:
    """The boxes that are in a file, whatever the image.

    JSON: a list of ``[x1, y1, x2, y2]``, or of objects that have such a ``box`` (what `Detections.to_dicts` gives).
    CSV: a box in each line, after a heading of four words or none. NPY: an (N, 4) array of real numbers.

    Attributes:
        path: of the file; read once, when the object is made.
        boxes: (N, 4) float32.
    """

    path: Path
    boxes: Boxes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        object.__setattr__(self, "boxes", read(self.path))

    def __call__(self, image: npt.NDArray[Any]) -> Boxes:
        """(N, 4) float32, those of the file in its order."""
        return np.array(self.boxes, np.float32)


def read(path: Path) -> Boxes:
    """The boxes in a file, (N, 4) float32.

    Raises:
        SourceError: it can't be read, holds something else, or far too much.
    """
    readers = {".json": _from_json, ".csv": _from_csv, ".npy": _from_npy}
    if path.suffix.lower() not in readers:
        raise SourceError(f"{path}: expected a name that ends in {', '.join(readers)}, got another; rename the file")
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{path}: expected a file of boxes, got {error.strerror}; correct the path") from error
    if len(data) > MAX_BYTES:
        raise SourceError(f"{path}: expected up to {MAX_BYTES} bytes, got more; give fewer boxes")
    try:
        return _checked(readers[path.suffix.lower()](data))
    # MemoryError: a heading that promises more than the file has.
    except (ValueError, RecursionError, OverflowError, EOFError, MemoryError) as error:
        raise SourceError(
            f"{path}: expected boxes x1 y1 x2 y2 in pixels, got {short(str(error))}; correct the file"
        ) from error


def _from_json(data: bytes) -> Any:
    rows = json.loads(data)
    if not isinstance(rows, list):
        raise ValueError(f"{type(rows).__name__} instead of a list")
    boxes = [row.get("box") if isinstance(row, dict) else row for row in rows]
    for index, box in enumerate(boxes):
        # JSON's true would pass for 1.
        if not isinstance(box, list) or len(box) != 4 or not all(type(side) in (int, float) for side in box):
            raise ValueError(f"{short(rows[index])} for box {index}")
    return np.array(boxes, np.float64).reshape(-1, 4)


def _from_csv(data: bytes) -> Any:
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) if any(map(str.strip, row))]
    except csv.Error as error:
        raise ValueError(str(error)) from error
    boxes = []
    for index, row in enumerate(rows):
        try:
            box = [float(side) for side in row]
        except ValueError:
            if index == 0 and len(row) == 4 and not any(map(_is_number, row)):  # a heading
                continue
            raise
        if len(box) != 4:
            raise ValueError(f"{len(box)} numbers in line {index + 1}")
        boxes.append(box)
    return np.array(boxes, np.float64).reshape(-1, 4)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _from_npy(data: bytes) -> Any:
    array = np.load(io.BytesIO(data), allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"{getattr(array, 'shape', '')} {getattr(array, 'dtype', 'an archive')}")
    return array


def _checked(boxes: Any) -> Boxes:
    if len(boxes) > MAX_BOXES:
        raise ValueError(f"{len(boxes)} boxes, more than {MAX_BOXES}")
    with np.errstate(over="ignore"):
        found: Boxes = np.asarray(boxes, np.float32)
    finite = np.isfinite(found).all(axis=1)
    if not finite.all():
        raise ValueError(f"NaN or infinity in box {int(np.argmin(finite))}")
    return found


def make(argument: str | None) -> FileBoxes:
    """See `edgedet.proposals.make`."""
    if not argument:
        raise ValueError("file: expected a path, got none; do file:boxes.json")
    return FileBoxes(Path(argument))
