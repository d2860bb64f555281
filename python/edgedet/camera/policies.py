"""What happens to frames that come faster than they are used: policies by name, in one table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union


@dataclass(frozen=True)
class Policy:
    """A rule for a queue of frames between a source and the models.

    Attributes:
        name: as `parse` takes it.
        depth: how many frames may wait.
        blocks: a full queue makes the source wait; otherwise its oldest frame is dropped.
        max_age_s: a frame that is older when its turn comes is dropped; None: any age will do.
    """

    name: str
    depth: int
    blocks: bool = False
    max_age_s: float | None = None


def latest() -> Policy:
    """Always the newest frame, for live pictures: its age is bounded whatever the source's rate."""
    return Policy("latest", 1)


def drop_oldest(n: float = 4) -> Policy:
    """The newest ``n`` frames, in order: rides out short delays at the price of age."""
    if n != int(n) or not 1 <= n <= 1024:
        raise ValueError(f"drop_oldest: expected a whole number from 1 to 1024, got {n:g}; choose how many may wait")
    return Policy(f"drop_oldest({int(n)})", int(n))


def lossless() -> Policy:
    """Every frame, for files: the source waits for the models, and the models for the sinks."""
    return Policy("lossless", 4, blocks=True)


def max_age(seconds: float = 0.5) -> Policy:
    """Frames in order, up to 8 waiting, unless they are older than ``seconds`` when their turn comes."""
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"max_age: expected seconds above 0, got {seconds:g}; choose how old a frame may be")
    return Policy(f"max_age({seconds:g})", 8, max_age_s=seconds)


#: name -> what makes it, from at most one number.
POLICIES: dict[str, Callable[..., Policy]] = {rule.__name__: rule for rule in (latest, drop_oldest, lossless, max_age)}
_TAKES_NUMBER = frozenset(("drop_oldest", "max_age"))
_TEXT = re.compile(r"(?P<name>\w+)(?:[:(](?P<number>[0-9.]+)\)?)?")


def parse(policy: Union[str, Policy]) -> Policy:
    """A policy from its text: ``latest``, ``drop_oldest(4)``, ``lossless``, ``max_age(0.5)``; ``max_age:0.5`` as well.

    Raises:
        ValueError: there is no such policy, or its number is wrong.
    """
    if isinstance(policy, Policy):
        return policy
    match = _TEXT.fullmatch(policy)
    name, number = (match["name"], match["number"]) if match else ("", None)
    arguments: list[Any] = [] if number is None else [_number(policy, number)]
    if name not in POLICIES or (arguments and name not in _TAKES_NUMBER):
        raise ValueError(
            f"policy: expected latest, drop_oldest(N), lossless or max_age(SECONDS), got {policy!r}; write one of these"
        )
    return POLICIES[name](*arguments)


def _number(policy: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"policy: expected a number, got {text!r} in {policy!r}; write as in max_age(0.5)") from None
