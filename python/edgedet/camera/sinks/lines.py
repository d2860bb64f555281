"""A file or stdout that takes text by whole lines."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import BinaryIO

from edgedet.camera.sinks.base import Enough, Sink
from edgedet.errors import SinkError


class Lines(Sink):
    """The base of sinks that write lines: each is written and flushed as a whole, or nothing of it."""

    def __init__(self, scheme: str, path: Path | None, *, append: bool = False) -> None:
        """To a file (None: stdout), which is replaced unless ``append``."""
        self.name = f"{scheme}:{'-' if path is None else path}"
        self._path, self._append = path, append
        self._file: BinaryIO | None = None
        self._regular = False
        #: Whether nothing has been written to the file, now or before.
        self.is_new = True

    def open(self) -> None:
        """Opens the file; after `close` it goes on where it ended."""
        if self._path is None:
            self._file = sys.stdout.buffer
            return
        try:
            self._file = self._path.open("ab", buffering=0)  # every write at the end, also after a `truncate`
            self._regular = self._path.is_file()  # no pipe, no device
            if self._regular and not self._append:
                self._file.truncate(0)
            self.is_new = not self._regular or not self._path.stat().st_size
        except OSError as error:
            raise SinkError(f"{self.name}: expected a file to write, got {error.strerror}; correct the path") from error
        self._append = True

    def write_text(self, text: str) -> None:
        """Writes whole lines.

        Raises:
            SinkError: there is no room for them; nothing is left of them in a file.
            Enough: whoever read them has gone.
        """
        assert self._file is not None, "open it first"
        data = text.encode()
        begin = self._file.tell() if self._regular else 0
        try:
            if self._file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._file.flush()
        except BrokenPipeError as error:
            raise Enough(f"{self.name}: nobody reads it any more") from error
        except OSError as error:
            if self._regular:
                self._file.truncate(begin)
            raise SinkError(f"{self.name}: expected room for a line, got {error.strerror}; free some space") from error
        self.is_new = False

    def close(self) -> None:
        """Closes the file."""
        file, self._file = self._file, None
        if file is not None and self._path is not None:
            file.close()
