"""Where the page is served."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

HOST, PORT = "127.0.0.1", 8080


class Address(NamedTuple):
    """A host and a port; port 0 lets the system choose."""

    host: str
    port: int

    @property
    def netloc(self) -> str:
        """As in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """``HOST:PORT``, ``HOST``, ``:PORT`` (every interface), ``PORT`` or nothing; ``[::1]:8080`` for IPv6.

    Raises:
        ValueError: none of these.
    """
    if not text:
        return Address(HOST, PORT)
    if text.isdecimal():
        text = f"{HOST}:{text}"
    elif text.startswith(":"):
        text = f"0.0.0.0{text}"
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.netloc != text or parts.username is not None:
        raise ValueError(f"preview: expected HOST:PORT, got {text!r}; write it like 127.0.0.1:8080")
    return Address(host, PORT if port is None else port)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
