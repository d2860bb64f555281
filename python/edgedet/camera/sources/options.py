"""The options of a source: what they mean and how their text becomes a value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, Callable, Optional

from edgedet.camera.sources import turn


@dataclass(frozen=True)
class Options:
    """How to open a source; a scheme takes those that it names and refuses the others.

    Attributes:
        size_wh: width and height that the camera is asked for.
        rate: frames per second that the camera is asked for; of a file, at which it is played.
        codec: the pixel format or codec that the camera is asked for, its four-letter code.
        flip: a name in `turn.FLIPS`; None: as it is.
        loop: begin again at the end.
        live: come in one's own time, as a camera does; None: as the scheme does.
        watch: at the end of a folder wait for pictures that are yet to come.
        timeout_s: how long without a frame is too long.
        reconnect: attempts in a row to get a lost camera back, ``math.inf``: for ever; None: for ever once it has given
            a frame, but none before that, so that a wrong address is an error at once.
        buffer: frames that a live source keeps for a reader that is late, the oldest given up for the newest.
        frames: how many frames there are in a generated scene.
        seed: of a generated scene.
        cycle: draw so many different frames of a generated scene, then the same again without drawing.
    """

    size_wh: Optional[tuple[int, int]] = None
    rate: Optional[float] = None
    codec: Optional[str] = None
    flip: Optional[str] = None
    loop: bool = False
    live: Optional[bool] = None
    watch: bool = False
    timeout_s: float = 10.0
    reconnect: Optional[float] = None
    buffer: int = 1
    frames: Optional[int] = None
    seed: int = 0
    cycle: Optional[int] = None


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    if not found or not int(found[1]) or not int(found[2]):
        raise ValueError("WIDTHxHEIGHT in pixels, such as 1280x720")
    return int(found[1]), int(found[2])


def _yes(text: str) -> bool:
    answers = {"yes": True, "no": False, "1": True, "0": False, "true": True, "false": False, "": True}
    if text.lower() not in answers:
        raise ValueError("yes or no")
    return answers[text.lower()]


def _flip(text: str) -> str:
    if text not in turn.FLIPS:
        raise ValueError(f"one of {', '.join(turn.FLIPS)}")
    return text


def _codec(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{3,4}", text):
        raise ValueError("a four-letter code such as MJPG, YUYV or NV12")
    return text.upper()


def _number(least: float, greatest: float, what: str, kind: Callable[[str], Any] = float) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value <= greatest:
            raise ValueError(f"{what} from {least} to {greatest}")
        return value

    return parse


# Each option's name in a URI: the attribute it sets, and what makes its value of text.
_NAMES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "size": ("size_wh", _size),
    "rate": ("rate", _number(0.01, 1000, "frames per second")),
    "codec": ("codec", _codec),
    "flip": ("flip", _flip),
    "loop": ("loop", _yes),
    "live": ("live", _yes),
    "watch": ("watch", _yes),
    "timeout": ("timeout_s", _number(0.05, 3600, "seconds")),
    "reconnect": ("reconnect", _number(0, math.inf, "a number of attempts")),
    "buffer": ("buffer", _number(1, 64, "a whole number", int)),
    "frames": ("frames", _number(1, 10**9, "a whole number", int)),
    "seed": ("seed", _number(0, 2**32 - 1, "a whole number", int)),
    "cycle": ("cycle", _number(1, 1000, "a whole number", int)),
}
_TEXT_NAMES = {attribute: name for name, (attribute, _) in _NAMES.items()}
#: Every source's.
COMMON = frozenset(("flip", "timeout"))
#: Every camera's and stream's.
LIVE = COMMON | {"reconnect", "buffer"}


def make(name: str, understood: Iterable[str], texts: Mapping[str, str], values: Mapping[str, Any]) -> Options:
    """The options of one source.

    Args:
        name: the source's, for messages.
        understood: the names of the options that its scheme takes.
        texts: options from the URI.
        values: options by attribute, as a program gives them; they come before those of the URI.

    Raises:
        ValueError: an option that the scheme doesn't have, or a value that can't be.
    """
    known = sorted(understood)
    settings: dict[str, Any] = {}
    given = {**texts, **{_TEXT_NAMES[key]: _as_text(value) for key, value in values.items() if value is not None}}
    for option, text in given.items():
        if option not in known:
            near = get_close_matches(option, known, 1)
            do = f"write {near[0]}" if near else "leave it out"
            raise ValueError(f"{name}: expected options among {', '.join(known)}, got {option!r}; {do}")
        attribute, parse = _NAMES[option]
        try:
            settings[attribute] = parse(text)
        except ValueError as error:
            raise ValueError(f"{name}: {option}: expected {error}, got {text!r}; correct it") from None
    return Options(**settings)


def _as_text(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return "x".join(str(side) for side in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


assert {field.name for field in fields(Options)} == set(_TEXT_NAMES)
