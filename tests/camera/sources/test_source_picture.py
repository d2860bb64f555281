"""Pictures that anybody may have made."""

from __future__ import annotations

import functools
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedet.camera.sources import picture
from edgedet.camera.sources.base import MAX_PIXELS
from edgedet.errors import SourceError

SIZE_WH = 137, 71
IMAGE = np.random.default_rng(1).integers(0, 256, (SIZE_WH[1], SIZE_WH[0], 3), dtype=np.uint8)


@functools.cache
def _encoded(suffix):
    return encoded(suffix)


def encoded(suffix, image=IMAGE, options=()):
    return cv2.imencode(suffix, image, list(options))[1].tobytes()


@pytest.mark.parametrize("suffix", sorted(picture.SUFFIXES - {".pgm"}))
def test_every_kind_tells_its_size_and_is_decoded(suffix):
    data = encoded(suffix)
    assert picture.size_wh(data) == SIZE_WH
    assert picture.decode(data, "a").shape == IMAGE.shape


def test_grey_kinds_become_bgr():
    data = encoded(".pgm", IMAGE[:, :, 0])
    assert picture.size_wh(data) == SIZE_WH
    np.testing.assert_array_equal(picture.decode(data, "a"), np.repeat(IMAGE[:, :, :1], 3, axis=2))


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_WEBP_QUALITY, 101), (cv2.IMWRITE_WEBP_QUALITY, 30)])
def test_both_kinds_of_webp(options):
    assert picture.size_wh(encoded(".webp", options=options)) == SIZE_WH


def test_webp_with_alpha():
    assert picture.size_wh(encoded(".webp", np.dstack([IMAGE, IMAGE[:, :, 0]]))) == SIZE_WH


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".jp2"])
def test_a_bomb_is_refused_before_it_is_decoded(suffix, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    data = bytearray(encoded(suffix))
    side = 60_000
    at, layout = {
        ".png": (16, ">II"),
        ".bmp": (18, "<ii"),
        ".jpg": (data.find(b"\xff\xc0") + 5, ">HH"),
        ".jp2": (data.find(b"\xff\x4f\xff\x51") + 8, ">II"),
    }[suffix]
    struct.pack_into(layout, data, at, side, side)
    with pytest.raises(SourceError, match=f"expected up to {MAX_PIXELS} pixels, got 60000x60000"):
        picture.decode(bytes(data), "bomb")


def test_a_large_file_is_refused_unread(monkeypatch):
    monkeypatch.setattr(picture, "MAX_BYTES", 1000)
    with pytest.raises(SourceError, match="expected a picture of up to"):
        picture.decode(b"\xff\xd8\xff" + bytes(picture.MAX_BYTES), "large")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_cut_picture_is_refused(suffix):
    data = encoded(suffix)
    for length in (0, 1, 4, 20, len(data) // 2, len(data) - 13):
        with pytest.raises(SourceError, match="a: expected a picture, got .+; copy it again"):
            picture.decode(data[:length], "a")


@given(
    st.sampled_from([".bmp", ".jp2", ".jpg", ".png", ".ppm", ".tiff", ".webp"]),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
    st.integers(0, 40_000),
)
def test_damage_is_an_error_or_a_picture_within_bounds(suffix, changes, length):
    data = bytearray(_encoded(suffix)[:length])
    for at, value in changes:
        if at < len(data):
            data[at] = value
    try:
        image = picture.decode(bytes(data), "a")
    except SourceError as error:
        assert str(error).startswith("a: expected ")
    else:
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[0] * image.shape[1] <= MAX_PIXELS


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader_of_sizes(data):
    for magic in (b"", b"\xff\xd8\xff", b"II*\0", b"RIFF\0\0\0\0WEBP", b"P6\n", b"BM"):
        size = picture.size_wh(magic + data)
        assert size is None or len(size) == 2
