"""A network by its roles, over any runtime's session: names, image layout and open sizes are settled here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from edgedet.errors import BundleError
from edgedet.runtime.base import Array, Lender, Session, Slot, TensorInfo, check_feed
from edgedet.spec import ModelFile

# The axes of an image (N, H, W, C) as (N, C, H, W), and back.
PLANES_FIRST, PLANES_LAST = (0, 3, 1, 2), (0, 2, 3, 1)

T = TypeVar("T")


class Network:
    """A session whose tensors go by their roles (``image``, ``deltas``, …), whatever the runtime calls them.

    Images are (1, 3, H, W) here, also where the runtime has their channels last.
    """

    def __init__(self, session: Session, file: ModelFile, *, pixels: bool = False) -> None:
        """Checks that the session has the tensors that ``model.json`` names.

        Args:
            session: what runs it.
            file: its entry in ``model.json``.
            pixels: the image goes in as bytes with the channels last, whatever the session says of its layout.
        """
        self._session = session
        self._lender = session if isinstance(session, Lender) else None
        self._channels_last = {info.name for info in session.inputs if info.layout == "nhwc"}
        self._shapes = dict(file.shapes)
        self._inputs, outputs = _by_place(file.inputs, session.inputs), _by_place(file.outputs, session.outputs)
        # A chip that normalises reads (H, W, 3) from a buffer that it may still call (3, H, W).
        self._disguised = {self._inputs["image"]} - self._channels_last if pixels and "image" in self._inputs else set()
        self._outputs = {name: role for role, name in outputs.items()}
        for kind, roles, infos in (("inputs", self._inputs, session.inputs), ("outputs", outputs, session.outputs)):
            there = {info.name for info in infos}
            missing = sorted(set(roles.values()) - there)
            if missing or (kind == "inputs" and there - set(roles.values())):
                raise BundleError(
                    f"{file.file}: {kind}: expected the tensors {sorted(roles.values())} that model.json names, "
                    f"got {sorted(there)}; convert the checkpoint again"
                )

    @cached_property
    def inputs(self) -> dict[str, TensorInfo]:
        """Role -> what `run` must be given."""
        infos = {info.name: info for info in self._session.inputs}
        return {
            role: replace(
                infos[name],
                shape=_common(self._shapes.get(role) or (self._turned(name, infos[name].shape, PLANES_FIRST),)),
                layout=None,
            )
            for role, name in self._inputs.items()
        }

    def accepted(self, role: str) -> tuple[tuple[int | None, ...], ...]:
        """The shapes that an input may have; None is a size that may be any."""
        return self._shapes.get(role) or (self.inputs[role].shape,)

    @cached_property
    def outputs(self) -> dict[str, TensorInfo]:
        """Role -> what `run` gives."""
        return {self._outputs[info.name]: info for info in self._session.outputs if info.name in self._outputs}

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Arrays by role in, arrays by role out; errors as `edgedet.runtime.base.Session.run`."""
        return self._run_reshaped(feed) if self._shapes else self._run(feed)

    def _run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        named = {self._inputs.get(role, role): array for role, array in feed.items()}
        for name in self._channels_last & named.keys():
            if np.ndim(named[name]) == 4:
                named[name] = np.ascontiguousarray(np.transpose(named[name], PLANES_LAST))
        for name in self._disguised & named.keys():
            image = named[name]
            named[name] = np.ascontiguousarray(np.transpose(image, PLANES_LAST)).reshape(image.shape)
        return self._by_role(self._session.run(named))

    def _run_reshaped(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """`run`, where the file has other shapes than the network takes: borrowing is what resizes it."""
        check_feed(tuple(replace(info, name=role) for role, info in self.inputs.items()), feed)
        for role, allowed in self._shapes.items():
            if not any(_fits(feed[role].shape, shape) for shape in allowed):
                raise ValueError(f"{role}: expected one of {allowed}, got {feed[role].shape}; resize or pad the array")
        if self._lender is None:
            return self._run(feed)
        with self.borrow({role: array.shape for role, array in feed.items()}) as slot:
            for role, array in slot.inputs.items():
                np.copyto(array, feed[role])
            return {role: array.copy() for role, array in slot.run().items()}

    @contextmanager
    def borrow(self, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Iterator[Slot]:
        """The sole use of the network for a ``with`` block: arrays to write the inputs into, and what then runs it.

        They are the runtime's own buffers where it lends them, so that nothing is copied, and have whatever strides
        these have. What ``run`` gives is to be used up inside the block.

        Args:
            shapes: role -> shape, where the network's own leaves a size open, or another than its first is wanted.
        """
        whole = self._whole_shapes(shapes or {})
        if self._lender is None:
            own = {role: np.empty(shape, self.inputs[role].dtype) for role, shape in whole.items()}
            yield Slot(own, lambda: self.run(own))
            return
        names = self._inputs
        theirs = {names[role]: self._turned(names[role], shape, PLANES_LAST) for role, shape in whole.items()}
        with self._lender.borrow(theirs) as slot:
            lent = {role: self._as_planes(name, slot.inputs[name]) for role, name in names.items()}
            yield Slot(lent, lambda: self._by_role(slot.run()))

    def _as_planes(self, name: str, array: Array) -> Array:
        if name in self._disguised:
            count, channels, height, width = array.shape
            array = array.reshape(count, height, width, channels)
        return array.transpose(PLANES_FIRST) if name in self._channels_last | self._disguised else array

    def _whole_shapes(self, given: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        whole = {}
        for role, info in self.inputs.items():
            usual = next((shape for shape in self._shapes.get(role, ()) if None not in shape), info.shape)
            shape = given.get(role, usual)
            whole[role] = tuple(size for size in shape if size is not None)
            if len(whole[role]) < len(shape):
                raise ValueError(f"shapes: expected the size of {role} {shape}, got none; give its whole shape")
        return whole

    def _turned(self, name: str, shape: tuple[T, ...], order: tuple[int, ...]) -> tuple[T, ...]:
        return tuple(shape[i] for i in order) if name in self._channels_last and len(shape) == 4 else shape

    def _by_role(self, values: Mapping[str, Array]) -> dict[str, Array]:
        return {role: values[name] for name, role in self._outputs.items()}

    def close(self) -> None:
        """Frees the network."""
        self._session.close()


def _by_place(names: Mapping[str, str], infos: Sequence[TensorInfo]) -> dict[str, str]:
    """Role -> the session's name, of which ``#0`` is the first, whatever it is."""
    places = {f"#{place}": info.name for place, info in enumerate(infos)}
    return {role: places.get(name, name) for role, name in names.items()}


def _fits(have: tuple[int, ...], want: tuple[int | None, ...]) -> bool:
    return len(have) == len(want) and all(w in (None, h) for h, w in zip(have, want))


def _common(shapes: Sequence[tuple[int | None, ...]]) -> tuple[int | None, ...]:
    """What several shapes have in common, None elsewhere."""
    return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes))
