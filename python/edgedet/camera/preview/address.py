"""Where the page is served."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

HOST, PORT = "127.0.0.1", 8080
#: Every interface -> an address of the same family out in the world: one for documentation (RFC 5737, RFC 3849).
_SOMEWHERE = {"0.0.0.0": (socket.AF_INET, "192.0.2.1"), "::": (socket.AF_INET6, "2001:db8::1")}


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


def reachable(address: Address) -> Address:
    """The address as a browser can use it: in place of ``0.0.0.0`` or ``::`` the one that others reach this machine by.

    That is the own address towards the default route (no packet is sent); without a network ``localhost``.
    """
    if address.host not in _SOMEWHERE:
        return address
    family, somewhere = _SOMEWHERE[address.host]
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((somewhere, 9))
        return Address(probe.getsockname()[0], address.port)
    return Address("localhost", address.port)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
