"""The page's web server: routes, clients, and what each of them is sent."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from importlib import resources
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from prometheus_client import CONTENT_TYPE_LATEST

from edgedet.camera.preview.guard import add_headers, guard
from edgedet.camera.preview.metrics import to_prometheus
from edgedet.camera.preview.shots import Shots
from edgedet.camera.stats import Stats

#: Pictures on the way to a client that it has not acknowledged: two keep the wire busy, more would only grow old.
IN_FLIGHT = 2
#: A client that takes nothing for so long is gone, whatever TCP believes.
SEND_TIMEOUT_S = 10.0
#: So often a client hears of a camera that sends no pictures.
STATUS_S = 1.0
#: A page says little: whether a picture was shown, and the time.
MAX_MESSAGE = 256

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_BOUNDARY = "edgedet-frame"


class Server:
    """Everything that happens in the event loop. One per `Preview`."""

    def __init__(self, stats: Callable[[], Stats | None], pool: Executor, *, max_clients: int) -> None:
        """``stats`` and what ``pool`` runs are called outside the loop's thread or are quick."""
        self._stats = stats
        self._pool = pool
        self.max_clients = max_clients
        self._clients = 0
        self.shots = Shots()

    def application(self, token: str | None, *, loopback: bool) -> web.Application:
        """The routes, behind the guard."""
        app = web.Application(middlewares=[guard(token, loopback=loopback)], client_max_size=1024)
        app.on_response_prepare.append(add_headers)
        page = resources.files("edgedet.camera.preview") / "page"
        for name, path in (("index.html", "/"), ("page.css", "/page.css"), ("page.js", "/page.js")):
            app.router.add_get(path, _file((page / name).read_text("utf-8"), _TYPES[name[name.index(".") :]]))
        app.router.add_get("/live", self.live)
        app.router.add_get("/stream.mjpg", self.mjpeg)
        app.router.add_get("/snapshot.jpg", self.snapshot)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/healthz", self.healthz)
        return app

    async def _in_pool(self, work: Callable[..., bytes], *args: Any) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)

    def _enter(self) -> None:
        if self._clients >= self.max_clients:
            raise web.HTTPServiceUnavailable(
                text=f"clients: expected at most {self.max_clients}, got one more; close another page\n",
                headers={"Retry-After": "5"},
            )
        self._clients += 1

    async def live(self, request: web.Request) -> web.WebSocketResponse:
        """Pictures and words for the page."""
        if self._clients >= self.max_clients:
            # A browser hides the answer to a refused handshake from its page.
            full = web.WebSocketResponse()
            await full.prepare(request)
            await full.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many pages are open; close another")
            return full
        self._enter()
        try:
            socket = web.WebSocketResponse(heartbeat=SEND_TIMEOUT_S, max_msg_size=MAX_MESSAGE, compress=False)
            await socket.prepare(request)
            free = asyncio.Semaphore(IN_FLIGHT)
            sender = asyncio.create_task(self._feed(socket, free, request.query.get("source")))
            try:
                await self._listen(socket, free)
            finally:
                sender.cancel()
                with suppress(asyncio.CancelledError, ConnectionError, asyncio.TimeoutError):
                    await sender
            return socket
        finally:
            self._clients -= 1

    async def _listen(self, socket: web.WebSocketResponse, free: asyncio.Semaphore) -> None:
        shown = 0.0
        async for message in socket:
            said = _words(message.data) if message.type is WSMsgType.TEXT else {}
            if "ping" in said:
                await socket.send_str(json.dumps({"ping": said["ping"], "now_s": time.monotonic()}))
            elif "shown" not in said:
                break
            elif said["shown"] > shown:
                shown = said["shown"]  # each picture frees its place once
                free.release()
        await socket.close(message=b"expected shown or ping")

    async def _feed(self, socket: web.WebSocketResponse, free: asyncio.Semaphore, source: str | None) -> None:
        number, told = 0, -math.inf
        while not socket.closed:
            if time.monotonic() - told >= STATUS_S:
                await _within(socket.send_str(self._status()))
                told = time.monotonic()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(free.acquire(), STATUS_S)
                try:
                    shot = await asyncio.wait_for(self.shots.after(number, source), STATUS_S)
                except asyncio.TimeoutError:
                    free.release()
                    continue
                number = shot.number
                message = await self._in_pool(shot.message)
                await _within(socket.send_bytes(message))

    def _status(self) -> str:
        stats = self._stats()
        said: dict[str, Any] = {"state": _state(stats), "sources": [], "fps": 0.0, "captured": 0, "dropped": 0}
        if stats is not None:
            said["sources"] = [source.name for source in stats.sources]
            ill = [source for source in stats.sources if source.state == said["state"]]
            said["who"] = ", ".join(source.name for source in ill) if len(stats.sources) > 1 else ""
            said["over"] = all(source.over for source in ill)
            said.update(fps=stats.fps, captured=stats.captured, dropped=sum(stats.dropped.values()))
        return json.dumps(said)

    async def mjpeg(self, request: web.Request) -> web.StreamResponse:
        """Drawn pictures for whatever shows Motion JPEG: a player, a wall display, home automation."""
        threshold = _threshold(request)
        self._enter()
        try:
            kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
            response = web.StreamResponse(headers={"Content-Type": kind})
            await response.prepare(request)
            number = 0
            while True:
                shot = await self.shots.after(number, request.query.get("source"))
                number = shot.number
                picture = await self._in_pool(shot.drawn, threshold)
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                await _within(response.write(head.encode() + picture + b"\r\n"))
        except (ConnectionError, asyncio.TimeoutError):
            return response
        finally:
            self._clients -= 1

    async def snapshot(self, request: web.Request) -> web.Response:
        """One drawn picture in the frame's own size: the newest, or the one that the page shows."""
        threshold = _threshold(request)
        shot = self.shots.find(request.query.get("number", ""), request.query.get("source"))
        if shot is None:
            raise web.HTTPServiceUnavailable(text="snapshot: expected a frame, got none yet; try again\n")
        return web.Response(body=await self._in_pool(shot.drawn, threshold), content_type="image/jpeg")

    async def metrics(self, _request: web.Request) -> web.Response:
        """For Prometheus."""
        body = to_prometheus(self._stats(), clients=self._clients)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(self, _request: web.Request) -> web.Response:
        """200 while frames come, 503 while they don't."""
        state = _state(self._stats())
        return web.json_response({"state": state}, status=200 if state == "running" else 503)


def _state(stats: Stats | None) -> str:
    """The worst of the sources' states, for people and for service managers."""
    if stats is None or stats.state == "new":
        return "connecting"
    states = {source.state for source in stats.sources}
    if stats.state != "running" or states == {"end"}:
        return "end"
    return next((state for state in ("error", "timeout") if state in states), "running")


async def _within(sending: Any) -> None:
    await asyncio.wait_for(sending, SEND_TIMEOUT_S)


def _file(text: str, kind: str) -> Callable[[web.Request], Any]:
    async def give(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type=kind, charset="utf-8")

    return give


def _words(text: str) -> dict[str, float]:
    """What a page said: one number under one name; nothing else is understood."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    whole = isinstance(said, dict) and all(
        isinstance(value, (int, float)) and math.isfinite(value) for value in said.values()
    )
    return said if whole else {}


def _threshold(request: web.Request) -> float:
    given = request.query.get("threshold", "0")
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise web.HTTPBadRequest(text=f"threshold: expected 0 to 1, got {given[:20]!r}; give a score\n")
    return value
