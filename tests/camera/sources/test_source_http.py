"""``http://`` against cameras that are well or badly made."""

from __future__ import annotations

import re
import threading
import time

import numpy as np
import pytest
from mjpeg_server import Server, endlessly, guarded, head, jpeg, part, sized, stream

from edgedet.camera.sources import State, multipart, open_source
from edgedet.errors import EndOfStream, SourceError, SourceTimeout


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def camera():
    """Starts cameras; ends them all."""
    running = []

    def start(*scripts):
        running.append(Server(*scripts))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def opened():
    """Opens sources; closes them all."""
    running = []

    def start(server, path="/video", **options):
        options.setdefault("timeout_s", 20.0)
        running.append(open_source(f"http://{server.address}{path}", **options))
        return running[-1]

    yield start
    for source in running:
        source.close()


def values(source, count):
    return [round(float(source.read().image.mean())) for _ in range(count)]


def hang(link, request):
    link.recv(1)  # until the other side hangs up


PICTURES = [jpeg(value) for value in (10, 20, 30)]


@pytest.mark.parametrize(
    "make",
    [
        sized,
        part,
        lambda data: part(data, end=b"\n"),
        lambda data: part(data, b"content-length:%d  " % len(data)),
        lambda data: part(data, b"Content-Length: %d" % (len(data) + 2)),  # counts the line's end too
        lambda data: b"\r\n\r\nnoise" + sized(data),
    ],
    ids=["length", "no length", "bare line ends", "small letters", "wrong length", "noise before"],
)
def test_however_the_parts_are_made(camera, opened, make):
    server = camera(stream(*map(make, PICTURES), make(PICTURES[0]), then=hang))
    source = opened(server, buffer=10)
    assert values(source, 3) == [10, 20, 30]
    assert source.live and source.size_wh == (64, 48)


@pytest.mark.parametrize(
    "kind",
    [
        b"multipart/x-mixed-replace; boundary=--frame",
        b'multipart/x-mixed-replace; boundary="frame"',
        b"Multipart/X-Mixed-Replace;Boundary=frame; charset=x",
    ],
)
def test_however_the_boundary_is_written(camera, opened, kind):
    def script(link, request):
        link.sendall(head(b"200 OK", kind) + b"".join(map(sized, PICTURES)))
        hang(link, request)

    assert values(opened(camera(script), buffer=10), 3) == [10, 20, 30]


