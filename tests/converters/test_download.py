"""Downloads from a server that does everything wrong that a server can."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Optional

import pytest
from downloads import HALF, OTHER, SIZE, files, get, refused
from flaky_server import (
    CONTENT,
    Behaviour,
    Handler,
    Server,
    another_range,
    answering,
    chunked,
    cut_off,
    endless,
    endless_body,
    never_answers,
    pieces,
    promising,
    raw,
    stalled,
    unlimited,
    whole,
)

from edgedet_converters import download as download_module


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "zoo" / "model.ckpt"


def test_a_whole_file(server: Server, file: Path) -> None:
    assert get(server, file) == file
    assert file.read_bytes() == CONTENT
    assert files(file) == ["model.ckpt"]
    assert server.asked == [("/model.ckpt", None)]
    assert server.agents[0].startswith("edgedet/")


def test_progress_goes_from_the_first_to_the_last_byte(server: Server, file: Path) -> None:
    seen: list[tuple[int, Optional[int]]] = []
    get(server, file, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen) and seen[-1] == (SIZE, SIZE) and len(seen) > 1
    assert {total for _, total in seen} == {SIZE}


def test_resumes_where_the_connection_ended(server: Server, file: Path) -> None:
    server.plan = [cut_off(HALF), cut_off(10), whole()]
    assert get(server, file).read_bytes() == CONTENT
    assert server.starts == [None, HALF, HALF + 10]
    assert server.sent == SIZE


def test_resumes_where_the_server_fell_silent(server: Server, file: Path) -> None:
    server.plan = [never_answers, stalled(HALF), never_answers, whole()]
    assert get(server, file, timeout_s=0.2, retries=5).read_bytes() == CONTENT
    assert server.starts == [None, None, HALF, HALF]
    assert server.sent == SIZE


@pytest.mark.parametrize(
    "second",
    [
        whole(ranges=False),
        chunked(),
        unlimited(),
        answering(416),
        another_range(HALF + 1),
        another_range(0),
        answering(206, b"x", Content_Range="bytes nonsense"),
        answering(206, b"x"),
        answering(503),
        cut_off(0),
        raw(b"nonsense\r\n\r\n"),
        raw(b""),
    ],
)
def test_whatever_comes_instead_of_the_rest(server: Server, file: Path, second: Behaviour) -> None:
    server.plan = [cut_off(HALF), second, whole()]
    assert get(server, file).read_bytes() == CONTENT
    assert files(file) == ["model.ckpt"]


@pytest.mark.parametrize("behaviour", [chunked(), unlimited()])
def test_a_file_whose_size_is_not_told(server: Server, file: Path, behaviour: Behaviour) -> None:
    server.plan = [behaviour]
    seen: list[Optional[int]] = []
    assert get(server, file, progress=lambda done, total: seen.append(total)).read_bytes() == CONTENT
    assert set(seen) == {None}


@pytest.mark.parametrize("first", [chunked(CONTENT[:HALF], end=False), unlimited(CONTENT[:HALF])])
def test_a_file_of_untold_size_that_breaks_off(server: Server, file: Path, first: Behaviour) -> None:
    server.plan = [first, whole()]
    assert get(server, file).read_bytes() == CONTENT


def test_a_file_that_changes_between_two_attempts(server: Server, file: Path) -> None:
    server.plan = [whole(OTHER, cut=HALF), whole()]
    assert get(server, file).read_bytes() == CONTENT
    assert server.starts == [None, HALF, None]


def test_progress_renews_the_patience(server: Server, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.plan = [pieces(SIZE // 10)]
    refused(server, file, f"only {SIZE // 10 * 3} of {SIZE} bytes")
    monkeypatch.setattr(download_module, "_PROGRESS_BYTES", SIZE // 10 * 2)
    server.asked.clear()
    assert get(server, file).read_bytes() == CONTENT
    assert server.starts == [None, *range(SIZE // 10, SIZE, SIZE // 10)]


def test_a_wrong_file_is_not_asked_for_twice(server: Server, file: Path) -> None:
    server.plan = [whole(OTHER)]
    refused(server, file, hashlib.sha256(OTHER).hexdigest())
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (whole(ranges=False, cut=HALF), f"{HALF} bytes too early, 3 times in a row"),
        (answering(503), "HTTP 503 (Service Unavailable), 3 times in a row"),
        (answering(429), "HTTP 429"),
        (raw(b"nonsense\x1b[31m\r\n\r\n"), "nonsense [31m, 3 times in a row"),
        (raw(b""), "3 times in a row"),
        (unlimited(OTHER), "another file"),
        (another_range(5), "bytes from 5 on instead of 0, 3 times in a row"),
    ],
)
def test_gives_up_in_the_end(server: Server, file: Path, behaviour: Behaviour, expected: str) -> None:
    server.plan = [behaviour]
    refused(server, file, expected)
    assert len(server.asked) == 3


@pytest.mark.parametrize("behaviour", [stalled(10), never_answers])
def test_silence_is_not_waited_for_for_ever(server: Server, file: Path, behaviour: Behaviour) -> None:
    server.plan = [behaviour]
    refused(server, file, "timed out, 3 times in a row", timeout_s=0.05)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (answering(404, b"x" * 1000), "HTTP 404 (Not Found)"),
        (answering(403), "HTTP 403"),
        (answering(204), "HTTP 204"),
        (answering(299), "HTTP 299 (unknown)"),
        (answering(416), "HTTP 416"),
        (answering(302, Location="ftp://127.0.0.1/x"), "HTTP 302"),
        (answering(302, Location="file:///etc/passwd"), "HTTP 302"),
        (answering(302), "HTTP 302"),
        (answering(302, Location="/again"), "HTTP 302"),
        (answering(302, Location="http://[1/"), "IPv6"),
        (promising(SIZE - 1), "another file"),
        (chunked(OTHER), "another file"),
    ],
)
def test_gives_up_at_once(server: Server, file: Path, behaviour: Behaviour, expected: str) -> None:
    server.plan = [behaviour]
    refused(server, file, expected, retries=5, backoff_s=1)
    assert len(server.asked) == 1 or {path for path, _ in server.asked[1:]} == {"/again"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_follows_redirects(server: Server, file: Path, status: int) -> None:
    server.plan = [answering(status, b"moved" * 1000, Location=f"{server.url}/new"), cut_off(HALF), whole()]
    assert get(server, file).read_bytes() == CONTENT
    assert [path for path, _ in server.asked] == ["/model.ckpt", "/new", "/model.ckpt"]


def test_a_redirect_that_never_ends_is_not_read(server: Server, file: Path) -> None:
    def behave(request: Handler) -> None:
        request.head(302, Location="/new")
        endless_body(request)

    server.plan = [behave, whole()]
    assert get(server, file).read_bytes() == CONTENT


def test_a_range_survives_a_redirect(server: Server, file: Path) -> None:
    server.plan = [cut_off(HALF), answering(302, Location="/new"), whole()]
    get(server, file)
    assert server.asked[-1] == ("/new", HALF)


def test_a_promise_of_more_than_comes(server: Server, file: Path) -> None:
    server.plan = [promising(SIZE + 1)]
    # The server has no byte where it promised one: what is here is all, and is right.
    server.plan.append(whole())
    assert get(server, file).read_bytes() == CONTENT
    assert server.starts == [None, SIZE]


@pytest.mark.parametrize("behaviour", [whole(), promising(1 << 60), another_range(0), endless, chunked()])
def test_too_large_a_file(server: Server, file: Path, behaviour: Behaviour) -> None:
    server.plan = [behaviour]
    refused(server, file, f"over the limit of {SIZE - 1}", max_bytes=SIZE - 1)
    assert len(server.asked) == 1


def test_too_large_a_promise_is_enough(server: Server, file: Path) -> None:
    server.plan = [promising(SIZE + 1)]
    seen: list[int] = []
    refused(server, file, "over the limit", max_bytes=SIZE, progress=lambda done, total: seen.append(done))
    assert seen == []


def test_just_small_enough(server: Server, file: Path) -> None:
    assert get(server, file, max_bytes=SIZE).read_bytes() == CONTENT


def test_waits_double(server: Server, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    said: list[str] = []
    server.plan = [answering(500)]
    refused(server, file, "HTTP 500", retries=6, backoff_s=0.5, notice=said.append)
    assert waits == [0.5, 1, 2, 4, 8, 8]
    assert said[1] == "got HTTP 500 (Internal Server Error); trying again in 1.0 s (2 of 6)"
