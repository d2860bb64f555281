from __future__ import annotations

import asyncio
import http.client
import json
import re
import socket
from contextlib import ExitStack, suppress
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("prometheus_client")

from visitors import found, get, head_of, picture, result, serving, stats, visit

from edgedet.camera.preview import Preview
from edgedet.camera.preview.door import SPARE
from edgedet.camera.preview.server import IN_FLIGHT
from edgedet.errors import SinkError


def decoded(jpeg: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_the_page_loads_nothing_from_elsewhere() -> None:
    with serving() as preview:
        texts = [get(f"{preview.url}{path}").body.decode() for path in ("", "page.css", "page.js")]
        assert "<canvas" in texts[0]
        # Everything that a browser would fetch: attributes, CSS's url() and import, JavaScript's addresses.
        for text in texts:
            assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", text.replace("// ", ""))


def test_a_picture_and_its_words() -> None:
    with serving() as preview:
        preview.write(result(7))
        head = visit(preview, picture)
        assert head["number"] == 1 and head["captured_s"] == 1007.0 and head["size_wh"] == [64, 48]
        assert head["found"] == found().to_dicts()
        assert head["stages"] == {"queue": 0.001, "preprocess": 0.002, "infer": 0.02, "postprocess": 0.003}
        # Nothing is drawn on it: the page draws.
        assert np.abs(decoded(head["jpeg"]).astype(int) - 90).max() <= 2


def test_a_page_that_keeps_up_gets_every_newer_picture() -> None:
    with serving() as preview:

        async def look(page: Any) -> list[int]:
            numbers = []
            for _ in range(5):
                preview.write(result())
                numbers.append((await picture(page))["number"])
                await page.send_json({"shown": numbers[-1]})
            return numbers

        assert visit(preview, look) == [1, 2, 3, 4, 5]


def test_of_several_sources_a_page_shows_one() -> None:
    with serving() as preview:
        preview.write(result(source="door"))
        preview.write(result(source="yard", value=30))
        assert visit(preview, picture)["source"] == "door"  # the first that gave a picture
        assert visit(preview, picture, "?source=yard")["number"] == 2
        where = f"{preview.url}snapshot.jpg?threshold=0.95"
        first, second = (decoded(get(where + query).body).mean() for query in ("", "&source=yard"))
        assert abs(first - 90) <= 2 and abs(second - 30) <= 2
        assert get(f"{preview.url}snapshot.jpg?source=roof").status == 503

        async def wait_for_the_door(page: Any) -> tuple[int, int]:
            one = await picture(page)
            preview.write(result(source="yard"))
            preview.write(result(source="door"))
            return one["number"], (await picture(page))["number"]

        assert visit(preview, wait_for_the_door, "?source=door") == (1, 4)


def test_a_page_that_does_not_answer_is_sent_no_more() -> None:
    with serving() as preview:

        async def look(page: Any) -> tuple[list[int], int]:
            numbers = []
            for _ in range(IN_FLIGHT):
                preview.write(result())
                numbers.append((await picture(page))["number"])
            for _ in range(50):
                preview.write(result())
            with pytest.raises(asyncio.TimeoutError):
                # Long enough for the state to come, which shows that the channel is alive.
                await asyncio.wait_for(picture(page), 1.5)
            await page.send_json({"shown": 1})
            return numbers, (await picture(page))["number"]

        assert visit(preview, look) == ([1, 2], 52)  # the newest at once, what lay between is lost


def test_one_answer_frees_one_place() -> None:
    with serving() as preview:

        async def look(page: Any) -> list[int]:
            numbers = []
            for _ in range(IN_FLIGHT):
                preview.write(result())
                numbers.append((await picture(page))["number"])
            for _ in range(20):
                await page.send_json({"shown": 1})
            for _ in range(2):
                preview.write(result())
                with pytest.raises(asyncio.TimeoutError):
                    while True:
                        numbers.append((await asyncio.wait_for(picture(page), 1.2))["number"])
            return numbers

        assert visit(preview, look) == [1, 2, 3]


def test_the_clock_and_the_state() -> None:
    with serving() as preview:
        preview.watch(stats)

        async def look(page: Any) -> list[Any]:
            await page.send_json({"ping": 12.5})
            texts = [json.loads((await page.receive()).data) for _ in range(2)]
            return sorted(texts, key=lambda text: "ping" in text)

        state, pong = visit(preview, look)
        figures = {"fps": 12.5, "captured": 100, "dropped": 7}
        assert state == {"state": "running", "sources": ['door "1"'], "who": "", "over": False, **figures}
        assert pong["ping"] == 12.5 and pong["now_s"] > 0


@pytest.mark.parametrize("words", ["not json", "[]", '{"shown": "1"}', '{"ping": NaN}', "{}", '{"shown": 1e999}'])
def test_a_page_that_says_anything_else_is_sent_away(words: str) -> None:
    with serving() as preview:

        async def look(page: Any) -> Any:
            await page.send_str(words)
            while not (message := await page.receive()).type.name.startswith("CLOS"):
                pass
            return message.extra

        assert visit(preview, look) == "expected shown or ping"


def test_a_page_that_says_too_much_is_sent_away() -> None:
    with serving() as preview:

        async def look(page: Any) -> Any:
            await page.send_str(json.dumps({"shown": 1, "x" * 300: 1}))
            while not (message := await page.receive()).type.name.startswith("CLOS"):
                pass
            return message.data

        assert visit(preview, look) == 1009  # too big


def test_only_so_many_at_once() -> None:
    with serving(max_clients=1) as preview:
        preview.write(result())

        async def look(page: Any) -> Any:
            await picture(page)
            return await asyncio.get_running_loop().run_in_executor(None, get, f"{preview.url}stream.mjpg")

        answer = visit(preview, look)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert answer.body == b"clients: expected at most 1, got one more; close another page\n"
        assert visit(preview, picture)["number"] == 1  # the place is free again


def test_snapshots_are_drawn_above_the_threshold() -> None:
    with serving() as preview:
        assert get(f"{preview.url}snapshot.jpg").status == 503
        preview.write(result(value=90))
        preview.write(result(value=30))
        plain, one, two = (
            decoded(get(f"{preview.url}snapshot.jpg?threshold={threshold}").body) for threshold in (0.95, 0.5, 0.1)
        )
        changed = [int((np.abs(image.astype(int) - 30).max(axis=2) > 25).sum()) for image in (plain, one, two)]
        assert changed[0] == 0 < changed[1] < changed[2]
        first = decoded(get(f"{preview.url}snapshot.jpg?number=1&threshold=0.95").body)
        assert abs(int(first.mean()) - 90) <= 2


@pytest.mark.parametrize("threshold", ["no", "-1", "2", "nan"])
def test_a_threshold_that_is_none(threshold: str) -> None:
    with serving() as preview:
        preview.write(result())
        answer = get(f"{preview.url}snapshot.jpg?threshold={threshold}")
        assert (answer.status, answer.body[:33]) == (400, b"threshold: expected 0 to 1, got '")


def test_motion_jpeg_for_players() -> None:
    with serving() as preview, socket.create_connection(preview.address, timeout=20) as player:
        preview.write(result())
        player.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        data = b""
        while data.count(b"--edgedet-frame") < 2:
            data += player.recv(65536)
            if b"\xff\xd9" in data and data.count(b"--edgedet-frame") == 1:
                preview.write(result(1))
        assert b"multipart/x-mixed-replace; boundary=edgedet-frame" in data
        assert decoded(data[data.index(b"\xff\xd8") :]).shape == (48, 64, 3)


def test_a_visitor_who_reads_nothing_costs_no_memory() -> None:
    with serving() as preview, socket.create_connection(preview.address, timeout=20) as idle:
        idle.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        image = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
        big = result()
        object.__setattr__(big.frame, "image", image)
        for _ in range(200):
            preview.write(big)
        # Others are served all the while.
        assert visit(preview, picture)["number"] == 200


def test_what_prometheus_reads() -> None:
    with serving() as preview:
        assert b"edgedet_preview_clients 0.0" in get(f"{preview.url}metrics").body
        preview.watch(stats)
        answer = get(f"{preview.url}metrics")
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        lines = set(answer.body.decode().splitlines())
        assert {
            "edgedet_up 1.0",
            "edgedet_frames_per_second 12.5",
            "edgedet_frames_inferred_total 93.0",
            'edgedet_frame_age_seconds{quantile="0.99"} 0.09',
            'edgedet_stage_seconds{stage="infer"} 0.02',
            'edgedet_source_dropped_total{reason="replaced",source="door \\"1\\""} 7.0',
            'edgedet_sink_written_total{sink="preview"} 90.0',
        } <= lines


@pytest.mark.parametrize(
    ("pipeline", "source", "state", "status"),
    [
        ("running", "running", "running", 200),
        ("running", "timeout", "timeout", 503),
        ("running", "error", "error", 503),
        ("running", "end", "end", 503),
        ("stopping", "running", "end", 503),
        ("new", "running", "connecting", 503),
    ],
)
def test_health(pipeline: str, source: str, state: str, status: int) -> None:
    with serving() as preview:
        preview.watch(lambda: stats(pipeline, source))
        answer = get(f"{preview.url}healthz")
        assert (answer.status, json.loads(answer.body)) == (status, {"state": state})


def test_other_paths_and_methods() -> None:
    with serving() as preview:
        assert get(f"{preview.url}../../etc/passwd").status == 404
        assert get(f"{preview.url}page/page.js").status == 404


def test_idle_connections_take_no_more_descriptors_than_there_are_places() -> None:
    most = SPARE + 1
    with serving(max_clients=1) as preview, ExitStack() as visitors:
        idle = [visitors.enter_context(socket.create_connection(preview.address)) for _ in range(most + 5)]
        for link in idle:
            link.settimeout(20)
            with suppress(OSError):  # those that are one too many are hung up on
                link.sendall(b"GET /page.css HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert sum(_answered(link) for link in idle) == most
        for link in idle:
            link.close()
        assert visit_again(preview) == 200


def _answered(link: socket.socket) -> bool:
    try:
        return link.recv(8) == b"HTTP/1.1"
    except ConnectionError:
        return False


def visit_again(preview: Preview) -> int:
    """Asks until the server has seen the others leave."""
    for _ in range(1000):
        with suppress(OSError, http.client.HTTPException):
            return get(preview.url).status
    raise AssertionError("nobody was let in")


def test_what_is_no_http_is_refused_without_noise(caplog: pytest.LogCaptureFixture) -> None:
    with serving() as preview:
        for request in (b"\0\xff\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n"):
            with socket.create_connection(preview.address, 20) as link:
                link.sendall(request)
                assert link.recv(100).startswith(b"HTTP/1.0 400")
    assert not caplog.records


def test_an_address_that_is_taken() -> None:
    with serving() as preview, pytest.raises(SinkError, match=r"127.*\(Address already in use\); choose another"):
        Preview(port=preview.address.port).open()


def test_opens_again_after_close() -> None:
    preview = Preview(port=0)
    for _ in range(2):
        with preview:
            preview.write(result())
            assert visit(preview, picture)["found"]
    preview.close()


def test_a_message_has_its_length_before_it() -> None:
    assert head_of((13).to_bytes(4, "big") + b'{"number": 3}' + b"jpeg") == {"number": 3, "jpeg": b"jpeg"}
