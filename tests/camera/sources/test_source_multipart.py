from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedet.camera.sources.multipart import PartReader, boundary_of
from edgedet.errors import EndOfStream, SourceError


def reader(data, pieces):
    """Reads the data in pieces of those sizes, the last for the rest."""
    position = [0, 0]

    def read():
        at, number = position
        size = pieces[min(number, len(pieces) - 1)]
        position[:] = [at + size, number + 1]
        return data[at : at + size]

    return PartReader(read, b"--frame", "cam")


def parts(data, pieces=(10**9,)):
    found, source = [], reader(data, pieces)
    while True:
        try:
            found.append(source.next_part().data)
        except EndOfStream:
            return found


BODIES = st.lists(st.binary(max_size=200).filter(lambda body: b"--frame" not in body and not body.endswith(b"\r\n")))
PIECES = st.lists(st.integers(1, 300), min_size=1, max_size=50)


@given(BODIES, PIECES, st.sampled_from([b"\r\n", b"\n"]))
def test_parts_with_a_length_come_back_exactly(bodies, pieces, end):
    data = b"".join(b"--frame%sContent-Length: %d%s%s%s" % (end, len(body), end * 2, body, end) for body in bodies)
    assert parts(data + b"--frame--", pieces) == bodies


@given(BODIES, PIECES)
def test_parts_without_a_length_end_at_the_boundary(bodies, pieces):
    data = b"".join(b"--frame\r\nA: b\r\n\r\n%s\r\n" % body for body in bodies)
    assert [part[:-2] for part in parts(data + b"--frame--\r\n", pieces)] == bodies


@given(st.binary(max_size=500), PIECES)
def test_no_bytes_break_it(data, pieces):
    for beginning in (b"", b"--frame\r\n", b"--frame\r\nContent-Length: 20\r\n\r\n", b"--frame\r\n\r\n"):
        try:
            parts(beginning + data, pieces)
        except SourceError as error:
            assert str(error).startswith("cam: expected ")


@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        ("multipart/x-mixed-replace;boundary=frame", b"--frame"),
        ("multipart/x-mixed-replace; boundary=--frame", b"--frame"),
        ('MULTIPART/mixed; charset=x; BOUNDARY="a b"', b"--a"),
        ("multipart/x-mixed-replace; boundary=--", None),
        ("multipart/x-mixed-replace", None),
        ("image/jpeg; boundary=frame", None),
        ("", None),
    ],
)
def test_boundary(kind, sign):
    assert boundary_of(kind) == sign


def test_a_times_stamp_that_is_none():
    source = reader(b"--frame\r\nX-Timestamp: soon\r\n\r\nabc\r\n--frame", (4,))
    assert source.next_part().stamp_s is None
