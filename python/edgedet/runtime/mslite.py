"""MindSpore Lite's C library on the CPU, opened at run time: what runs ``.ms`` files under any Python.

Several threads may use one session; they take turns, from the first byte of input to the last of output. (The library
locks its predict only, and its output buffers are shared.) Sessions side by side need one `MsliteSession` for each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edgedet import _core
from edgedet.errors import InferenceError, ModelLoadError, RuntimeUnavailable
from edgedet.runtime._mslite_file import check_header
from edgedet.runtime._mslite_library import open_library, version
from edgedet.runtime._mslite_probe import Verdict
from edgedet.runtime._mslite_probe import probe as run_probe
from edgedet.runtime.base import Array, Presence, Runtime, Slot, Target, TensorInfo, check_feed, closed, whole_shapes

AFFINITY_MODES = ("none", "big", "middle")
MAX_THREADS = 1024
_NCHW, _NHWC = 0, 1


class MsliteSession:
    """A ``.ms`` file in MindSpore Lite's C library."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        threads: int | None = None,
        *,
        library: str | os.PathLike[str] | None = None,
        affinity: str = "none",
        cores: Sequence[int] = (),
        fp16: bool = False,
        probe: bool = True,
    ) -> None:
        """Loads the file.

        Args:
            path: the model.
            threads: None leaves the number to the library.
            library: the C library's file; None looks for it (see `edgedet.runtime._mslite_library`).
            affinity: ``big`` or ``middle``: the processor's cores of that kind first.
            cores: the numbers of the cores to run on; none: any. Builds for Linux may heed neither option.
            fp16: compute in half precision where the processor can.
            probe: load it in a process of its own first, with limits of time and memory. Leave it on unless the
                file's hash is known: a damaged or hostile file may end the process that loads it.

        Raises:
            ValueError: an option that the library would take in silence.
            RuntimeUnavailable: no library.
            ModelLoadError: the library refuses the file.
        """
        options = _options(threads, affinity, cores, fp16)
        self._library = open_library(library)
        file = Path(path)
        converter = check_header(file)
        if probe:
            verdict = self._probe(file, options)
            if verdict.why is not None:
                raise self._refused(file, verdict.why, verdict.log, converter)
        try:
            self._model = _core.MsliteModel(self._library, os.fsencode(file), **options)
        except _core.MsliteError as error:
            # The library's log goes to this process's stderr, which is not ours to catch: a child's is.
            raise self._refused(file, str(error), self._probe(file, options).log, converter) from error
        try:
            self.inputs, self.outputs = _describe(file, self._model)
        except ModelLoadError:
            self._model.close()
            raise

    def _probe(self, file: Path, options: dict[str, Any]) -> Verdict:
        return run_probe(_core.__file__, self._library.path, file, options)

    def _refused(self, file: Path, why: str, log: str, converter: str) -> ModelLoadError:
        said = f" ({log})" if log else ""
        ours = version(self._library) or "of unknown version"
        return ModelLoadError(
            f"{file.name}: expected a model that MindSpore Lite loads, got {why}{said}; convert {file} "
            f"(made by {converter or 'an unknown converter'}) again for {self._library.path} ({ours})"
        )

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `edgedet.runtime.base.Session.run`."""
        check_feed(self.inputs, feed)
        with self.borrow({name: array.shape for name, array in feed.items()}) as slot:
            for name, array in slot.inputs.items():
                np.copyto(array, feed[name])
            return {name: array.copy() for name, array in slot.run().items()}

    @contextmanager
    def borrow(self, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Iterator[Slot]:
        """See `edgedet.runtime.base.Lender.borrow`; shapes other than the network's own are tried by resizing it."""
        wanted = whole_shapes(self.inputs, shapes or {})
        with _failures("its turn"):
            slot = self._model.borrow()
        if slot is None:
            raise closed()
        try:
            with _failures(f"inputs {wanted}"):
                slot.resize(list(wanted.values()))
                inputs = {info.name: slot.input(i) for i, info in enumerate(self.inputs)}

            def run() -> dict[str, Array]:
                with _failures(f"outputs for inputs {wanted}"):
                    return {info.name: array for info, array in zip(self.outputs, slot.predict())}

            yield Slot(inputs, run)
        finally:
            slot.release()

    def close(self) -> None:
        """Frees the network, once no other thread uses it."""
        with _failures("its turn"):
            self._model.close()


@contextmanager
def _failures(expected: str) -> Iterator[None]:
    try:
        yield
    except _core.MsliteError as error:
        raise InferenceError(f"mslite: expected {expected}, got {error}; verify the bundle") from error


def _options(threads: int | None, affinity: str, cores: Sequence[int], fp16: bool) -> dict[str, Any]:
    """What the library would take in silence and make something else of is refused here."""
    # type() rather than isinstance(): True is an int.
    if threads is not None and not (type(threads) is int and 1 <= threads <= MAX_THREADS):
        raise ValueError(f"threads: expected 1 to {MAX_THREADS} or None, got {threads!r}; give the cores to use")
    if affinity not in AFFINITY_MODES:
        raise ValueError(f"affinity: expected one of {', '.join(AFFINITY_MODES)}, got {affinity!r}; correct the name")
    count = os.cpu_count() or 1
    if not all(type(core) is int and 0 <= core < count for core in cores):
        raise ValueError(f"cores: expected numbers of 0 to {count - 1}, got {list(cores)}; leave them out for any")
    mode = AFFINITY_MODES.index(affinity)
    return {"threads": threads or 0, "affinity_mode": mode, "cores": list(cores), "fp16": bool(fp16)}


def _info(name: str, shape: tuple[int, ...], dtype: str, layout: int) -> TensorInfo:
    # The layout of anything but an image means nothing.
    last = len(shape) == 4 and layout == _NHWC
    return TensorInfo(name, tuple(None if d < 0 else d for d in shape), np.dtype(dtype), "nhwc" if last else None)


def _describe(file: Path, model: _core.MsliteModel) -> tuple[tuple[TensorInfo, ...], tuple[TensorInfo, ...]]:
    for name, shape, _, layout in model.inputs():
        if len(shape) == 4 and layout not in (_NCHW, _NHWC):
            raise ModelLoadError(f"{file.name}: {name}: expected NCHW or NHWC, got format {layout}; convert it again")
    inputs = tuple(_info(*described) for described in model.inputs())
    # Until the inputs' sizes are known, every output is said to have one dimension of any size.
    free = any(None in info.shape for info in inputs)
    # Outputs stay NCHW, whatever the library says of them.
    outputs = tuple(
        _info(name, () if free and shape == (-1,) else shape, dtype, _NCHW) for name, shape, dtype, _ in model.outputs()
    )
    for infos in (inputs, outputs):
        names = [info.name for info in infos]
        if len(set(names)) < len(names):
            raise ModelLoadError(f"{file.name}: expected a name for each tensor, got {names}; convert it again")
    return inputs, outputs


def _missing() -> str | None:
    try:
        open_library()
    except RuntimeUnavailable as error:
        return str(error)
    return None


def _open(path: Path, device: str, threads: int | None) -> MsliteSession:
    # Who opens a session through a bundle has compared the file's hash with the one on record.
    return MsliteSession(path, threads, probe=False)


def _present() -> Presence:
    library = open_library()
    return Presence(version(library), library.path, maker="mindspore_lite")


RUNTIME = Runtime("mslite", {"mslite": Target(rank=10, device="cpu")}, _missing, _open, _present)
