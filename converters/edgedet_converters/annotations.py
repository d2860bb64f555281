"""Boxes that people drew around things: COCO's JSON and Pascal VOC's XML, read with suspicion.

Pictures and annotations find each other by the file's name alone, whatever folders it was in when it was annotated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from edgedet.errors import AnnotationError
from edgedet.strict import short

# COCO's own training file has 470 MB, 118 287 pictures and 860 001 boxes.
MAX_JSON_BYTES = 1 << 30
MAX_XML_BYTES = 1 << 20
MAX_BOXES = 10_000_000
MAX_LABELS = 10_000
_MAX_COORDINATE = 1e6


@dataclass(frozen=True)
class Annotated:
    """A picture and what is in it.

    Attributes:
        path: of the picture.
        boxes: (N, 4) float32 ``x1 y1 x2 y2`` in its pixels.
        class_ids: (N,) int32, indices into the labels.
        ignored: (M, 4) float32, where there is something that counts neither as a thing nor as background: crowds
            (COCO) and what is marked as difficult (VOC).
    """

    path: Path
    boxes: npt.NDArray[np.float32]
    class_ids: npt.NDArray[np.int32]
    ignored: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Annotations:
    """Annotated pictures and their vocabulary.

    Attributes:
        pictures: those that have annotations, also if these say that there is nothing in them.
        labels: the classes of which there is a box.
        category_ids: COCO's number of each class; None for VOC.
        left_out: pictures that no annotation speaks of.
    """

    pictures: tuple[Annotated, ...]
    labels: tuple[str, ...]
    category_ids: tuple[int, ...] | None
    left_out: tuple[Path, ...]


@dataclass(frozen=True)
class _Thing:
    name: str
    box: tuple[float, float, float, float]
    ignored: bool


def read(source: Path, pictures: Sequence[Path]) -> Annotations:
    """The annotations of some pictures.

    Args:
        source: a COCO file (``.json``), a VOC file (``.xml``), or a folder of VOC files.
        pictures: no two of one name.

    Raises:
        AnnotationError: the source can't be read, says what can't be, speaks of none of the pictures, or has no box.
    """
    by_name: dict[str, Path] = {}
    for path in pictures:
        if path.name in by_name:
            raise _wrong(str(path), "pictures of different names", f"another {path.name}", "give folders one at a time")
        by_name[path.name] = path
    if source.is_dir():
        files = sorted(source.glob("*.xml"))
        if not files:
            raise _wrong(str(source), "a folder with VOC's .xml files", "none", "give a COCO .json or that folder")
        found, numbers = _one_each(source, map(_read_voc, files)), None
    elif source.suffix.lower() == ".xml":
        found, numbers = dict([_read_voc(source)]), None
    else:
        found, numbers = _read_coco(source)
    return _gather(source, by_name, found, numbers)


def _one_each(source: Path, found: Iterable[tuple[str, list[_Thing]]]) -> dict[str, list[_Thing]]:
    """By picture's name; the things of two pictures must not get mixed."""
    each: dict[str, list[_Thing]] = {}
    for name, things in found:
        if name in each:
            raise _wrong(str(source), "pictures of different names", f"{short(name)} twice", "rename one, or drop it")
        each[name] = things
    return each


def _gather(
    source: Path, by_name: Mapping[str, Path], found: Mapping[str, Sequence[_Thing]], numbers: Mapping[str, int] | None
) -> Annotations:
    chosen = {path: found[name] for name, path in by_name.items() if name in found}
    if not chosen:
        example = short(next(iter(found), None))
        raise _wrong(str(source), "the names of the pictures", f"others, as {example}", "give the annotated pictures")
    present = {thing.name for things in chosen.values() for thing in things if not thing.ignored}
    if not present:
        raise _wrong(str(source), "a box in one of the pictures", "none", "give pictures with things in them")
    # COCO's order of its categories, the alphabet's for VOC.
    labels = tuple(name for name in (numbers or sorted(present)) if name in present)
    if len(labels) > MAX_LABELS:
        raise _wrong(str(source), f"up to {MAX_LABELS} classes", str(len(labels)), "do not trust this file")
    index = {name: place for place, name in enumerate(labels)}
    return Annotations(
        tuple(_annotated(path, things, index) for path, things in sorted(chosen.items())),
        labels,
        None if numbers is None else tuple(numbers[name] for name in labels),
        tuple(path for name, path in sorted(by_name.items()) if name not in found),
    )


def _annotated(path: Path, things: Sequence[_Thing], index: Mapping[str, int]) -> Annotated:
    counted = [thing for thing in things if not thing.ignored]
    return Annotated(
        path,
        _table(thing.box for thing in counted),
        np.array([index[thing.name] for thing in counted], np.int32),
        _table(thing.box for thing in things if thing.ignored),
    )


def _table(boxes: Iterable[tuple[float, float, float, float]]) -> npt.NDArray[np.float32]:
    return np.array(list(boxes), np.float32).reshape(-1, 4)


