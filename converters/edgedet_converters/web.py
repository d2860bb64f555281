"""One GET request: what may be tried again, what is final, and where in the file the answer's bytes belong."""

from __future__ import annotations

import re
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse, InvalidURL, responses
from typing import Any
from urllib.error import HTTPError, URLError

from edgedet import __version__

# Answers that another try may change; every other refusal is final.
_BUSY = frozenset((408, 425, 429, 500, 502, 503, 504))
_OK, _PARTIAL, _NO_SUCH_RANGE = 200, 206, 416
_BLOCK = 1 << 16


class Lost(Exception):  # noqa: N818  reads as what it says
    """A request that failed in a way that another one may mend; the message says what came instead."""


class Refused(Exception):  # noqa: N818
    """A request that will fail the same way again; the message says what came instead."""


class Answer:
    """The body of an answer, as far as it goes.

    Attributes:
        start: where its first byte belongs in the file.
        total: the size of the whole file, if the server says so.
        delimited: its end can be told from a lost connection.
    """

    def __init__(self, response: HTTPResponse) -> None:
        """Reads the head.

        Raises:
            Lost: a part of the file that doesn't say which.
        """
        self._response = response
        self._length = response.length
        self.start, self.total = 0, self._length
        self.delimited = response.chunked or self._length is not None
        if response.status == _PARTIAL:
            given = response.headers.get("Content-Range", "")
            found = re.match(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)\Z", given)
            if found is None:
                raise Lost(f"a part of it with the range {brief(given)}")
            self.start = int(found[1])
            self.total = None if found[2] == "*" else int(found[2])

    def blocks(self) -> Iterator[bytes]:
        """The bytes as they arrive.

        Raises:
            Lost: they end too early, or the server is silent for too long.
        """
        left = self._length
        while left is None or left > 0:
            with _translated():
                # Not read(): it waits for a whole block, and loses what it has when the rest doesn't come.
                block = self._response.read1(_BLOCK if left is None else min(_BLOCK, left))
            if not block:
                if left is None:
                    return
                raise Lost(f"the connection's end {left} bytes too early")
            if left is not None:
                left -= len(block)
            yield block


@contextmanager
def get(url: str, start: int, timeout_s: float) -> Iterator[Answer | None]:
    """Asks for ``url`` from the byte ``start`` on; None if the server has no byte there. It may answer with all of it.

    Raises:
        Lost: another try may help.
        Refused: it won't.
    """
    headers = {"User-Agent": f"edgedet/{__version__}"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        with _translated():
            response = _opener().open(urllib.request.Request(url, headers=headers), timeout=timeout_s)
    except _NoSuchRangeError:
        if not start:
            raise Refused(_status(_NO_SUCH_RANGE)) from None
        yield None
        return
    with response:
        if response.status not in (_OK, _PARTIAL):
            raise Refused(_status(response.status))
        yield Answer(response)


class _NoSuchRangeError(Exception):
    """The answer 416."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        error.close()
        if error.code == _NO_SUCH_RANGE:
            raise _NoSuchRangeError from None
        raise (Lost if error.code in _BUSY else Refused)(_status(error.code)) from error
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        # ValueError: an address that is none, in the URL or in a redirect.
        final = isinstance(reason, (ssl.SSLCertVerificationError, InvalidURL, ValueError))
        raise (Refused if final else Lost)(brief(getattr(reason, "strerror", None) or reason)) from error


def _status(code: int) -> str:
    return f"HTTP {code} ({responses.get(code, 'unknown')})"


def brief(text: object) -> str:
    """Text from afar in a message: neither long nor with anything that a terminal would obey."""
    shown = "".join(c if c.isprintable() else " " for c in str(text)[:160]).strip()
    return shown or type(text).__name__


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Never reads a redirect's own body, which may be endless."""

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        fp.close()
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_302

    def http_error_308(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        return self.http_error_302(req, fp, 307, msg, headers)  # Python knows 308 from 3.11 on


def _opener() -> urllib.request.OpenerDirector:
    # Not urllib's usual one: that reads ftp, files and data too, if only a redirect says so.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener
