"""Decodes a picture that anybody may have made: limits first, then OpenCV."""

from __future__ import annotations

import re
import struct
from typing import Callable, Optional

import cv2
import numpy as np
import numpy.typing as npt

from edgedet.camera.sources.base import MAX_PIXELS
from edgedet.errors import SourceError

#: What counts as a picture in a folder.
SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".jp2", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"))
#: Bytes of a picture at most.
MAX_BYTES = 2**28


def decode(data: bytes, name: str) -> npt.NDArray[np.uint8]:
    """The (H, W, 3) uint8 BGR picture in a file's bytes, turned as its EXIF data says.

    Raises:
        SourceError: no picture, not a whole one, or one that would be too large; the message begins with ``name``.
    """
    if len(data) > MAX_BYTES:
        raise SourceError(f"{name}: expected a picture of up to {MAX_BYTES} bytes, got {len(data)}; shrink it")
    size = size_wh(data)
    if size is not None and not 0 < size[0] * size[1] <= MAX_PIXELS:
        raise SourceError(f"{name}: expected up to {MAX_PIXELS} pixels, got {size[0]}x{size[1]}; shrink it")
    image = None
    if size is not None and not is_cut(data):
        try:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            image = None
    if image is None:
        got = "one that is damaged or of no known kind" if data else "an empty file"
        raise SourceError(f"{name}: expected a picture, got {got}; copy it again, or save it as PNG or JPEG")
    return np.asarray(image, np.uint8)


def size_wh(data: bytes) -> Optional[tuple[int, int]]:
    """Width and height as the picture's head says, without decoding it; None if it is no picture of a known kind."""
    for magic, read in _KINDS.items():
        if re.match(magic, data, re.DOTALL):
            try:
                return read(data)
            except (struct.error, IndexError, ValueError):
                return None
    return None


def is_cut(data: bytes) -> bool:
    """Whether a JPEG or a PNG has no end. OpenCV may give what there is without a word, the rest is chance."""
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data
    at = 2 if data.startswith(b"\xff\xd8") else len(data)
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != b"\xda":
        # A marker and its segment, among them perhaps a thumbnail that is a whole JPEG.
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[at : at + 2] == b"\xff\xda" and b"\xff\xd9" not in data[at:]


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:  # padding
            at += 1
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame's head
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]


def _at(layout: str, offset: int) -> Callable[[bytes], tuple[int, int]]:
    def read(data: bytes) -> tuple[int, int]:
        width, height = struct.unpack_from(layout, data, offset)
        return abs(width), abs(height)  # a BMP's height is negative when its rows go down

    return read


def _webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        return tuple(1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))  # type: ignore[return-value]
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jp2(data: bytes) -> tuple[int, int]:
    # The codestream's own size: that is what is decoded, whatever the boxes before it say.
    return _at(">II", data.index(b"\xff\x4f\xff\x51") + 8)(data)


def _bmp(data: bytes) -> tuple[int, int]:
    return _at("<HH" if data[14] == 12 else "<ii", 18)(data)


def _pnm(data: bytes) -> tuple[int, int]:
    head = re.match(rb"P[2356](?:\s+|#[^\n]*\n)+(\d{1,9})(?:\s+|#[^\n]*\n)+(\d{1,9})\s", data)
    if head is None:
        raise ValueError("no head")
    return int(head[1]), int(head[2])


def _tiff(data: bytes) -> tuple[int, int]:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    (entries,) = struct.unpack_from(order + "H", data, at)
    sides = {}
    for entry in range(at + 2, at + 2 + 12 * entries, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in (256, 257):
            (sides[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)
    if len(sides) != 2:
        raise ValueError("no size")
    return sides[256], sides[257]


_KINDS: dict[bytes, Callable[[bytes], tuple[int, int]]] = {
    rb"\xff\xd8\xff": _jpeg,
    rb"\x89PNG\r\n\x1a\n": _at(">II", 16),
    rb"BM": _bmp,
    rb"RIFF.{4}WEBP": _webp,
    rb"\0\0\0\x0cjP  ": _jp2,
    rb"P[2356]\s": _pnm,
    rb"II\*\0|MM\0\*": _tiff,
}
