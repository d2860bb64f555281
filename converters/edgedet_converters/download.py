"""One file over HTTP, whole and verified or not at all. Knows nothing of models."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Optional

from edgedet.bundle import sha256 as sha256_of
from edgedet.errors import SourceError
from edgedet_converters import web
from edgedet_converters.web import Lost, Refused

Progress = Callable[[int, Optional[int]], None]
Notice = Callable[[str], None]

#: No server can make us write more than this; the largest published checkpoint is far smaller.
MAX_BYTES = 2 << 30
# A line that breaks all the time gets there in the end; one that brings a few bytes each time doesn't.
_PROGRESS_BYTES = 1 << 20
_LONGEST_WAIT_S = 8.0
_ABANDONED_S = 86400.0


def no_progress(done: int, total: int | None) -> None:
    """Says nothing."""


def no_notice(sentence: str) -> None:
    """Says nothing."""


def download(
    url: str,
    file: Path,
    sha256: str,
    *,
    timeout_s: float = 30.0,
    retries: int = 5,
    backoff_s: float = 0.5,
    max_bytes: int = MAX_BYTES,
    keep_partial: bool = False,
    progress: Progress = no_progress,
    notice: Notice = no_notice,
) -> Path:
    """Fetches ``url`` into ``file``, which is there with the right bytes or not at all.

    A file that already has the right SHA-256 is left as it is; any other is replaced once the new one is verified. An
    attempt that breaks off is resumed where it ended if the server can do that, and begun again if not. Bytes whose
    SHA-256 is wrong are never kept. Several calls may fetch the same file at once.

    Args:
        url: an http or https address; redirects are followed to such addresses only.
        file: what to write; its folder is made.
        sha256: that of the whole file, in hex.
        timeout_s: how long the server may be silent, each time.
        retries: how often to try again; counted anew for every megabyte that arrives.
        backoff_s: the wait before the first of these; it doubles each time, up to 8 s.
        max_bytes: a larger file is refused.
        keep_partial: after a failure or Ctrl-C, keep what arrived as ``.NAME.part`` beside ``file``. The next call
            resumes from it, and keeps it in its turn. Otherwise nothing is left.
        progress: called with the bytes that are here, and with those there will be if the server says so.
        notice: called with a sentence before every wait.

    Returns:
        ``file``.

    Raises:
        SourceError: the file could not be fetched or written, or is not the one expected.
        ValueError: an argument that makes no sense.
    """
    _check(url, timeout_s, retries)
    try:
        if file.is_file() and sha256_of(file) == sha256:
            return file
        file.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(file)
        with _Part(file, keep_partial) as part:
            failures, mark = 0, part.furthest
            while True:
                try:
                    _receive(url, part, timeout_s, max_bytes, progress)
                    _verify(part, sha256)
                    part.take_name()
                    return file
                except Lost as lost:
                    failures += 1
                    if part.furthest - mark >= _PROGRESS_BYTES:
                        failures, mark = 1, part.furthest
                    if failures > retries:
                        times = f", {failures} times in a row" if failures > 1 else ""
                        raise Refused(f"{lost}{times}") from lost
                    wait_s = min(backoff_s * 2 ** (failures - 1), _LONGEST_WAIT_S)
                    notice(f"got {lost}; trying again in {wait_s:.1f} s ({failures} of {retries})")
                time.sleep(wait_s)
    except Refused as refused:
        raise SourceError(
            f"{url}: expected the published file, got {refused}; check the network, "
            f"give another address (--mirror URL), or put the file into {file.parent} by hand"
        ) from refused
    except OSError as error:
        raise SourceError(
            f"{file}: expected room and permission to write it, got {error.strerror or error}; "
            "free some space, correct the permissions, or choose another folder"
        ) from error


def _check(url: str, timeout_s: float, retries: int) -> None:
    if not re.match(r"https?://[!-~]+\Z", url):
        raise ValueError(f"url: expected an http or https address in ASCII, without blanks, got {url!r}; correct it")
    if not timeout_s > 0:
        raise ValueError(f"timeout_s: expected more than 0, got {timeout_s}; give seconds")
    if retries < 0:
        raise ValueError(f"retries: expected 0 or more, got {retries}; correct it")


def _receive(url: str, part: _Part, timeout_s: float, max_bytes: int, progress: Progress) -> None:
    """One attempt: adds to the part what it lacks."""
    with web.get(url, part.size, timeout_s) as answer:
        if answer is None:
            return  # The server has nothing to add: either the part is all of it, or it does not belong to the file.
        if answer.start != part.size:
            wanted = part.size
            part.empty()
            if answer.start:
                raise Lost(f"bytes from {answer.start} on instead of {wanted}")
        begins = not part.size
        if answer.total is not None:
            _limit(part, answer.total, max_bytes)
        for block in answer.blocks():
            _limit(part, part.size + len(block), max_bytes)
            part.write(block)
            progress(part.size, answer.total)
        if answer.total is not None and part.size < answer.total:
            raise Lost(f"only {part.size} of {answer.total} bytes")
        part.whole = begins and answer.delimited


def _limit(part: _Part, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        part.empty()
        raise Refused(f"{size} bytes or more, over the limit of {max_bytes}")


def _verify(part: _Part, sha256: str) -> None:
    found, size, whole = part.sha256(), part.size, part.whole
    if found == sha256:
        return
    part.empty()
    wrong = f"another file (sha256 {found} instead of {sha256}, {size} bytes)"
    # Pieces of two versions may have met, or a server that names no length may have been cut off.
    raise Refused(wrong) if whole else Lost(wrong)


class _Part:
    """The unfinished file, under a name that only this call has; gone when the ``with`` block ends, unless kept.

    Attributes:
        size: the bytes it holds.
        furthest: the most it has ever held.
        whole: it came in one answer that is complete for certain.
    """

    def __init__(self, file: Path, keep: bool) -> None:
        self._file, self._keep = file, keep
        self._kept = file.with_name(f".{file.name}.part")
        self._path = file.with_name(f".{file.name}-{os.getpid()}-{secrets.token_hex(4)}.part")
        self.size = self.furthest = 0
        self.whole = False

    def __enter__(self) -> _Part:
        # A rename takes what an earlier call kept: of several calls one succeeds, the others begin anew.
        with suppress(OSError):
            os.utime(self._kept)
            self._kept.replace(self._path)
            self._keep = True
        self._stream = self._path.open("ab")
        self.size = self.furthest = self._path.stat().st_size
        return self

    def write(self, block: bytes) -> None:
        """Adds bytes at the end."""
        self._stream.write(block)
        self.size += len(block)
        self.furthest = max(self.furthest, self.size)

    def empty(self) -> None:
        """Begins again."""
        self._stream.flush()
        self._stream.truncate(0)
        self.size, self.whole = 0, False

    def sha256(self) -> str:
        """Of the bytes on the disk."""
        self._stream.flush()
        return sha256_of(self._path)

    def take_name(self) -> None:
        """Becomes the file."""
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._path.replace(self._file)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stream.close()
        finally:
            with suppress(FileNotFoundError):
                if self._keep and self.size and kind is not None:
                    self._path.replace(self._kept)
                else:
                    self._path.unlink()


def _remove_abandoned(file: Path) -> None:
    """Removes what killed processes left; a living one writes to its part all the time."""
    for path in file.parent.glob(f".{file.name}-*.part"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()
