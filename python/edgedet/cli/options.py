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


def add_variant(parser: argparse.ArgumentParser) -> None:
    """``--target`` and ``--precision``, as `Bundle.only` takes them."""
    parser.add_argument("--target", metavar="NAME", help="the variant of this target (the best that runs here)")
    parser.add_argument("--precision", metavar="NAME", help="the variant in fp32, fp16 or int8 (the best)")


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


def threads(text: str) -> int:
    """A whole number from 1 to 1024."""
    if (value := positive(text)) > 1024:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 1024, got {text!r}")
    return value


def seconds(text: str) -> float:
    """A number above 0, and at most a day."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 86_400:  # NaN too
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, at most 86400, got {text!r}")
    return value


def fraction(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:  # NaN too
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return value
