"""Takes a stream of JPEG pictures (``multipart/x-mixed-replace``) apart, however it was put together."""

from __future__ import annotations

import re
import time
from typing import Callable, NamedTuple, Optional

from edgedet.errors import EndOfStream, SourceError

#: Bytes of one picture at most.
MAX_PART = 2**25
_MAX_HEADERS = 2**13
_LENGTH = re.compile(rb"^content-length:\s*(\d{1,12})\s*$", re.IGNORECASE | re.MULTILINE)
_STAMP = re.compile(rb"^x-timestamp:\s*(\d{1,12}(?:\.\d{1,9})?)\s*$", re.IGNORECASE | re.MULTILINE)


class Part(NamedTuple):
    """One part of the stream."""

    data: bytes
    stamp_s: Optional[float]
    """The camera's own time (header ``X-Timestamp``), if it sends one."""
    arrived_s: float
    """`time.monotonic` when the part began to come."""


def boundary_of(content_type: str) -> Optional[bytes]:
    """The sign between the parts, as the type says; None if it is not a stream of parts."""
    if not content_type.lower().startswith("multipart/"):
        return None
    found = re.search(r"boundary=\"?([^\";\s]{1,200})", content_type, re.IGNORECASE)
    if found is None:
        return None
    # Some cameras count the two dashes before each part as a part of the sign, some don't.
    sign = found[1].strip("-")
    return b"--" + sign.encode("latin-1") if sign else None


class PartReader:
    """Reads part after part; never holds more than one and the beginning of the next.

    Args:
        read: gives some more bytes, as soon as there are any; none: the end.
        boundary: of `boundary_of`.
        name: what the messages begin with.
    """

    def __init__(self, read: Callable[[], bytes], boundary: bytes, name: str) -> None:
        self._read = read
        self._name = name
        self._boundary = boundary
        self._buffer = bytearray()

    def next_part(self) -> Part:
        """The next part.

        Raises:
            EndOfStream: the stream has ended, properly or not.
            SourceError: a part that is too long.
        """
        self._take_until_boundary()
        self._more(2)
        if self._buffer.startswith(b"--"):
            raise EndOfStream
        headers = self._headers()
        length = _LENGTH.search(headers)
        stamp = _STAMP.search(headers)
        arrived_s = time.monotonic()
        data = self._take(int(length[1])) if length else self._body()
        return Part(data, float(stamp[1]) if stamp else None, arrived_s)

    def _headers(self) -> bytes:
        """Up to the empty line, whatever the line ends are."""
        while True:
            found = re.search(rb"\r?\n\r?\n", self._buffer)
            if found is not None:
                headers = bytes(self._buffer[: found.start()])
                del self._buffer[: found.end()]
                return headers
            if len(self._buffer) > _MAX_HEADERS:
                raise self._too_long("headers", _MAX_HEADERS)
            self._more(len(self._buffer) + 1)

    def _body(self) -> bytes:
        """A part that does not say how long it is ends before the next."""
        data = self._take_until_boundary()
        self._buffer[:0] = self._boundary
        return data

    def _take(self, length: int) -> bytes:
        if length > MAX_PART:
            raise self._too_long("a picture", MAX_PART)
        self._more(length)
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        return data

    def _take_until_boundary(self) -> bytes:
        """What is before the next boundary; both are taken away."""
        begin = 0
        while True:
            at = self._buffer.find(self._boundary, begin)
            if at >= 0:
                data = bytes(self._buffer[:at])
                del self._buffer[: at + len(self._boundary)]
                return data
            if len(self._buffer) > MAX_PART:
                raise self._too_long("a picture", MAX_PART)
            begin = max(0, len(self._buffer) - len(self._boundary) + 1)
            self._more(len(self._buffer) + 1)

    def _too_long(self, what: str, most: int) -> SourceError:
        return SourceError(f"{self._name}: expected {what} of up to {most} bytes, got more; choose a smaller size")

    def _more(self, length: int) -> None:
        """Reads until the buffer holds as much."""
        while len(self._buffer) < length:
            data = self._read()
            if not data:
                raise EndOfStream
            self._buffer += data
