"""Arguments that several commands share, and how their text becomes a value."""

from __future__ import annotations

import argparse

#: What a drawing command shows by default: the published 0.1 is for evaluations and fills a picture with doubts.
DISPLAY_THRESHOLD = 0.4


def add_device(parser: argparse.ArgumentParser) -> None:
    """``--device``, ``--runtime`` and ``--threads``, as `edgedet.load` takes them."""
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, ascend or ascend:N (auto)")
    parser.add_argument("--runtime", default="auto", metavar="NAME", help="inference runtime (auto: the best present)")
    parser.add_argument("--threads", type=positive, metavar="N", help="cores to use (the runtime's own choice)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON document and no progress")


def positive(text: str) -> int:
    """A whole number from 1."""
    return _whole(text, 1)


def natural(text: str) -> int:
    """A whole number from 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected a whole number from {least}, got {text!r}")
    return int(text)


def fraction(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:  # NaN too
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return value