def _read_coco(path: Path) -> tuple[dict[str, list[_Thing]], dict[str, int]]:
    """Things by picture's name, and COCO's numbers by class."""
    text = _text(path, MAX_JSON_BYTES)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(str(path), "COCO's JSON", str(error)[:200], "give the file with the boxes") from error
    where = path.name
    categories = {
        _field(c, "id", int, f"{where}: categories[{i}]"): _field(c, "name", str, f"{where}: categories[{i}]")
        for i, c in enumerate(_list(data, "categories", where))
    }
    if len(set(categories.values())) < len(categories):
        raise _wrong(f"{where}: categories", "a name for each of its own", "one name twice", "rename one")
    names: dict[int, str] = {}
    for i, image in enumerate(_list(data, "images", where)):
        name = _field(image, "file_name", str, f"{where}: images[{i}]")
        number = _field(image, "id", int, f"{where}: images[{i}]")
        if number in names:
            raise _wrong(f"{where}: images[{i}].id", "a number of its own", f"{number} again", "correct it")
        names[number] = name.replace("\\", "/").rpartition("/")[2]
    found: dict[str, list[_Thing]] = _one_each(path, ((name, []) for name in names.values()))
    rows = _list(data, "annotations", where)
    if len(rows) > MAX_BOXES:
        raise _wrong(f"{where}: annotations", f"up to {MAX_BOXES}", str(len(rows)), "do not trust this file")
    for i, row in enumerate(rows):
        at = f"{where}: annotations[{i}]"
        image_id, category = _field(row, "image_id", int, at), _field(row, "category_id", int, at)
        for key, value, known in (("image_id", image_id, names), ("category_id", category, categories)):
            if value not in known:
                raise _wrong(f"{at}.{key}", "an id that the file declares", short(value), "correct it")
        x, y, width, height = _numbers(row.get("bbox"), f"{at}.bbox")
        thing = _Thing(categories[category], (x, y, x + width, y + height), row.get("iscrowd", 0) == 1)
        found[names[image_id]].append(_checked(thing, f"{at}.bbox"))
    return found, {name: number for number, name in categories.items()}


def _read_voc(path: Path) -> tuple[str, list[_Thing]]:
    """A picture's name and the things in it."""
    text = _text(path, MAX_XML_BYTES)
    # Entities are the way to make a small file a huge one; VOC has none.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _wrong(str(path), "VOC's XML without a document type", "one", "do not trust this file")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise _wrong(str(path), "VOC's XML", str(error), "correct it") from error
    things = []
    for i, item in enumerate(root.iter("object")):
        at = f"{path.name}: object[{i}]"
        name, box = (item.findtext("name") or "").strip(), item.find("bndbox")
        if not name or box is None:
            raise _wrong(at, "a name and a bndbox", "none", "correct it")
        corners = [box.findtext(key) for key in ("xmin", "ymin", "xmax", "ymax")]
        x1, y1, x2, y2 = _numbers(corners, f"{at}.bndbox")
        # VOC counts pixels from 1 and its corners are inside: one pixel has xmin = xmax.
        ignored = (item.findtext("difficult") or "0").strip() == "1"
        things.append(_checked(_Thing(name, (x1 - 1, y1 - 1, x2, y2), ignored), f"{at}.bndbox"))
    name = (root.findtext("filename") or "").strip().replace("\\", "/").rpartition("/")[2]
    if not name:
        raise _wrong(f"{path.name}: filename", "the picture's name", "none", "correct it")
    return name, things


def _text(path: Path, most: int) -> str:
    try:
        if not path.is_file():
            raise OSError("no such file")
        if path.stat().st_size > most:
            raise _wrong(str(path), f"up to {most} bytes", str(path.stat().st_size), "do not trust this file")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _wrong(str(path), "a file that can be read", error.strerror or str(error), "correct the path") from error
    except UnicodeDecodeError as error:
        raise _wrong(str(path), "UTF-8", error.reason, "save it as UTF-8") from error


def _list(data: Any, key: str, where: str) -> list[Any]:
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(value, list):
        raise _wrong(f"{where}: {key}", "a list", short(value), "give COCO's instances file")
    return value


def _field(row: Any, key: str, kind: type, where: str) -> Any:
    value = row.get(key) if isinstance(row, dict) else None
    if type(value) is not kind:  # True is an int
        word = {int: "a whole number", str: "a string"}[kind]
        raise _wrong(f"{where}.{key}", word, short(value), "correct it")
    return value


def _numbers(values: Any, where: str) -> list[float]:
    """Four finite numbers."""
    try:
        if not isinstance(values, list) or len(values) != 4 or any(isinstance(value, bool) for value in values):
            raise ValueError
        numbers = [float(value) for value in values]
        if not all(math.isfinite(number) and abs(number) <= _MAX_COORDINATE for number in numbers):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise _wrong(where, f"four numbers of up to {_MAX_COORDINATE:g}", short(values), "correct it") from None
    return numbers


def _checked(thing: _Thing, where: str) -> _Thing:
    x1, y1, x2, y2 = thing.box
    if not (x1 < x2 and y1 < y2):
        raise _wrong(where, "a box with an area", short(thing.box), "remove it")
    return thing


def _wrong(where: str, expected: str, got: str, cure: str) -> AnnotationError:
    return AnnotationError(f"{where}: expected {expected}, got {got}; {cure}")
