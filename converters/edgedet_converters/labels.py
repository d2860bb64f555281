"""The names of the classes: the published data sets' as data, or one name per line from the user."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from edgedet.errors import ConversionError


@dataclass(frozen=True)
class Labels:
    """Names by class id, and the data set's own category ids where it has some."""

    names: tuple[str, ...]
    category_ids: tuple[int, ...] | None = None


def packaged(name: str) -> Labels:
    """The labels of a published data set (a JSON file in ``data/labels``)."""
    text = resources.files("edgedet_converters").joinpath(f"data/labels/{name}.json").read_text(encoding="utf-8")
    data = json.loads(text)
    ids = data.get("category_ids")
    return Labels(tuple(data["names"]), tuple(ids) if ids is not None else None)


def read(path: Path) -> Labels:
    """Labels from a text file with one name per line; blank lines and lines that start with ``#`` don't count.

    Raises:
        ConversionError: the file can't be read, holds no name, or holds one twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConversionError(f"labels: expected a text file, got {error}; give one name per line") from error
    names = tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    if not names or len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ConversionError(
            f"labels: expected one different name per line, got {f'twice {twice}' if twice else 'none'}; "
            f"correct {path.name}"
        )
    return Labels(names)
