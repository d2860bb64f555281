"""What is behind a generated scene's things, and what the camera adds in front of them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Color = tuple[int, int, int]


def random_color(rng: np.random.Generator, *, vivid: bool = True) -> Color:
    """Things are vivid (one in ten grey), backgrounds are dull."""
    saturation = rng.integers(110, 256) if vivid and rng.random() < 0.9 else rng.integers(0, 90)
    value = rng.integers(110, 256) if vivid else rng.integers(20, 230)
    pixel = np.array([[(rng.integers(180), saturation, value)]], np.uint8)
    blue, green, red = (int(channel) for channel in cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0])
    return blue, green, red


def background(rng: np.random.Generator, size_wh: tuple[int, int]) -> Image:
    """A gradient or a cloud, cluttered with blobs and lines that are none of the things; (H, W, 3) uint8 BGR."""
    width, height = size_wh
    if rng.random() < 0.5:
        corners = np.array([[random_color(rng, vivid=False) for _ in range(2)] for _ in range(2)], np.uint8)
        image: Image = cv2.resize(corners, size_wh, interpolation=cv2.INTER_LINEAR)
    else:
        base = np.array(random_color(rng, vivid=False), float)
        cells = (int(rng.integers(4, 12)), int(rng.integers(4, 12)))
        relief = rng.normal(0, 30, (*cells, 1)) + rng.normal(0, 14, (*cells, 3))
        cloud = np.clip(base + relief, 0, 255).astype(np.uint8)
        image = cv2.resize(cloud, size_wh, interpolation=cv2.INTER_CUBIC)
    for _ in range(int(rng.integers(0, 7))):
        _patch(rng, image)
    unit = min(width, height)
    for _ in range(int(rng.integers(0, 9))):
        start, end = (tuple(int(v) for v in rng.uniform(-0.2, 1.2, 2) * size_wh) for _ in range(2))
        thickness = max(1, round(unit * float(rng.uniform(0.003, 0.02))))
        cv2.line(image, start, end, random_color(rng, vivid=rng.random() < 0.3), thickness, cv2.LINE_AA)
    return image


def _patch(rng: np.random.Generator, image: Image) -> None:
    """Paints one irregular blob, plain, striped or speckled, half transparent at times."""
    size_wh = np.array(image.shape[1::-1])
    unit = int(size_wh.min())
    corners = int(rng.integers(5, 9))
    # One corner per sector, so that no blob is a triangle by accident.
    turn = (np.arange(corners) + rng.uniform(0, 0.6, corners)) * 2 * np.pi / corners
    reach = rng.uniform(0.4, 1.0, corners) * unit * rng.uniform(0.05, 0.4)
    spokes = np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach[:, None] * rng.uniform(0.4, 1.6, 2)
    points = np.round(rng.uniform(0, 1, 2) * size_wh + spokes).astype(np.int32)
    low = np.clip(points.min(axis=0), 0, size_wh - 1)
    width, height = (int(side) for side in np.clip(points.max(axis=0) + 1, low + 1, size_wh) - low)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [points - low.astype(np.int32)], 128 if rng.random() < 0.3 else 255, cv2.LINE_AA)
    paint = np.empty((height, width, 3), np.uint8)
    paint[:] = random_color(rng, vivid=rng.random() < 0.15)
    texture = rng.integers(3)
    if texture == 1:
        period = max(2.0, unit * float(rng.uniform(0.01, 0.04)))
        across = np.add.outer(np.arange(height) * np.sin(turn[0]), np.arange(width) * np.cos(turn[0]))
        paint[(across / period) % 2 < 1] = random_color(rng, vivid=False)
    elif texture == 2:
        paint[rng.random((height, width)) < 0.3] = random_color(rng, vivid=False)
    blend(image[low[1] : low[1] + height, low[0] : low[0] + width], paint, mask)


def blend(view: Image, paint: Image, mask: Image) -> None:
    """Lays the paint over the view (both (H, W, 3)) in place, as opaque as the mask (H, W) says."""
    alpha = mask[..., None] * np.float32(1 / 255)
    view[:] = np.rint(view + (paint - view.astype(np.float32)) * alpha)


def sensor(rng: np.random.Generator, image: Image, *, blur: float | None = None, noise: float | None = None) -> Image:
    """What a camera adds: blur (sigma, pixels at 640x480) and noise (standard deviation); random where left out."""
    if blur is None:
        blur = float(rng.uniform(0, 1.4)) if rng.random() < 0.5 else 0.0
    if noise is None:
        noise = float(rng.uniform(0, 10))
    sigma = blur * min(image.shape[:2]) / 480
    if sigma > 0.3:
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    grain = np.empty(image.shape, np.int16)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(grain, 0, noise)
    seen: Image = np.clip(image + grain, 0, 255).astype(np.uint8)
    return seen
