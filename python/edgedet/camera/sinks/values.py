"""How the text of a sink's option becomes its value; a ValueError says what was expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def number(least: float, most: float) -> Callable[[str], float]:
    """Makes a number that lies in a range."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ValueError(f"a number from {least:g} to {most:g}")
        return value

    return parse


def whole(least: int, most: int) -> Callable[[str], int]:
    """Makes a whole number that lies in a range."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def yes(text: str) -> bool:
    """``yes`` or ``no``."""
    if text not in ("yes", "no"):
        raise ValueError("yes or no")
    return text == "yes"


def one_of(*names: str) -> Callable[[str], str]:
    """Makes one of some words."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return text

    return parse


def fourcc(text: str) -> str:
    """A codec's four-letter code."""
    if len(text) != 4 or not text.isascii() or not text.isprintable():
        raise ValueError("a code of four letters, such as mp4v")
    return text


def path_or_stdout(scheme: str, address: str) -> Path | None:
    """As `path`; None for ``scheme:-``."""
    return None if address == "-" else path(scheme, address)


def path(scheme: str, address: str) -> Path:
    """The path in ``scheme:path``, ``scheme:/path`` or ``scheme:///path``."""
    text = address[2:] if address.startswith("///") else address
    if not text or text.startswith("//"):
        raise ValueError(f"{scheme}: expected a path, got {address!r}; write as in {scheme}:/folder/file")
    return Path(text)
