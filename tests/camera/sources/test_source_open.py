"""`open_source`: schemes found by name, one grammar, errors that help."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from edgedet.camera import sources
from edgedet.camera.sources import GRAMMAR, open_source, schemes
from edgedet.errors import SourceError


def test_every_module_with_schemes_is_found():
    assert {"file", "test"} <= set(schemes())


@pytest.mark.parametrize("scheme", schemes())
def test_every_scheme_and_option_is_explained(scheme):
    assert scheme in GRAMMAR or scheme == "https"
    for option in schemes()[scheme].OPTIONS:
        assert f" {option}=" in GRAMMAR, option


def test_the_grammar_fits_a_terminal():
    assert max(map(len, GRAMMAR.splitlines())) <= 120


def test_the_page_says_the_same():
    page = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
    assert f"```\n{GRAMMAR}```" in page


def test_the_pages_example_runs(capsys):
    page = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(example.replace("frames=100", "frames=3&rate=200&buffer=3"))
    assert re.fullmatch(r"(\d \d+\.\d ms old \(480, 640, 3\)\n){3}", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("", ["got nothing"]),
        ("test:size=3x3", ["write a ? after it"]),
        ("rtsp://me:hush/hush#hush@cam/", ["rtsp://***@cam", "got no host", "%2F"]),
        ("tets:", ["expected a scheme", "'tets'", "write test:"]),
        ("quux://admin:hush@host/", ["'quux'", "if it is a file"]),
        ("test:?sise=3x3", ["expected options", "'sise'", "write size"]),
        ("test:?size=big", ["size: expected WIDTHxHEIGHT", "'big'"]),
        ("test:?size=0x4", ["size: expected WIDTHxHEIGHT"]),
        ("test:?rate=nan", ["rate: expected frames per second"]),
        ("test:?rate=-1", ["rate: expected frames per second"]),
        ("test:?frames=2.5", ["frames: expected a whole number"]),
        ("test:?flip=upside", ["flip: expected one of horizontal, vertical, 90"]),
        ("test:?live=maybe", ["live: expected yes or no"]),
        ("test:?loop=yes", ["expected options among", "'loop'"]),
        ("file://server/share/a.mp4", ["'server'", "one slash more"]),
    ],
)
def test_a_wrong_uri_is_named(uri, words):
    with pytest.raises(ValueError, match=r".+: expected .+, got .+; .+") as caught:
        open_source(uri)
    assert not isinstance(caught.value, SourceError)
    for word in words:
        assert word in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_wrong_argument_is_named_as_one_of_the_uri():
    with pytest.raises(ValueError, match="loop"):
        open_source("test:", loop=True)
    with pytest.raises(ValueError, match="size: expected WIDTHxHEIGHT"):
        open_source("test:", size_wh=(3, -4))


def test_arguments_come_before_the_uri():
    with open_source("test:?size=64x48&rate=5&live=no", size_wh=(80, 60)) as source:
        assert source.read().image.shape == (60, 80, 3)
        assert source.rate == 5


def test_options_of_all_kinds(monkeypatch):
    seen = {}
    monkeypatch.setattr(schemes()["test"], "open", lambda address, options: seen.update(vars(options)))
    open_source("test:?flip=90&timeout=2.5&reconnect=inf&buffer=3&seed=4&frames=5&cycle=6&live=0")
    assert seen["flip"] == "90" and seen["timeout_s"] == 2.5 and seen["reconnect"] == math.inf
    assert (seen["buffer"], seen["seed"], seen["frames"], seen["cycle"], seen["live"]) == (3, 4, 5, 6, False)


def test_a_number_is_a_camera(monkeypatch):
    names = []
    fake = type("Fake", (), {"SCHEMES": ("v4l2",), "OPTIONS": (), "OPTIONS_AFTER": "?"})
    fake.open = staticmethod(lambda address, options: names.append(address.name))
    monkeypatch.setattr(sources, "schemes", lambda: {"v4l2": fake})
    open_source(0)
    open_source("1")
    assert names == ["v4l2:///dev/video0", "v4l2:///dev/video1"]
