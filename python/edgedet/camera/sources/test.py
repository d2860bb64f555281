"""``test:`` a generated scene whose truth is known, as a camera would show it."""

from __future__ import annotations

import functools
import threading
import time
from typing import Optional

import numpy as np

from edgedet.camera.frame import Image
from edgedet.camera.scene import Boxes, ClassIds, MovingScene, Scene
from edgedet.camera.sources import options as source_options
from edgedet.camera.sources.address import Address, parse
from edgedet.camera.sources.base import Shot, Source
from edgedet.camera.sources.direct import DirectSource
from edgedet.camera.sources.live import LiveSource
from edgedet.camera.sources.options import Options
from edgedet.errors import EndOfStream, SourceTimeout

SCHEMES = ("test",)
OPTIONS = source_options.LIVE | {"size", "rate", "live", "frames", "seed", "cycle"}
OPTIONS_AFTER = "?"
_RATE = 30.0


def open(address: Address, options: Options) -> Source:
    """A source that keeps the time of its rate, or with ``live=no`` draws a frame whenever one is read."""
    if address.text.partition(":")[2].strip("/"):
        raise ValueError(
            f"{address.name}: expected test: or test:?OPTION=VALUE, got something else; write a ? after it"
        )
    if options.live is False:
        return DirectSource(address.name, options, SceneDevice(options, paced=False))
    return LiveSource(address.name, options, lambda: SceneDevice(options, paced=True))


def truth(uri: str, index: int) -> tuple[Boxes, ClassIds]:
    """What is to be seen in the frame ``index`` of the source ``uri``, before any ``flip``.

    Returns:
        boxes (N, 4) float32 ``x1 y1 x2 y2`` in pixels; class ids (N,) int32, as in `scene.LABELS`.
    """
    address = parse(uri, OPTIONS_AFTER)
    options = source_options.make(address.name, OPTIONS, address.options, {})
    return _draw(options.seed, _size_wh(options), index % (options.cycle or index + 1))[1:]


def _size_wh(options: Options) -> tuple[int, int]:
    return options.size_wh or (640, 480)


@functools.lru_cache(maxsize=4)
def _scene(seed: int, size_wh: tuple[int, int]) -> MovingScene:
    return MovingScene(seed, size_wh)


def _draw(seed: int, size_wh: tuple[int, int], number: int) -> Scene:
    return _scene(seed, size_wh).frame(number)


class SceneDevice:
    """Draws the frames of one scene; with ``paced``, each when a camera of that rate would have it."""

    damaged = 0

    def __init__(self, options: Options, *, paced: bool) -> None:
        self.size_wh: tuple[int, int] = _size_wh(options)
        self.rate: float = options.rate or _RATE
        self._options = options
        self._paced = paced
        self._kept: dict[int, Image] = {}
        self._next = 0
        self._due_s: Optional[float] = None
        self._interrupted = threading.Event()

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`."""
        if self._options.frames is not None and self._next >= self._options.frames:
            raise EndOfStream
        captured_s = self._wait(timeout_s) if self._paced else time.monotonic()
        shot = Shot(self._image(self._next), captured_s, self._next / self.rate)
        self._next += 1
        return shot

    def _wait(self, timeout_s: float) -> float:
        """Waits until the next frame is due; a camera that is late by more than a frame begins to count anew."""
        now = time.monotonic()
        due_s = now if self._due_s is None or now - self._due_s > 1 / self.rate else self._due_s
        self._due_s = due_s
        if due_s - now > timeout_s:
            self._interrupted.wait(timeout_s)
            raise SourceTimeout(
                f"test: expected a frame within {timeout_s:g} s, got one every {1 / self.rate:g} s; raise the timeout"
            )
        self._interrupted.wait(due_s - now)
        self._due_s = due_s + 1 / self.rate
        return time.monotonic()

    def _image(self, number: int) -> Image:
        """The picture; drawn once and kept if the scene goes in a circle."""
        cycle = self._options.cycle
        if cycle is None:
            return _draw(self._options.seed, self.size_wh, number)[0]
        kept = self._kept.get(number % cycle)
        if kept is None:
            kept = self._kept[number % cycle] = _draw(self._options.seed, self.size_wh, number % cycle)[0]
        return np.array(kept)

    def interrupt(self) -> None:
        """See `Device.interrupt`."""
        self._interrupted.set()

    def close(self) -> None:
        """See `Device.close`."""
        self._kept.clear()
