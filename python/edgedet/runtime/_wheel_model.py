"""One network in the package ``mindspore_lite``, driven so that none of its silent failures can happen.

Not for several threads at once: `edgedet.runtime.mslite_wheel` gives them turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from edgedet.runtime._wheel_package import quiet
from edgedet.runtime.base import Array, TensorInfo

PRECISIONS = ("enforce_fp32", "preferred_fp32", "enforce_fp16", "enforce_origin", "preferred_optimal")
PROVIDERS = ("", "ge")
_MS = b"MSL2"  # at byte 4 of a .ms file
_PATTERN = 0x5A


class WheelError(RuntimeError):
    """What the package did instead of what it should have: the middle of an error's sentence."""


@dataclass(frozen=True)
class Options:
    """How to build a network.

    Attributes:
        device: ``cpu``, ``ascend`` or ``ascend:N``.
        threads: None leaves the number to the library.
        precision: Ascend's, one of `PRECISIONS`; it counts for networks that are compiled when they are loaded.
        provider: Ascend's, one of `PROVIDERS`.
    """

    device: str = "cpu"
    threads: Optional[int] = None
    precision: str = "preferred_fp32"
    provider: str = ""


class WheelModel:
    """A model file, built; built anew after a failure, for a network that failed is of no more use."""

    def __init__(self, lite: Any, path: Path, options: Options) -> None:
        """Loads the file. Raises `WheelError`, OSError."""
        self._lite, self._path, self._options = lite, path, options
        self._model: Any = None
        self._tensors: list[Any] = []
        self._buffers: list[Array] = []
        self._build()
        self.inputs = tuple(_info(tensor, is_input=True) for tensor in self._inputs())
        self.outputs = tuple(_info(tensor, is_input=False) for tensor in self._outputs())
        if not self.inputs or not self.outputs:
            raise WheelError(f"{len(self.inputs)} inputs and {len(self.outputs)} outputs")

    def _build(self) -> None:
        kind = self._lite.ModelType.MINDIR_LITE if _is_ms(self._path) else self._lite.ModelType.MINDIR
        model = self._lite.Model()  # one that was built can't be built again
        with quiet(), _said("a network"):
            model.build_from_file(str(self._path), kind, make_context(self._lite, self._options))
        self._model, self._buffers = model, []

    def _inputs(self) -> list[Any]:
        with _said("inputs"):
            return list(self._model.get_inputs())

    def _outputs(self) -> list[Any]:
        with _said("outputs"):
            return list(self._model.get_outputs())

    def bind(self, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        """Makes the inputs be of these shapes and gives the arrays to write them into; they stay for the next call."""
        if self._model is None:
            self._build()
        if self._buffers and [buffer.shape for buffer in self._buffers] == list(shapes):
            return self._buffers
        self._buffers = []
        try:
            self._tensors = self._resized(list(shapes))
            self._buffers = [_bound(tensor, info.dtype) for tensor, info in zip(self._tensors, self.inputs)]
        except WheelError:
            self._model = None
            raise
        return self._buffers

    def _resized(self, shapes: list[tuple[int, ...]]) -> list[Any]:
        tensors = self._inputs()
        if [tuple(tensor.shape) for tensor in tensors] != shapes:
            with _said("a resize"):
                self._model.resize(tensors, [list(shape) for shape in shapes])
            tensors = self._inputs()
        got = [tuple(tensor.shape) for tensor in tensors]
        if got != shapes:
            raise WheelError(f"inputs of {got} after a resize to {shapes}")
        return tensors

    def predict(self) -> list[Array]:
        """Runs the network on what `bind`'s arrays hold. The outputs are copies."""
        try:
            for tensor, buffer in zip(self._tensors, self._buffers):
                with _said("an input"):
                    tensor.set_data_from_numpy(buffer)  # old releases copy, so before each predict
            with _said("a prediction"):
                outputs = list(self._model.predict(self._tensors))
            return self._checked(outputs)
        except WheelError:
            self._model = None
            raise

    def _checked(self, outputs: list[Any]) -> list[Array]:
        names = [str(tensor.name) for tensor in outputs]
        if names != [info.name for info in self.outputs]:
            raise WheelError(f"outputs named {names}")
        arrays = []
        for tensor, info in zip(outputs, self.outputs):
            with _said(f"the output {info.name}"):
                array = np.array(tensor.get_data_to_numpy(), copy=True, order="C")  # its own would be overwritten
            if array.dtype != info.dtype or array.shape != tuple(tensor.shape):
                raise WheelError(f"{info.name} as {array.dtype} {array.shape} for {info.dtype} {tuple(tensor.shape)}")
            arrays.append(array)
        return arrays

    def close(self) -> None:
        """Lets go of the network; the package frees it."""
        self._model, self._tensors, self._buffers = None, [], []


class _said:  # noqa: N801  reads as a statement
    """Makes whatever the package raises a `WheelError`."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, (WheelError, OSError)):
            said = " ".join(str(error).split()) or type(error).__name__
            raise WheelError(f"{said!r} for {self._what}") from error


def make_context(lite: Any, options: Options) -> Any:
    """What the network is built with."""
    kind, _, number = options.device.partition(":")
    with _said("a context"):
        context = lite.Context()
    assign(context, "target", [kind])  # it clears what was there
    if options.threads is not None:
        assign(context.cpu, "thread_num", options.threads)
    if kind == "ascend":
        assign(context.ascend, "device_id", int(number or 0))
        assign(context.ascend, "precision_mode", options.precision)
        assign(context.ascend, "provider", options.provider)
    return context


def assign(thing: Any, name: str, value: object) -> None:
    """Sets an attribute that must be there already: the package takes any name, and does nothing with a wrong one."""
    if not isinstance(getattr(type(thing), name, None), property):
        raise WheelError(f"a {type(thing).__name__} without {name}")
    with _said(f"{name} = {value!r}"):
        setattr(thing, name, value)
    got = getattr(thing, name)
    if got != value:
        raise WheelError(f"{name} = {got!r} after setting {value!r}")


def _is_ms(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(8)
    if not head:
        raise WheelError("an empty file")
    return head[4:] == _MS


def _dtype(tensor: Any) -> np.dtype[Any]:
    name = getattr(tensor.dtype, "name", str(tensor.dtype)).lower()
    try:
        return np.dtype(name)
    except TypeError:
        raise WheelError(f"data type {name} of {tensor.name!r}") from None


def _info(tensor: Any, *, is_input: bool) -> TensorInfo:
    name, shape, layout = str(tensor.name), tuple(tensor.shape), getattr(tensor.format, "name", str(tensor.format))
    if not name:
        raise WheelError(f"a tensor {shape} without a name")
    if is_input and len(shape) == 4 and layout not in ("NCHW", "NHWC", "DEFAULT"):
        raise WheelError(f"format {layout} of {name!r}")
    # Outputs are NCHW, whatever the package says of them; the layout of anything but an image means nothing.
    last = is_input and len(shape) == 4 and layout == "NHWC"
    return TensorInfo(name, tuple(d if d >= 0 else None for d in shape), _dtype(tensor), "nhwc" if last else None)


def _bound(tensor: Any, dtype: np.dtype[Any]) -> Array:
    """An array of ours that the tensor reads from, and the proof that it does: refusals are silent."""
    buffer = np.empty(tuple(tensor.shape), dtype)
    held = buffer.reshape(-1).view(np.uint8)
    held[:] = _PATTERN
    with _said("an input"):
        tensor.set_data_from_numpy(buffer)
        back = np.ascontiguousarray(tensor.get_data_to_numpy())
    if back.dtype != dtype or back.shape != buffer.shape or not (back.reshape(-1).view(np.uint8) == _PATTERN).all():
        raise WheelError(f"{tensor.name!r} that does not take its data")
    buffer.fill(0)
    return buffer
