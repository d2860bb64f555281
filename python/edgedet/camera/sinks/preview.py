"""``preview:HOST:PORT`` a live page for a browser; see `edgedet.camera.preview.Preview`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgedet.camera.preview import Preview
from edgedet.camera.preview.address import parse_address
from edgedet.camera.sinks import values
from edgedet.camera.sinks.base import Sink

SCHEMES = ("preview",)
GRAMMAR = "  preview:, preview:HOST:PORT       a live page (127.0.0.1:8080); ?token=WORD ?clients=8 ?quality=80"
OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "token": str,
    "clients": values.whole(1, 64),
    "quality": values.whole(1, 100),
}


def open(scheme: str, address: str, options: Mapping[str, Any]) -> Sink:
    """See `edgedet.camera.sinks`."""
    host, port = parse_address(address)
    given = dict(options)
    if "clients" in given:
        given["max_clients"] = given.pop("clients")
    return Preview(host, port, **given)
