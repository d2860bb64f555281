"""Sinks by URI: found by name, options checked, and what people get wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_fakes import FakeSink

from edgedet.camera.sinks import as_sink, grammar, open_sink, schemes, values
from edgedet.camera.sinks.jsonl import JsonLines


@pytest.mark.parametrize("scheme", schemes())
def test_every_kind_is_described(scheme: str) -> None:
    kind = schemes()[scheme]
    assert scheme in kind.SCHEMES
    assert any(line.lstrip().startswith(f"{scheme}:") or f", {scheme}:" in line for line in grammar().splitlines())
    assert all(f"{option}=" in kind.GRAMMAR for option in kind.OPTIONS)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("found.jsonl", "sink: expected a kind among .*jsonl.*, got 'found.jsonl'; "),
        ("", "sink: expected a kind among .*, got ''; "),
        ("jsnl:x", "got 'jsnl'; write jsonl:"),
        ("jsonl:", r"jsonl: expected a path, got ''; write as in jsonl:/folder/file"),
        ("jsonl://host/x", "jsonl: expected a path, got '//host/x'"),
        ("jsonl:x?apend=yes", "jsonl: expected options among append, got 'apend'; write append"),
        ("jsonl:x?append=true", "jsonl: append: expected yes or no, got 'true'; correct it"),
        ("values:x", "expected a kind among"),
        ("base:x", "expected a kind among"),
    ],
)
def test_mistakes(uri: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        open_sink(uri)


@pytest.mark.parametrize(("address", "path"), [("a/b", "a/b"), ("/a/b", "/a/b"), ("///a/b", "/a/b"), ("./-", "./-")])
def test_paths(address: str, path: str) -> None:
    assert values.path("jsonl", address) == Path(path)


def test_whatever_is_given_becomes_a_sink() -> None:
    sink = FakeSink()
    assert as_sink(sink) is sink
    assert isinstance(as_sink("jsonl:x"), JsonLines)
    assert as_sink(print).name == "print"
    with pytest.raises(ValueError, match="sink: expected a Sink, a URI or a callable, got int"):
        as_sink(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (values.number(0.5, 2), {"0.5": 0.5, "2": 2.0}, ["", "x", "nan", "0.4", "3"]),
        (values.whole(1, 9), {"1": 1, "9": 9}, ["", "0", "10", "1.0", "-1", "²"]),
        (values.yes, {"yes": True, "no": False}, ["", "1", "Yes"]),
        (values.one_of("a", "b"), {"a": "a"}, ["", "c"]),
    ],
)
def test_values(parse, good, bad) -> None:  # type: ignore[no-untyped-def]
    assert {text: parse(text) for text in good} == good
    for text in bad:
        with pytest.raises(ValueError, match=r"^(a number|a whole|yes|one of)"):
            parse(text)
