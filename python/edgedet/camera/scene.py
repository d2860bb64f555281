"""Generated scenes whose truth is known: coloured shapes on a cluttered background.

They train the small model of ``examples/shapes``, feed ``edgedet demo`` and the camera source ``test:``. The same seed
and size give the same scene. Only NumPy and OpenCV are used.

**Truth.** A thing's box is the tight box of its *visible* pixels (those that no later thing covers and that lie inside
the frame, at least half covered by its outline), in pixels ``x1 y1 x2 y2`` with ``x2 y2`` one past the last pixel. A
thing is labelled when at least ``MIN_VISIBLE`` of its area is visible; what is left of the others stays in the picture
as clutter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edgedet.camera.backdrop import Color, Image, background, blend, random_color, sensor

Boxes = npt.NDArray[np.float32]
ClassIds = npt.NDArray[np.int32]
Outline = npt.NDArray[np.float64]
Scene = tuple[Image, Boxes, ClassIds]

LABELS = ("circle", "square", "triangle", "star", "cross", "ring", "heart", "arrow")
"""The things' names; a class id is an index into this."""

MIN_VISIBLE = 0.4
"""Things of which less than this fraction is visible are not labelled."""

_SHIFT = 4  # cv2 draws with this many fractional bits
_MARGIN = 2  # pixels around a thing's patch, for anti-aliased edges


@dataclass(frozen=True)
class Thing:
    """One shape in a scene.

    Attributes:
        class_id: index into ``LABELS``.
        center: x, y in pixels.
        radius: of the circle around the shape, in pixels.
        angle: rotation in radians.
        color: inside, BGR.
        edge: outline, BGR; None for a shape without one.
        shade: change of brightness from the shape's top to its bottom, -1 to 1.
    """

    class_id: int
    center: tuple[float, float]
    radius: float
    angle: float
    color: Color
    edge: Color | None
    shade: float


def draw_scene(seed: int, size_wh: tuple[int, int] = (640, 480), *, max_things: int = 7) -> Scene:
    """Draws one still scene.

    Args:
        seed: any non-negative number; the scene depends on it and on the size alone.
        size_wh: width and height of the frame in pixels.
        max_things: one to this many things are drawn.

    Returns:
        image (H, W, 3) uint8 BGR; boxes (N, 4) float32 ``x1 y1 x2 y2`` in pixels; class ids (N,) int32.
    """
    rng = np.random.default_rng((seed, *size_wh))
    image = background(rng, size_wh)
    things = [_random_thing(rng, size_wh) for _ in range(int(rng.integers(1, max_things + 1)))]
    boxes, class_ids = _paint(image, things)
    return sensor(rng, image), boxes, class_ids


class MovingScene:
    """A short scene in which things drift, turn and pass each other.

    Args:
        seed: any non-negative number; the frames depend on it and on the size alone.
        size_wh: width and height of the frames in pixels.
        things: how many things there are.
    """

    def __init__(self, seed: int, size_wh: tuple[int, int] = (640, 480), *, things: int = 6) -> None:
        rng = np.random.default_rng((seed, *size_wh, 1))
        self._seed = seed
        self._size_wh = size_wh
        self._background = background(rng, size_wh)
        self._things = [_random_thing(rng, size_wh) for _ in range(things)]
        self._speeds = rng.uniform(-0.006, 0.006, (things, 2)) * min(size_wh)
        self._turns = rng.uniform(-0.03, 0.03, things)

    def frame(self, index: int) -> Scene:
        """Draws frame ``index`` (0, 1, …, in any order); returns what ``draw_scene`` returns."""
        image = self._background.copy()
        boxes, class_ids = _paint(image, [self._moved(number, index) for number in range(len(self._things))])
        rng = np.random.default_rng((self._seed, index, 2))
        return sensor(rng, image, blur=0.0, noise=2.0), boxes, class_ids

    def _moved(self, number: int, index: int) -> Thing:
        thing = self._things[number]
        x, y = (
            _bounce(thing.center[axis] + index * self._speeds[number, axis], thing.radius * 0.6, self._size_wh[axis])
            for axis in (0, 1)
        )
        angle = thing.angle + index * float(self._turns[number])
        return Thing(thing.class_id, (x, y), thing.radius, angle, thing.color, thing.edge, thing.shade)


def _bounce(position: float, margin: float, size: int) -> float:
    """A point that moves straight and is reflected ``margin`` before both ends of 0 to ``size``."""
    room = max(size - 2 * margin, 1e-6)
    phase = (position - margin) % (2 * room)
    return margin + min(phase, 2 * room - phase)


