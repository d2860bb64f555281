"""What a bundle holds besides its networks: its golden inputs, and the description that ends as ``model.json``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet import spec as specs
from edgedet.bundle import sha256
from edgedet.errors import ConversionError, EdgedetError
from edgedet.spec import Source, Spec
from edgedet_converters import zoo
from edgedet_converters.exported import Description


def gather_golden(given: Sequence[Path], folder: Path) -> list[Path]:
    """Copies the pictures into the bundle as PNG: the same pixels for every decoder."""
    import cv2

    folder.mkdir()
    sources = list(given)
    if not sources:
        packaged = resources.files("edgedet_converters").joinpath("data/golden")
        sources = sorted(Path(str(item)) for item in packaged.iterdir() if item.name.endswith(".jpg"))
    written = []
    for index, source in enumerate(sources):
        picture = read_golden(source)
        path = folder / f"{index:03d}.png"
        cv2.imwrite(str(path), picture)
        written.append(path)
    return written


def read_golden(source: Path) -> npt.NDArray[np.uint8]:
    """(H, W, 3) BGR.

    Raises:
        ConversionError: it is no picture.
    """
    import cv2

    picture = cv2.imread(str(source), cv2.IMREAD_COLOR)
    if picture is None:
        raise ConversionError(f"golden: expected a picture, got {source}; give a file that OpenCV can read")
    return np.asarray(picture, np.uint8)


def describe(
    described: Description, family: str, name: str, checkpoint: Path, variants: tuple[specs.Variant, ...]
) -> Spec:
    """The bundle's description, read as a device would read it.

    Raises:
        ConversionError: the family describes what no device knows.
    """
    data: dict[str, Any] = {
        "schema": specs.SCHEMA,
        "name": name,
        "family": family,
        "tasks": described.tasks,
        "input": described.input,
        "head": described.head,
        "labels": described.labels,
        "category_ids": described.category_ids,
        "variants": [dataclasses.asdict(variant) for variant in variants],
        "source": dataclasses.asdict(dataclasses.replace(source(checkpoint), compression=described.compression)),
    }
    try:
        # The device's own reader has the last word on what the host writes.
        return specs.parse(json.dumps(data))
    except EdgedetError as error:
        raise ConversionError(f"{family}: expected a description that fits model.json, got {error}") from error


def source(checkpoint: Path) -> Source:
    """What is known of the checkpoint; a published one is told by its bytes, whatever its file is called."""
    found = sha256(checkpoint)
    asset = zoo.by_sha256(found)
    if asset is None:
        return Source(checkpoint.name, found)
    return Source(checkpoint.name, found, asset.url, asset.evaluation, asset.licence, asset.citation)