def test_chunks_are_put_together(camera, opened):
    def script(link, request):
        data = b"".join(map(sized, PICTURES))
        link.sendall(head(b"200 OK").replace(b"HTTP/1.0", b"HTTP/1.1")[:-2] + b"Transfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(data), 97):
            link.sendall(b"%x\r\n%s\r\n" % (len(data[at : at + 97]), data[at : at + 97]))
        hang(link, request)

    assert values(opened(camera(script), buffer=10), 3) == [10, 20, 30]


def test_the_cameras_own_time(camera, opened):
    parts = [sized(data, b"X-Timestamp: %.3f" % (100 + 2 * number)) for number, data in enumerate(PICTURES)]
    source = opened(camera(stream(*parts, then=hang)), buffer=10)
    frames = [source.read() for _ in range(3)]
    assert [frame.source_s for frame in frames] == [100, 102, 104]
    assert all(frame.captured_s <= time.monotonic() for frame in frames)


def test_a_camera_that_hangs_up_is_called_again(camera, opened):
    source = opened(camera(stream(*map(sized, PICTURES[:2])), stream(sized(PICTURES[2]), then=hang)), buffer=10)
    assert values(source, 3) == [10, 20, 30]
    assert source.counts.reconnects == 1 and source.state is State.RUNNING


def test_garbage_between_pictures_is_counted_and_passed_over(camera, opened):
    bad = [b"", b"garbage", PICTURES[0][:50], b"\x89PNG\r\n\x1a\n" + bytes(50), b"<html>", PICTURES[0][:-300]]
    parts = [sized(data) for data in bad] + [part(bad[1]), sized(PICTURES[1])]
    source = opened(camera(stream(*parts, then=hang)), buffer=10)
    assert values(source, 1) == [20]
    assert source.counts.damaged == len(bad) + 1


def test_nothing_but_garbage_is_a_timeout(camera, opened):
    server = camera(stream(then=endlessly(lambda number: sized(b"garbage"), 0.001)))
    source = opened(server, timeout_s=0.3, reconnect=0)
    with pytest.raises(SourceError, match="expected a whole picture in time, got none"):
        source.read(20)
    assert source.state is State.ERROR


@pytest.mark.parametrize("beginning", [b"", part(b"")[:-2], b"--frame\r\nContent-Length: 33554432\r\n\r\n"])
def test_an_endless_part_is_refused_with_bounded_memory(camera, opened, beginning, monkeypatch):
    monkeypatch.setattr(multipart, "MAX_PART", 2**20)
    held = []
    more = multipart.PartReader._more
    monkeypatch.setattr(
        multipart.PartReader, "_more", lambda self, length: (more(self, length), held.append(len(self._buffer)))[0]
    )
    server = camera(stream(beginning, then=endlessly(lambda number: b"x" * 65536)))
    source = opened(server, reconnect=0, timeout_s=20)
    with pytest.raises(SourceError, match=r"expected a picture of up to 1048576 bytes, got more"):
        source.read(20)
    assert max(held, default=0) < 1.2 * 2**20


def test_endless_headers_are_refused(camera, opened):
    server = camera(stream(b"--frame\r\n", then=endlessly(lambda number: b"X-Noise: 1\r\n" * 100)))
    with pytest.raises(SourceError, match="expected headers of up to 8192 bytes, got more"):
        opened(server, reconnect=0, timeout_s=20).read(20)


def test_a_stall_is_a_timeout_and_the_camera_called_again(camera, opened):
    server = camera(
        stream(sized(PICTURES[0]), sized(PICTURES[1])[:100], then=hang), stream(sized(PICTURES[2]), then=hang)
    )
    source = opened(server, timeout_s=0.3)
    assert values(source, 1) == [10]
    with pytest.raises(SourceTimeout, match="expected a frame within 0.1 s"):
        source.read(0.1)
    assert round(float(source.read(20).image.mean())) == 30
    assert source.counts.reconnects == 1


def test_a_drip_of_bytes_is_a_stall(camera, opened):
    drip = endlessly(lambda number: b"x", 0.02)
    source = opened(camera(stream(b"--frame\r\n\r\n\xff\xd8", then=drip)), timeout_s=0.3, reconnect=0)
    with pytest.raises(SourceError, match="expected a whole picture in time"):
        source.read(20)


def test_a_bomb_is_never_decoded(camera, opened):
    data = bytearray(PICTURES[0])
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"
    source = opened(camera(stream(sized(bytes(data)), sized(PICTURES[1]), then=hang)))
    assert values(source, 1) == [20] and source.counts.damaged == 1


def test_close_wakes_a_reader_and_breaks_the_connection(camera, opened):
    left = threading.Event()

    def script(link, request):
        link.sendall(head() + sized(PICTURES[0]) + b"--frame\r\n")
        link.recv(1)
        left.set()

    source = opened(camera(script), timeout_s=60)
    source.read()
    threading.Timer(0.1, source.close).start()
    with pytest.raises(EndOfStream):
        source.read()
    assert left.wait(10)


def test_single_pictures_are_asked_for_at_the_rate(camera, opened):
    server = camera(*[head(b"200 OK", b"image/jpeg") + data for data in [PICTURES[0], b"", *PICTURES]], b"")
    source = opened(server, rate=100, buffer=10)
    assert values(source, 3) == [10, 20, 30]
    assert source.rate == 100 and source.counts.damaged == 1
    assert len(server.requests) >= 5  # the first told what kind of camera it is


@pytest.mark.parametrize("kind", ["Basic", "Digest"])
def test_a_password_is_given_to_who_asks(camera, kind):
    server = camera(guarded(kind, "me", "h@sh:1", stream(*map(sized, PICTURES), then=hang)))
    with open_source(f"http://me:h%40sh:1@{server.address}/video?channel=1", timeout_s=20) as source:
        assert source.read().image.shape == (48, 64, 3)
        assert source.name == f"http://***@{server.address}/video?channel=1"
    assert all(request.startswith("GET /video?channel=1 HTTP") for request in server.requests)
    assert all("me:" not in line for request in server.requests for line in request.splitlines() if "Host" in line)
    with open_source(f"http://me:hush@{server.address}/video") as source, pytest.raises(SourceError) as caught:
        source.read(20)
    assert re.search("got 401 .+; put USER:PASSWORD@ before the host", str(caught.value))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost:{port}/other",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://me:x@127.0.0.1:{port}/y",
        "//[::1",
    ],
)
def test_a_redirection_to_elsewhere_is_refused(camera, opened, target):
    def script(link, request):
        link.sendall(head(b"302 Found", b"text/plain", b"Location: " + target.format(port=server.port).encode()))

    server = camera(script)
    with pytest.raises(SourceError, match="expected (an answer|pictures), got .+; ") as caught:
        opened(server).read(20)
    assert len(server.requests) == 1, caught.value


def test_a_redirection_to_the_same_host_is_followed_a_few_times(camera, opened):
    moved = head(b"302 Found", b"text/plain", b"Location: /new")
    server = camera(moved, stream(sized(PICTURES[0]), then=hang))
    assert values(opened(server), 1) == [10]
    assert re.match("GET /new ", server.requests[1])
    circle = camera(*[head(b"302 Found", b"text/plain", b"Location: /%d" % number) for number in range(20)])
    with pytest.raises(SourceError):
        opened(circle).read(20)
    assert len(circle.requests) < 8


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (head(b"200 OK", b"text/html") + b"<html>", "got 'text/html'; give the address of the camera's MJPEG stream"),
        (head(b"404 Not Found", b"text/plain"), "got 404 Not Found; correct the address"),
        (head(b"200 OK", b"multipart/x-mixed-replace"), "expected multipart/x-mixed-replace or image/jpeg"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "expected an answer, got"),
        (b"", "expected an answer, got"),
    ],
)
def test_what_is_no_camera(camera, opened, answer, words):
    with pytest.raises(SourceError, match=re.escape(words)) as caught:
        opened(camera(answer)).read(20)
    assert re.fullmatch(r"http://.+: expected .+, got .+; .+", str(caught.value))


def test_a_host_that_does_not_answer(camera, opened):
    server = camera(hang)
    with pytest.raises(SourceError, match="expected an answer, got nothing in time"):
        opened(server, timeout_s=0.3).read(20)


@pytest.mark.parametrize("uri", ["http:", "http:///video", "https://:80/", "http://cam:port/"])
def test_no_host(uri):
    with pytest.raises(ValueError, match="got no host"):
        open_source(uri)


def test_options_stand_after_the_hash(camera):
    server = camera(stream(sized(PICTURES[0]), then=hang))
    with open_source(f"http://{server.address}/video?rate=7#timeout=4&flip=90") as source:
        assert source.read().image.shape == (64, 48, 3)
    assert server.requests[0].startswith("GET /video?rate=7 HTTP")
    np.testing.assert_equal(source.rate, None)
