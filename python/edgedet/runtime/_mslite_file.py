"""The header of a ``.ms`` file, read before the library sees the file."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO

from edgedet.errors import ModelLoadError

IDENTIFIER = b"MSL2"
MAX_VERSION = 256


def check_header(path: Path) -> str:
    """The version that the file says its converter was, ``MindSpore Lite 2.6.0``, or an empty text.

    Raises:
        ModelLoadError: no file that can be read, or not one of MindSpore Lite's.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
            if head[4:] != IDENTIFIER:
                raise _refused(path, f"{stream.seek(0, 2)} bytes that begin {head!r}")
            return _version(stream)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    except (struct.error, UnicodeDecodeError) as error:
        raise _refused(path, "a damaged header") from error


def _refused(path: Path, got: str) -> ModelLoadError:
    return ModelLoadError(
        f"{path.name}: expected a MindSpore Lite model (.ms, identifier MSL2), got {got}; copy or convert it again"
    )


def _version(stream: BinaryIO) -> str:
    """Follows the flatbuffer from its root table to the second field, a string."""

    def number(kind: str, position: int) -> Any:
        if position < 0:
            raise struct.error("before the file")
        stream.seek(position)
        return struct.unpack(kind, stream.read(struct.calcsize(kind)))[0]

    table = number("<I", 0)
    fields = table - number("<i", table)
    place = number("<H", fields + 6) if number("<H", fields) >= 8 else 0
    if place == 0:
        return ""
    text = table + place + number("<I", table + place)
    length = number("<I", text)
    if length > MAX_VERSION:
        raise struct.error("longer than a version is")
    return str(number(f"{length}s", text + 4).decode("utf-8"))
