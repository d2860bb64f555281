"""An HTTP camera for the tests that does as it is told, well or badly."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import time
from contextlib import suppress

import cv2
import numpy as np

CRLF = b"\r\n"


def jpeg(value, size_wh=(64, 48)):
    """A plain picture whose brightness tells which it is."""
    image = np.full((size_wh[1], size_wh[0], 3), value, np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


def part(data, *headers, boundary=b"frame", end=CRLF):
    lines = [b"--" + boundary, b"Content-Type: image/jpeg", *headers]
    return end.join([*lines, b"", b""]) + data + end


def sized(data, *headers):
    return part(data, b"Content-Length: %d" % len(data), *headers)


class Server:
    """Answers each connection with the next script: bytes to send, or a function of the socket; then hangs up.

    The last script is for all further connections.
    """

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.requests = []
        self.stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _accept(self):
        with suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                self._threads.append(threading.Thread(target=self._answer, args=(link, script), daemon=True))
                self._threads[-1].start()

    def _answer(self, link, script):
        with link, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                data = link.recv(4096)
                if not data:
                    return
                request += data
            self.requests.append(request.decode("latin-1"))
            if callable(script):
                script(link, self.requests[-1])
            else:
                link.sendall(script)

    def hang(self, link, request=""):
        """Sends nothing more, and does not hang up."""
        self.stop.wait(60)

    def close(self):
        self.stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


def head(status=b"200 OK", kind=b"multipart/x-mixed-replace; boundary=frame", *headers):
    return CRLF.join([b"HTTP/1.0 " + status, b"Content-Type: " + kind, *headers, b"", b""])


def stream(*parts, then=None):
    """A script: the parts, then what is given."""

    def script(link, request):
        link.sendall(head() + b"".join(parts))
        if then is not None:
            then(link, request)

    return script


def endlessly(make, period_s=0.0):
    """A script's end: ``make(i)`` for ever."""

    def script(link, request):
        for number in range(10**9):
            link.sendall(make(number))
            time.sleep(period_s)

    return script


def guarded(kind, user, password, script):
    """The script behind a password, ``Basic`` or ``Digest``."""
    login = f"{user}:{password}"
    challenge = {
        "Basic": b'WWW-Authenticate: Basic realm="cam"',
        "Digest": b'WWW-Authenticate: Digest realm="cam", nonce="n0", qop="auth"',
    }[kind]

    def check(link, request):
        if _allowed(kind, login, request):
            script(link, request)
        else:
            link.sendall(head(b"401 Unauthorized", b"text/plain", challenge))

    return check


def _allowed(kind, login, request):
    if kind == "Basic":
        return "Authorization: Basic " + base64.b64encode(login.encode()).decode() in request
    given = request.partition("Authorization: Digest ")[2].splitlines()[:1]
    items = dict(item.strip().split("=", 1) for line in given for item in line.split(","))
    value = {key: text.strip('"') for key, text in items.items()}
    if not value:
        return False
    user, _, password = login.partition(":")

    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    first, second = md5(f"{user}:cam:{password}"), md5(f"GET:{value['uri']}")
    wanted = md5(f"{first}:n0:{value['nc']}:{value['cnonce']}:auth:{second}")
    return value["username"] == user and value["response"] == wanted
