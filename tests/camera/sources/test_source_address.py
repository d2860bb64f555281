from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedet.camera.sources.address import masked, parse, path_of, scheme_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://admin:hush@cam:554/live", "rtsp://***@cam:554/live"),
        ("rtsp://admin@cam/live", "rtsp://***@cam/live"),
        ("rtsp://admin:hu@hush@cam/live", "rtsp://***@cam/live"),
        ("rtsp://admin:hush /?#hush@cam/live", "rtsp://***@cam/live"),
        ("file:///home/a@b.mp4", "file:///home/a@b.mp4"),
        ("/home//a@b.mp4", "/home//a@b.mp4"),
        ("http://cam/mjpeg?user=me&pwd=hush&channel=1", "http://cam/mjpeg?user=***&pwd=***&channel=1"),
        ("rtsp://cam/user=admin&password=hush&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
        ("http://cam/x?access_token=hush.hush-1", "http://cam/x?access_token=***"),
        ("rtsp://cam/live?channel=1&subtype=0", "rtsp://cam/live?channel=1&subtype=0"),
        ("rtspsrc location=rtsp://a:hush@b/ ! fakesink", "rtspsrc location=rtsp://***@b/ ! fakesink"),
        ('rtspsrc user-id=me user-pw="hu sh" ! x', "rtspsrc user-id=*** user-pw=*** ! x"),
        ("/home/me/street.mp4", "/home/me/street.mp4"),
    ],
)
def test_secrets_are_masked(text, shown):
    assert masked(text) == shown
    assert "hush" not in masked(text)


SIGNS = st.text("ab@:!$.%-_/?#& =", min_size=1)


@given(SIGNS.filter(lambda user: user[0] != "/"), SIGNS, st.sampled_from("?#"))
def test_no_login_survives(user, password, options_after):
    uri = f"rtsp://{user}:SECRET{password}@cam/live"
    assert masked(uri) == "rtsp://***@cam/live"
    address = parse(uri + f"{options_after}flip=90", options_after)
    assert address.name == "rtsp://***@cam/live" and address.text == uri and address.options == {"flip": "90"}


def test_masking_twice_changes_nothing():
    once = masked("http://me:hush@cam/?token=hush")
    assert masked(once) == once


def test_parts():
    address = parse("Test:?size=64x48&seed=3", "?")
    assert address.scheme == "test" and address.text == "Test:"
    assert address.options == {"size": "64x48", "seed": "3"}
    camera = parse("rtsp://cam/live?channel=1#timeout=3", "#")
    assert camera.text == "rtsp://cam/live?channel=1" and camera.options == {"timeout": "3"}
    assert parse("/a?b#c.jpg", "").text == "/a?b#c.jpg"


@pytest.mark.parametrize("text", ["street.mp4", "/a:b.mp4", "./a:b", "1:2", ""])
def test_what_is_no_scheme(text):
    assert scheme_of(text) == ""


@pytest.mark.parametrize("text", ["file:///a%20b.mp4", "file:/a%20b.mp4", "file://localhost/a%20b.mp4"])
def test_paths(text):
    assert path_of(parse(text, "?")) == "/a b.mp4"