def outline(class_id: int) -> list[Outline]:
    """The shape's rings, each (K, 2) x, y, y downwards; the farthest point is 1 from the origin.

    Rings after the first are holes.
    """
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    disc = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    name = LABELS[class_id]
    if name == "circle":
        return [disc]
    if name == "ring":
        return [disc, disc * 0.55]
    if name == "heart":
        x, y = 16 * np.sin(turn) ** 3, -(13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn))
        heart = np.stack([x, y + np.cos(4 * turn)], axis=1) - (0.0, 2.5)
        return [heart / np.hypot(*heart.T).max()]
    return [_POLYGONS[name]]


def _regular(corners: int, inner: float | None = None) -> Outline:
    count = corners if inner is None else 2 * corners
    turn = np.arange(count) * 2 * np.pi / count - np.pi / 2
    radius = np.ones(count)
    if inner is not None:
        radius[1::2] = inner
    return np.stack([np.cos(turn) * radius, np.sin(turn) * radius], axis=1)


def _cross(half: float) -> Outline:
    arm = math.sqrt(1 - half * half)
    quarter = np.array([(half, -arm), (half, -half), (arm, -half)])
    turned = [quarter @ np.array([(c, s), (-s, c)]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    return np.concatenate(turned)


_POLYGONS = {
    "square": _regular(4),
    "triangle": _regular(3),
    "star": _regular(5, 0.45),
    "cross": _cross(0.3),
    "arrow": np.array(
        [(1, 0), (0.2, -0.72), (0.2, -0.28), (-0.94, -0.28), (-0.94, 0.28), (0.2, 0.28), (0.2, 0.72)], float
    ),
}


def _random_thing(rng: np.random.Generator, size_wh: tuple[int, int]) -> Thing:
    width, height = size_wh
    # Small things are as common as large ones: uniform in the logarithm.
    radius = min(size_wh) * float(np.exp(rng.uniform(np.log(0.075), np.log(0.26))))
    center = (rng.uniform(0.5 * radius, width - 0.5 * radius), rng.uniform(0.5 * radius, height - 0.5 * radius))
    return Thing(
        class_id=int(rng.integers(len(LABELS))),
        center=(float(center[0]), float(center[1])),
        radius=radius,
        angle=float(rng.uniform(0, 2 * np.pi)),
        color=random_color(rng),
        edge=random_color(rng) if rng.random() < 0.4 else None,
        shade=float(rng.uniform(-0.3, 0.3)),
    )


def _paint(image: Image, things: list[Thing]) -> tuple[Boxes, ClassIds]:
    """Draws the things in order, later ones on top; returns the truth."""
    owner = np.zeros(image.shape[:2], np.uint8)
    areas = []
    for number, thing in enumerate(things, start=1):
        areas.append(_paint_one(image, owner, thing, number))
    boxes, class_ids = [], []
    for number, (thing, area) in enumerate(zip(things, areas), start=1):
        visible = (owner == number).astype(np.uint8)
        if cv2.countNonZero(visible) >= max(MIN_VISIBLE * area, 1):
            x, y, width, height = cv2.boundingRect(visible)
            boxes.append((x, y, x + width, y + height))
            class_ids.append(thing.class_id)
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(class_ids, np.int32)


def _paint_one(image: Image, owner: npt.NDArray[np.uint8], thing: Thing, number: int) -> int:
    """Blends one thing into the image and enters it in the map of owners; returns its whole area in pixels."""
    side = 2 * (math.ceil(thing.radius) + _MARGIN)
    left, top = (math.floor(value) - side // 2 for value in thing.center)
    cos, sin = math.cos(thing.angle), math.sin(thing.angle)
    turned = [ring @ np.array([(cos, sin), (-sin, cos)]) for ring in outline(thing.class_id)]
    local = np.array(thing.center) - (left, top)
    rings = [np.round((ring * thing.radius + local - 0.5) * 2**_SHIFT).astype(np.int32) for ring in turned]
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, rings, 255, cv2.LINE_AA, _SHIFT)
    ramp = np.linspace(1 - thing.shade, 1 + thing.shade, side)[:, None, None]
    patch = np.clip(ramp * np.array(thing.color, float), 0, 255).repeat(side, axis=1).astype(np.uint8)
    if thing.edge is not None:
        thickness = max(1, round(thing.radius * 0.1))
        cv2.polylines(patch, rings, True, thing.edge, thickness, cv2.LINE_AA, _SHIFT)
    height, width = owner.shape
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    if x1 < x2 and y1 < y2:
        inner = slice(y1 - top, y2 - top), slice(x1 - left, x2 - left)
        blend(image[y1:y2, x1:x2], patch[inner], mask[inner])
        owner[y1:y2, x1:x2][mask[inner] >= 128] = number
    return cv2.countNonZero(cv2.threshold(mask, 127, 255, cv2.THRESH_BINARY)[1])
