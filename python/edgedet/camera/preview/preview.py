"""The sink that serves the page."""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from edgedet.camera.preview.address import HOST, PORT, Address, is_loopback, reachable
from edgedet.camera.preview.shot import Shot
from edgedet.camera.result import Result
from edgedet.camera.sinks.base import Sink
from edgedet.camera.stats import Stats
from edgedet.errors import SinkError

if TYPE_CHECKING:
    from edgedet.camera.preview.server import Server

MAX_CLIENTS = 8
QUALITY = 80
#: Of each connection, in the kernel: what waits there is old before it is seen.
_SEND_BUFFER = 1 << 17


class Preview(Sink):
    """A sink: one page that shows the newest result to a few browsers at once.

    A thread of its own serves. `write` only keeps the result; a client is sent the newest one when it has shown what it
    was sent before: slow clients lose frames, never memory, and nothing is encoded for nobody.

    ``/`` is the live page (of several sources it shows one, to be chosen), ``/stream.mjpg?source=NAME`` drawn Motion
    JPEG, ``/snapshot.jpg?threshold=0.4`` one drawn picture, ``/metrics`` for Prometheus, ``/healthz`` 200 while frames
    come and 503 while they don't. Anybody who reaches a loopback address may look; on any other a token is needed, by
    ``?token=``, as a cookie that this sets, or as ``Authorization: Bearer``. There is no encryption: across a network
    that is not trusted, put a TLS proxy before it.
    """

    queue = 1
    view = True

    def __init__(
        self,
        host: str = HOST,
        port: int = PORT,
        *,
        token: str | None = None,
        max_clients: int = MAX_CLIENTS,
        quality: int = QUALITY,
    ) -> None:
        """Nothing is served before `open`.

        Args:
            host: an address of this machine; ``0.0.0.0`` for all of them.
            port: 0 lets the system choose.
            token: what a visitor must know; None: nothing on loopback, elsewhere one that is made up here.
            max_clients: live pages and streams at once; more are told to come back.
            quality: JPEG's, 1 to 100.
        """
        self._loopback = is_loopback(host)
        self.address = Address(host, port)
        self.token = token or (None if self._loopback else secrets.token_urlsafe(16))
        self.name = f"preview:{self.address.netloc}"
        self._quality, self._max_clients = quality, max_clients
        self._stats: Callable[[], Stats | None] = lambda: None
        self._number = 0
        self._serving: _Serving | None = None

    @property
    def is_open(self) -> bool:
        """Whether it serves: from then on `address` has its port."""
        return self._serving is not None

    @property
    def url(self) -> str:
        """What to type into a browser, token included; of every interface, the address that others reach."""
        return f"http://{reachable(self.address).netloc}/" + (f"?token={self.token}" if self.token else "")

    def watch(self, stats: Callable[[], Stats]) -> None:
        """Figures for the page and for ``/metrics``."""
        self._stats = stats

    def open(self) -> None:
        """Serves.

        Raises:
            SinkError: the address can't be had.
            ImportError: a package is missing; names the extra.
        """
        try:
            from edgedet.camera.preview.server import Server
        except ImportError as error:
            raise ImportError(
                f"preview: expected aiohttp and prometheus-client, got {error}; do pip install 'edgedet[preview]'"
            ) from error
        listening = _listen(self.address)
        self.address = Address(self.address.host, listening.getsockname()[1])
        pool = ThreadPoolExecutor(2, thread_name_prefix="edgedet-preview-jpeg")
        server = Server(lambda: self._stats(), pool, max_clients=self._max_clients)
        self._serving = _Serving(server, listening, pool, self.token, loopback=self._loopback)

    def write(self, result: Result) -> None:
        """Shows a result; never waits for anybody."""
        assert self._serving is not None, "open it first"
        self._number += 1
        self._serving.publish(Shot(self._number, result, self._quality))

    def close(self) -> None:
        """Ends all connections and frees the address."""
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.close()


class _Serving:
    """The thread in which the event loop runs."""

    def __init__(
        self, server: Server, listening: socket.socket, pool: ThreadPoolExecutor, token: str | None, *, loopback: bool
    ) -> None:
        self._server, self._socket, self._pool = server, listening, pool
        self._application = server.application(token, loopback=loopback)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgedet-preview", daemon=True)
        self._thread.start()
        self._ready.wait()

    def publish(self, shot: Shot) -> None:
        self._loop.call_soon_threadsafe(self._server.shots.publish, shot)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        from aiohttp import web

        from edgedet.camera.preview.door import LOG, SPARE, Door

        self._stopped = asyncio.Event()
        self._server.shots.begin()
        runner = web.AppRunner(
            self._application, access_log=None, logger=LOG, handler_cancellation=True, shutdown_timeout=1.0
        )
        await runner.setup()
        server, most = runner.server, SPARE + self._server.max_clients
        assert server is not None, "it has been set up"
        listening = await self._loop.create_server(lambda: Door(server, most), sock=self._socket)
        try:
            self._ready.set()
            await self._stopped.wait()
        finally:
            listening.close()
            await runner.cleanup()
            # Visitors that left at this moment are still being seen to the door.
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listening = socket.create_server(address, family=family)
    except (OSError, OverflowError) as error:
        # Python adds in its own words what it was attempting.
        said = str(getattr(error, "strerror", None) or error).partition(" (while")[0]
        number = getattr(error, "errno", None)
        cure = "choose another port" if number in (errno.EADDRINUSE, errno.EACCES) else "correct HOST:PORT"
        raise SinkError(
            f"preview: expected a free address of this machine, got {address.netloc} ({said}); {cure}"
        ) from error
    # Handed down to every connection.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    return listening
