"""The error tree: its bases, and the grammar *what: expected …, got …; do …* of what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bundles import edit_json

import edgedet
from edgedet import drawing, errors, image
from edgedet.bundle import Bundle
from edgedet.results import Detections
from edgedet.runtime import onnx

BASES = {
    "EdgedetError": (Exception,),
    "BundleError": (errors.EdgedetError, ValueError),
    "RuntimeUnavailable": (errors.EdgedetError, ImportError),
    "ModelLoadError": (errors.EdgedetError, RuntimeError),
    "InferenceError": (errors.EdgedetError, RuntimeError),
    "SinkError": (errors.EdgedetError, OSError),
    "SourceError": (errors.EdgedetError, OSError),
    "SourceTimeout": (errors.SourceError, TimeoutError),
    "EndOfStream": (errors.EdgedetError, EOFError),
    "ConversionError": (errors.EdgedetError, RuntimeError),
    "CheckpointError": (errors.EdgedetError, ValueError),
    "AnnotationError": (errors.EdgedetError, ValueError),
    "VerificationError": (errors.EdgedetError,),
}
GRAMMAR = re.compile(r"[^:\n]+: .*expected .+, got .+[;:] .+", re.DOTALL)


def test_bases_are_edgedets_and_pythons() -> None:
    defined = {name: kind.__bases__ for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert defined == BASES


@pytest.mark.parametrize("name", BASES)
def test_every_error_is_a_public_name(name: str) -> None:
    assert getattr(edgedet, name) is getattr(errors, name)
    assert name in edgedet.__all__


def test_public_names_all_exist() -> None:
    assert (
        sorted(set(edgedet.__all__)) == edgedet.__all__ == [name for name in edgedet.__all__ if hasattr(edgedet, name)]
    )


def _no_array(_: Path) -> None:
    image.to_bgr(None)


def _no_picture(_: Path) -> None:
    image.to_bgr(np.zeros((4, 4, 7), np.uint8))


def _no_drawing(_: Path) -> None:
    nothing = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), ("a",), (1, 1))
    drawing.draw_detections(np.zeros((4, 4), np.uint8), nothing)


def _no_row(_: Path) -> None:
    Detections(np.zeros((2, 4), np.float32), np.zeros(1, np.float32), np.zeros(1, np.int32), ("a",), (1, 1))


def _unknown_key(folder: Path) -> None:
    edit_json(folder, lambda data: data["input"].update(colour="rgb"))
    Bundle.open(folder)


def _missing_key(folder: Path) -> None:
    edit_json(folder, lambda data: data["head"].pop("clip"))
    Bundle.open(folder)


def _wrong_value(folder: Path) -> None:
    edit_json(folder, lambda data: data["input"].update(color="hsv"))
    Bundle.open(folder)


def _no_json(folder: Path) -> None:
    (folder / "model.json").write_text("{", encoding="utf-8")
    Bundle.open(folder)


def _no_bundle(folder: Path) -> None:
    Bundle.open(folder / "nothing")


def _changed_model(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"other")
    edgedet.load(folder)


def _missing_model(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    edgedet.load(folder)


def _no_model(folder: Path) -> None:
    onnx.RUNTIME.open(folder / "model.json", "cpu", None)


def _no_device(folder: Path) -> None:
    edgedet.load(folder, device="gpu")


def _other_device(folder: Path) -> None:
    edgedet.load(folder, device="ascend")


def _no_task(folder: Path) -> None:
    edgedet.load(folder, task="fly")


def _closed(folder: Path) -> None:
    model = edgedet.load(folder)
    model.close()
    model(np.zeros((8, 8, 3), np.uint8))


MISTAKES = [value for name, value in list(globals().items()) if re.match(r"_[a-z]", name) and callable(value)]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__.strip("_"))
def test_messages_say_what_was_expected_what_came_and_what_to_do(mistake: Callable[[Path], None], bundle: Path) -> None:
    with pytest.raises((errors.EdgedetError, ValueError)) as caught:
        mistake(bundle)
    assert GRAMMAR.fullmatch(str(caught.value)), str(caught.value)
    assert len(str(caught.value)) < 500


def test_there_are_mistakes() -> None:
    assert len(MISTAKES) >= 15
