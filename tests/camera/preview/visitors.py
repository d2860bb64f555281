"""Visitors of the page: plain requests, and a page's WebSocket that does as it is told."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from edgedet.camera.frame import Frame
from edgedet.camera.preview import Preview
from edgedet.camera.result import Result, StageTimes
from edgedet.camera.stats import SinkStats, SourceStats, Stats
from edgedet.results import Detections

TIMES = StageTimes(0.03, 0.001, 0.002, 0.02, 0.003)


def found() -> Detections:
    boxes = np.array([[8, 6, 40, 36], [20, 10, 60, 44]], np.float32)
    return Detections(boxes, np.array([0.9, 0.3], np.float32), np.array([1, 0], np.int32), ("cat", "dog"), (64, 48))


def result(index: int = 0, output: Any = None, value: int = 90, source: str = "door") -> Result:
    frame = Frame(np.full((48, 64, 3), value, np.uint8), index, 1000.0 + index, None, source)
    return Result(frame, {"model": found() if output is None else output}, 0.05, 1.7e9, TIMES, {})


def stats(state: str = "running", source: str = "running", names: tuple[str, ...] = ('door "1"',)) -> Stats:
    doors = tuple(SourceStats(name, source, 100, {"replaced": 7}, 2, 1, None) for name in names)
    sink = SinkStats("preview", "open", 90, 0, {"replaced": 3}, 0, None)
    return Stats(state, None, 9.0, 100, 93, 1, {"replaced": 7}, 12.5, 0.04, 0.09, TIMES, doors, (sink,), None)


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes


def get(url: str, **headers: str) -> Answer:
    """One request without redirects, proxies or cookies."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    opener = urllib.request.build_opener(Stay, urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=20) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


@contextmanager
def serving(**options: Any) -> Iterator[Preview]:
    with Preview(port=0, **options) as preview:
        yield preview


def head_of(message: bytes) -> dict[str, Any]:
    length = int.from_bytes(message[:4], "big")
    head: dict[str, Any] = json.loads(message[4 : 4 + length])
    head["jpeg"] = message[4 + length :]
    return head


def visit(preview: Preview, script: Any, query: str = "") -> Any:
    """Runs ``script(socket)``, a coroutine function, on a WebSocket to the page's live channel."""
    import aiohttp

    async def run() -> Any:
        where = f"http://{preview.address.netloc}/live{query}"
        async with aiohttp.ClientSession() as session, session.ws_connect(where, max_msg_size=0) as socket:
            return await asyncio.wait_for(script(socket), 20)

    return asyncio.run(run())


async def picture(socket: Any) -> dict[str, Any]:
    """The next picture; words that come before it are passed over."""
    while True:
        message = await socket.receive()
        if isinstance(message.data, bytes):
            return head_of(message.data)
        assert isinstance(message.data, str), message
