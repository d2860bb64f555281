"""A network by its roles: tensors known by their place, shapes that are declared, pixels for a chip that normalises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import edgedet
from edgedet.bundle import Bundle
from edgedet.image import to_tensor
from edgedet.network import Network
from edgedet.runtime.base import Runtime, Slot, Target, TensorInfo, check_feed
from edgedet.spec import ModelFile


class Echo:
    """A lender that gives its first input back, as bytes in the order in which they lie in its buffer."""

    def __init__(self, info: TensorInfo, outputs: tuple[TensorInfo, ...] = ()) -> None:
        self.inputs = (info,)
        self.outputs = outputs or (TensorInfo("out", info.shape, info.dtype),)

    def run(self, feed: Mapping[str, Any]) -> dict[str, Any]:
        check_feed(self.inputs, feed)
        (array,) = feed.values()
        return {"out": array.ravel()}

    @contextmanager
    def borrow(self, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Iterator[Slot]:
        name, shape = next(iter((shapes or {}).items()))
        buffer = np.empty(shape, self.inputs[0].dtype)
        yield Slot({name: buffer}, lambda: {"out": buffer.ravel()})

    def close(self) -> None:
        pass


FLOAT, BYTE = np.dtype(np.float32), np.dtype(np.uint8)


def test_tensors_known_by_their_place() -> None:
    network = Network(Echo(TensorInfo("Default/image:0", (2, 3), FLOAT)), ModelFile("f", "", {"x": "#0"}, {"y": "#0"}))
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(network.run({"x": array})["y"], array.ravel())


def test_a_file_of_one_shape_is_resized_to_those_declared() -> None:
    declared = {"rows": ((None, 4),)}
    file = ModelFile("f", "", {"rows": "rows"}, {"y": "out"}, declared)
    network = Network(Echo(TensorInfo("rows", (64, 4), FLOAT)), file)
    assert network.inputs["rows"].shape == (None, 4)
    assert network.run({"rows": np.ones((3, 4), np.float32)})["y"].shape == (12,)
    with pytest.raises(ValueError, match=r"rows: expected \(None, 4\), got \(3, 5\)"):
        network.run({"rows": np.ones((3, 5), np.float32)})
    with pytest.raises(ValueError, match="shapes: expected the size of rows"), network.borrow():
        pass


def test_a_session_that_lends_nothing_has_declared_shapes_too() -> None:
    class Plain:
        inputs = (TensorInfo("rows", (None, 4), FLOAT),)
        outputs = (TensorInfo("out", (None, 4), FLOAT),)

        def run(self, feed: Mapping[str, Any]) -> dict[str, Any]:
            return {"out": feed["rows"] + 1}

        def close(self) -> None:
            pass

    network = Network(Plain(), ModelFile("f", "", {"rows": "rows"}, {"y": "out"}, {"rows": ((2, 4), (8, 4))}))
    assert network.accepted("rows") == ((2, 4), (8, 4))
    np.testing.assert_array_equal(network.run({"rows": np.ones((2, 4), np.float32)})["y"], np.full((2, 4), 2))
    with pytest.raises(ValueError, match=r"rows: expected one of \(\(2, 4\), \(8, 4\)\), got \(3, 4\)"):
        network.run({"rows": np.ones((3, 4), np.float32)})
    with network.borrow() as slot:
        slot.inputs["rows"][:] = 3
        assert (slot.run()["y"] == 4).all()


def test_buckets_are_the_only_shapes_and_the_first_is_the_usual_one() -> None:
    file = ModelFile("f", "", {"image": "#0"}, {"y": "#0"}, {"image": ((1, 3, 2, 2), (4, 3, 2, 2))})
    network = Network(Echo(TensorInfo("image", (None, 3, 2, 2), FLOAT)), file)
    assert network.run({"image": np.ones((4, 3, 2, 2), np.float32)})["y"].size == 48
    with pytest.raises(ValueError, match=r"image: expected one of .*, got \(2, 3, 2, 2\)"):
        network.run({"image": np.ones((2, 3, 2, 2), np.float32)})
    with network.borrow() as slot:
        assert slot.inputs["image"].shape == (1, 3, 2, 2)


@pytest.mark.parametrize("layout", [None, "nhwc"])
def test_a_chip_that_normalises_gets_pixels(layout: str | None) -> None:
    shape = (1, 3, 4, 5) if layout is None else (1, 4, 5, 3)
    file = ModelFile("f", "", {"image": "#0"}, {"y": "#0"})
    network = Network(Echo(TensorInfo("image", shape, BYTE, layout)), file, pixels=True)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
    np.testing.assert_array_equal(network.run({"image": planes})["y"], pixels.ravel())
    with network.borrow() as slot:
        slot.inputs["image"][...] = planes
        np.testing.assert_array_equal(slot.run()["y"], pixels.ravel())


@pytest.mark.parametrize("color", ["bgr", "rgb"])
def test_pixels_are_neither_normalised_nor_swapped(whole_bundle: Any, color: str) -> None:
    spec = replace(edgedet.Bundle.open(whole_bundle).spec.input, resize="stretch", resize_wh=None)
    width, height = spec.size_wh
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    out = np.empty((1, 3, height, width), np.uint8)
    to_tensor(picture, spec, color=color, out=out)
    np.testing.assert_array_equal(out[0].transpose(1, 2, 0), picture if color == "bgr" else picture[..., ::-1])


def test_a_detector_on_such_a_chip(whole_bundle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle.open(whole_bundle)
    (variant,) = bundle.spec.variants
    width, height = bundle.spec.input.size_wh
    with edgedet.load(bundle) as model:
        outputs = tuple(model._network.outputs.values())
    seen: list[np.ndarray] = []

    class Chip(Echo):
        @contextmanager
        def borrow(self, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Iterator[Slot]:
            with super().borrow(shapes) as slot:
                (buffer,) = slot.inputs.values()

                def run() -> dict[str, Any]:
                    seen.append(buffer.reshape(height, width, 3).copy())
                    return {info.name: np.full(info.shape, -9, np.float32) for info in self.outputs}

                yield Slot(slot.inputs, run)

    chip = Chip(TensorInfo("images", (1, 3, height, width), BYTE), outputs)
    runtime = Runtime("chip", {"onnx": Target(1, "cpu")}, lambda: None, lambda *_: chip)
    monkeypatch.setattr("edgedet.runtime.find", lambda name: runtime)
    pixels = replace(bundle, spec=replace(bundle.spec, variants=(replace(variant, aipp=True),)))
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    with edgedet.load(pixels) as model:
        assert len(model(picture)) == 0 and set(model.raw(picture)) == {"deltas", "logits"}
    assert len(seen) == 2 and all(np.array_equal(image, picture) for image in seen)
