"""Asks a network camera for a page: with a password, a time limit, and no way to lead us elsewhere."""

from __future__ import annotations

import http.client
import socket
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any, Optional
from urllib.parse import unquote, urlsplit, urlunsplit

from edgedet.camera.sources.address import Address, masked
from edgedet.errors import SourceError, SourceTimeout

_CHUNK = 2**16


def check(address: Address) -> None:
    """Raises ValueError if the address names no host."""
    try:
        parts = urlsplit(address.text)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named:
        raise ValueError(
            f"{address.name}: expected {address.scheme}://HOST[:PORT]/PATH, got no host; "
            "name the camera, and write signs such as / # @ in a password as %2F %23 %40"
        )


class Page:
    """The answer to one request.

    Raises:
        SourceError: no answer, or one that is a refusal.
    """

    def __init__(self, address: Address, timeout_s: float) -> None:
        self._name = address.name
        self._sockets: list[socket.socket] = []
        self._deadline = time.monotonic() + timeout_s
        url, opener = self._opener(address.text)
        try:
            self._answer = opener.open(url, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            if error.fp is not None:
                error.close()
            do = "put USER:PASSWORD@ before the host" if error.code in (401, 403) else "correct the address"
            raise SourceError(f"{self._name}: expected pictures, got {error.code} {_reason(error)}; {do}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceError(
                f"{self._name}: expected an answer, got {_reason(error)}; check the camera's address and the network"
            ) from None
        self.content_type: str = self._answer.headers.get("Content-Type", "")

    def _opener(self, text: str) -> tuple[str, urllib.request.OpenerDirector]:
        """The address without its login, and what can ask for it: nothing but HTTP, with that login for that host."""
        parts = urlsplit(text)
        url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", parts.query, ""))
        opener = urllib.request.OpenerDirector()
        handlers: list[urllib.request.BaseHandler] = [
            urllib.request.ProxyHandler(),
            _recording(urllib.request.HTTPHandler, http.client.HTTPConnection, self._sockets),
            _recording(urllib.request.HTTPSHandler, http.client.HTTPSConnection, self._sockets),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _SameHost(),
        ]
        if parts.username is not None:
            passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            passwords.add_password(None, url, unquote(parts.username), unquote(parts.password or ""))
            handlers.append(urllib.request.HTTPDigestAuthHandler(passwords))
            handlers.append(urllib.request.HTTPBasicAuthHandler(passwords))
        for handler in handlers:
            opener.add_handler(handler)
        return url, opener

    def until(self, deadline: float) -> None:
        """From now on `read` gives up at that time (`time.monotonic`)."""
        self._deadline = deadline

    def read(self) -> bytes:
        """Some more bytes; none at the end.

        Raises:
            SourceTimeout: nothing came, or the time is up.
            SourceError: the connection broke.
        """
        late = time.monotonic() > self._deadline
        data = b""
        try:
            if not late:
                data = bytes(self._answer.read1(_CHUNK))
        except (TimeoutError, socket.timeout):
            late = True
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:  # the last two: closed
            raise SourceError(
                f"{self._name}: expected another picture, got {_reason(error)}; check the camera and the network"
            ) from None
        if late:
            raise SourceTimeout(
                f"{self._name}: expected a whole picture in time, got none; check the camera and the network"
            )
        return data

    def interrupt(self) -> None:
        """Breaks the connection, which ends a `read` in another thread."""
        for link in self._sockets:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends the connection."""
        self._answer.close()


def _reason(error: Exception) -> str:
    """What happened, in the system's words; nothing of the address, which may hold a password."""
    reason: Any = getattr(error, "reason", None) or error
    if isinstance(reason, (TimeoutError, socket.timeout)):
        return "nothing in time"
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return masked(" ".join(text.split())[:200])


def _recording(handler: type[Any], connection: type[Any], sockets: list[socket.socket]) -> urllib.request.BaseHandler:
    """A handler of urllib's that enters the sockets it opens into the list."""

    class Connection(connection):  # type: ignore[misc]
        def connect(self) -> None:
            super().connect()
            sockets.append(self.sock)

    class Handler(handler):  # type: ignore[misc]
        def http_open(self, request: urllib.request.Request) -> Any:
            return self.do_open(Connection, request)

        https_open = http_open

    return Handler()


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a camera to another of its own pages (or to its https), nowhere else."""

    max_redirections = 3

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Optional[urllib.request.Request]:
        """The next request; an error if it would be one to somewhere else."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.hostname != old.hostname or new.username or (old.scheme, new.scheme) == ("https", "http"):
            raise urllib.error.URLError("a redirection to another place")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
