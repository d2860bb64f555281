"""How many connections there may be at once, and what of their noise is written down."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

#: Connections beside those of the clients: for the page's files, snapshots, ``/metrics`` and ``/healthz``.
SPARE = 32
#: Where the server's errors go, without what visitors get wrong.
LOG = logging.getLogger("edgedet.camera.preview")


class Door(asyncio.Protocol):
    """The first protocol of each connection: hands it to the server, or hangs up when there are too many.

    Without it, who reaches the port could take all the process's descriptors, the camera's too, and need no token.
    """

    def __init__(self, server: web.Server, most: int) -> None:
        """``most``: connections at once."""
        self._server, self._most = server, most

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        assert isinstance(transport, asyncio.Transport)
        if len(self._server.connections) >= self._most:
            transport.abort()
            return
        handler = self._server()
        transport.set_protocol(handler)
        handler.connection_made(transport)


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a record is not about a request that was no HTTP: anybody could fill the log with those."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


LOG.addFilter(_is_ours)
