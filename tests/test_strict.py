"""Strict reading of JSON into dataclasses, on a dataclass that has every kind of field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedet.errors import BundleError
from edgedet.strict import read


@dataclass(frozen=True)
class Part:
    size: int


@dataclass(frozen=True)
class Thing:
    count: int
    ratio: float
    name: str
    good: bool
    pair: tuple[int, int]
    words: tuple[str, ...]
    table: dict[str, str]
    part: Part
    parts: tuple[Part, ...]
    maybe: Optional[int] = None


GOOD: dict[str, Any] = {
    "count": 3,
    "ratio": 0.5,
    "name": "n",
    "good": True,
    "pair": [1, 2],
    "words": ["a"],
    "table": {"k": "v"},
    "part": {"size": 1},
    "parts": [{"size": 2}, {"size": 3}],
}


def test_reads_every_kind_of_field() -> None:
    thing = Thing(3, 0.5, "n", True, (1, 2), ("a",), {"k": "v"}, Part(1), (Part(2), Part(3)))
    assert read(Thing, GOOD, "x.json") == thing
    assert read(Thing, {**GOOD, "maybe": None}, "x.json").maybe is None
    assert read(Thing, {**GOOD, "maybe": 4}, "x.json").maybe == 4


def test_whole_number_is_a_number() -> None:
    ratio = read(Thing, {**GOOD, "ratio": 2}, "x.json").ratio
    assert (ratio, type(ratio)) == (2.0, float)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("count", True, "count"),
        ("count", 1.0, "count"),
        ("count", "1", "count"),
        ("count", None, "count"),
        ("ratio", True, "ratio"),
        ("ratio", float("nan"), "ratio"),
        ("ratio", float("inf"), "ratio"),
        ("ratio", 10**400, "ratio"),
        ("ratio", "0.5", "ratio"),
        ("name", 1, "name"),
        ("name", "\ud800", "name"),
        ("good", 1, "good"),
        ("pair", [1], "pair"),
        ("pair", [1, 2, 3], "pair"),
        ("pair", [1, "2"], "pair[1]"),
        ("pair", {"0": 1}, "pair"),
        ("words", "word", "words"),
        ("words", ["a", 1], "words[1]"),
        ("table", ["k"], "table"),
        ("table", {"k": 1}, "table.k"),
        ("part", 1, "part"),
        ("part", {}, "part.size"),
        ("part", {"size": 1, "more": 2}, "part.more"),
        ("parts", [{"size": 1}, {"size": "s"}], "parts[1].size"),
        ("maybe", "s", "maybe"),
        ("maybe", False, "maybe"),
    ],
)
def test_wrong_value_names_its_key(key: str, value: object, named: str) -> None:
    with pytest.raises(BundleError) as caught:
        read(Thing, {**GOOD, key: value}, "x.json")
    assert str(caught.value).startswith(f"x.json: {named}: expected ")


@pytest.mark.parametrize("key", list(GOOD))
def test_missing_key_is_named(key: str) -> None:
    with pytest.raises(BundleError, match=f"^x.json: {key}: expected a value, got none"):
        read(Thing, {name: value for name, value in GOOD.items() if name != key}, "x.json")


def test_unknown_key_is_named() -> None:
    with pytest.raises(BundleError, match=r"^x\.json: more: expected one of count, .*got an unknown key"):
        read(Thing, {**GOOD, "more": 1}, "x.json")


@pytest.mark.parametrize("data", [None, [], 1, "{}", True])
def test_top_must_be_an_object(data: object) -> None:
    with pytest.raises(BundleError, match=r"^x\.json: expected an object"):
        read(Thing, data, "x.json")


def test_override_decides_the_type_of_a_field() -> None:
    assert read(Thing, {**GOOD, "part": 7}, "x.json", {"part": int}).part == 7


@pytest.mark.parametrize("value", ["x" * 10_000, 10**3000, {"k" * 10_000: 1}, [[1] * 1000] * 1000])
def test_message_stays_short(value: object) -> None:
    with pytest.raises(BundleError) as caught:
        read(Thing, {**GOOD, "part": value}, "x.json")
    assert len(str(caught.value)) < 400


def test_deep_nesting_is_an_error_like_any_other() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(BundleError, match="name: expected a string"):
        read(Thing, {**GOOD, "name": deep}, "x.json")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["size", "k"]), inner, max_size=2),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "maybe", "more"]), VALUES))
def test_anything_is_a_thing_or_a_bundle_error(changes: dict[str, Any]) -> None:
    try:
        assert isinstance(read(Thing, {**GOOD, **changes}, "x.json"), Thing)
    except BundleError as error:
        assert str(error).startswith("x.json: ")
