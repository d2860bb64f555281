"""A web server that misbehaves on request: each request is answered by the next of a list of behaviours."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional

CONTENT = bytes(range(256)) * 1000


class Handler(BaseHTTPRequestHandler):
    """One request. Behaviours call `head` and `body`."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        behaviour = self.server.next(self)
        behaviour(self)
        self.close_connection = True

    @property
    def start(self) -> Optional[int]:
        """The first byte that a Range header asks for."""
        given = self.headers.get("Range")
        return None if given is None else int(given[len("bytes=") : -1])

    def head(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def body(self, data: bytes) -> None:
        self.wfile.write(data)
        self.server.sent += len(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Not on stderr."""


Behaviour = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    """Answers with the behaviours of ``plan`` in turn; the last one stays.

    Attributes:
        asked: the path and the Range header's start of every request so far.
        sent: the bytes of all bodies so far.
    """

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan: list[Behaviour] = [whole()]
        self.asked: list[tuple[str, Optional[int]]] = []
        self.agents: list[str] = []
        self.sent = 0
        self.over = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def starts(self) -> list[Optional[int]]:
        return [start for _, start in self.asked]

    def next(self, handler: Handler) -> Behaviour:
        with self._lock:
            self.asked.append((handler.path, handler.start))
            self.agents.append(handler.headers["User-Agent"])
            return self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client may hang up when it likes."""


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A running server; afterwards every thread and socket of it is gone."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def whole(content: bytes = CONTENT, *, ranges: bool = True, cut: Optional[int] = None) -> Behaviour:
    """As it should be: all of it, or with ``ranges`` the part asked for; hangs up after ``cut`` bytes."""

    def behave(request: Handler) -> None:
        start = request.start if ranges else None
        if start is None:
            request.head(200, Content_Length=len(content))
        elif start >= len(content):
            request.head(416, Content_Range=f"bytes */{len(content)}", Content_Length=0)
            return
        else:
            last = len(content) - 1
            request.head(206, Content_Length=len(content) - start, Content_Range=f"bytes {start}-{last}/{len(content)}")
        request.body(content[start or 0 :][:cut])

    return behave


def cut_off(sent: int) -> Behaviour:
    """Promises everything and hangs up."""
    return whole(cut=sent)


def stalled(sent: int) -> Behaviour:
    """Falls silent until the test is over."""

    def behave(request: Handler) -> None:
        cut_off(sent)(request)
        request.server.over.wait(10)

    return behave


def never_answers(request: Handler) -> None:
    """Takes the request, and that's it."""
    request.server.over.wait(10)


def promising(length: int, content: bytes = CONTENT) -> Behaviour:
    """Sends everything, but says that it is ``length`` bytes."""

    def behave(request: Handler) -> None:
        request.head(200, Content_Length=length)
        request.body(content)

    return behave


def chunked(content: bytes = CONTENT, *, end: bool = True) -> Behaviour:
    """In chunks, without a length; without ``end`` the last chunk never comes."""

    def behave(request: Handler) -> None:
        request.head(200, Transfer_Encoding="chunked")
        for at in range(0, len(content), 65536):
            block = content[at : at + 65536]
            request.body(b"%x\r\n%s\r\n" % (len(block), block))
        if end:
            request.body(b"0\r\n\r\n")

    return behave


def unlimited(content: bytes = CONTENT) -> Behaviour:
    """Without a length; the end of the connection is the end of the file."""

    def behave(request: Handler) -> None:
        request.head(200, Connection="close")
        request.body(content)

    return behave


def endless(request: Handler) -> None:
    """Sends until the other side has enough."""
    request.head(200, Connection="close")
    endless_body(request)


def endless_body(request: Handler) -> None:
    while not request.server.over.is_set():
        request.body(CONTENT)


def another_range(first: int) -> Behaviour:
    """Sends from ``first`` on, whatever was asked for."""

    def behave(request: Handler) -> None:
        rest = CONTENT[first:]
        request.head(206, Content_Length=len(rest), Content_Range=f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
        request.body(rest)

    return behave


def pieces(size: int) -> Behaviour:
    """Never sends more than ``size`` bytes of a range at once, and says so."""

    def behave(request: Handler) -> None:
        start = request.start or 0
        piece = CONTENT[start : start + size]
        span = f"bytes {start}-{start + len(piece) - 1}/{len(CONTENT)}"
        request.head(206, Content_Length=len(piece), Content_Range=span)
        request.body(piece)

    return behave


def answering(status: int, body: bytes = b"", **headers: object) -> Behaviour:
    """Any status."""

    def behave(request: Handler) -> None:
        request.head(status, Content_Length=len(body), **headers)
        request.body(body)

    return behave


def raw(data: bytes) -> Behaviour:
    """Not necessarily HTTP."""

    def behave(request: Handler) -> None:
        request.body(data)

    return behave
