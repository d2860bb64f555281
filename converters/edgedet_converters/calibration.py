"""The tensors that a quantiser measures: what the bundle's own preprocessing, and its own trunk, make of pictures."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgedet.bundle import Bundle
from edgedet.errors import ConversionError
from edgedet.image import to_tensor
from edgedet.model import Model
from edgedet.runtime.base import Array
from edgedet.spec import Input
from edgedet.tasks import load

FOLDER = "calibration"
#: More change little; fewer than some dozens give ranges that depend on the picture.
MAX_PICTURES = 100
_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def pictures(folder: Path) -> tuple[Path, ...]:
    """The pictures in a folder, spread evenly over all of them if there are more than `MAX_PICTURES`.

    Raises:
        ConversionError: it holds none.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES) if folder.is_dir() else []
    if not found:
        raise ConversionError(
            f"calibration: expected a folder with pictures ({' '.join(_SUFFIXES)}), got none in {folder}; give some "
            "dozens of the kind that the model will see"
        )
    step = max(1.0, len(found) / MAX_PICTURES)
    return tuple(found[int(i * step)] for i in range(min(len(found), MAX_PICTURES)))


def write(bundle: Bundle, inputs: Input, files: Sequence[Path], out: Path) -> None:
    """Writes ``<network>/<role>/<number>.npy`` for every picture: what each network of the bundle is fed.

    Args:
        bundle: of the same networks, in a variant that runs here.
        inputs: ``model.json``'s ``input``.
        files: the pictures.
        out: the folder to write.

    Raises:
        ConversionError: a picture can't be read.
    """
    with load(bundle) as model:
        for number, file in enumerate(files):
            picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
            if picture is None:
                raise ConversionError(f"calibration: expected a picture, got {file}; remove or replace it")
            for network, feed in _feeds(model, inputs, np.asarray(picture, np.uint8)):
                for role, array in feed.items():
                    path = out / network / role / f"{number:04d}.npy"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    np.save(path, array)


def _feeds(model: Model, inputs: Input, picture: Any) -> Iterator[tuple[str, Mapping[str, Array]]]:
    if model.networks == ("model",):
        tensor, _ = to_tensor(picture, inputs)
        return iter([("model", {"image": tensor})])
    # Only by running the first network is it known what the second gets.
    with _listening(model) as heard:
        model.raw(picture)
    return iter(heard)


@contextmanager
def _listening(model: Model) -> Iterator[list[tuple[str, Mapping[str, Array]]]]:
    """Notes down what each network of the model is fed."""
    heard: list[tuple[str, Mapping[str, Array]]] = []
    networks = dict(model._networks)

    class Ear:
        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:
            return getattr(networks[self._name], name)

        def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
            heard.append((self._name, {role: array.copy() for role, array in feed.items()}))
            return networks[self._name].run(feed)

    model._networks.update({name: Ear(name) for name in networks})  # type: ignore[misc]
    try:
        yield heard
    finally:
        model._networks.update(networks)


def feeds(folder: Path, network: str) -> Iterator[dict[str, Array]]:
    """What `write` wrote for one network, one picture after the other; read when asked for."""
    roles = sorted(path for path in (folder / FOLDER / network).iterdir() if path.is_dir())
    columns = [sorted(role.glob("*.npy")) for role in roles]
    for files in itertools.zip_longest(*columns):
        yield {role.name: np.load(file, allow_pickle=False) for role, file in zip(roles, files)}
