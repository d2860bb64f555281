"""MindSpore Lite's Python package (``mindspore_lite``, 2.0 to 2.7): ``.mindir`` on Ascend and on the CPU.

Several threads may use one session; they take turns, under one lock from the first byte of input to the last of the
outputs' copies. (The package locks its predict only, and its output buffers are shared.)

Ascend's precision mode and provider are arguments of `MsliteWheelSession`; a bundle opens it with those of the
environment: ``EDGEDET_ASCEND_PRECISION`` (else preferred_fp32), ``EDGEDET_ASCEND_PROVIDER`` (else none: the ACL path).
They count for networks that are compiled when loaded: in a converted file the chip's code has its precision already.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

import numpy as np

from edgedet.errors import InferenceError, ModelLoadError
from edgedet.runtime import _ascend, _wheel_package
from edgedet.runtime._wheel_model import PRECISIONS, PROVIDERS, Options, WheelError, WheelModel
from edgedet.runtime._wheel_probe import probe as run_probe
from edgedet.runtime.base import Array, Presence, Runtime, Slot, Target, TensorInfo, check_feed, closed, whole_shapes

MAX_THREADS = 1024
_log = logging.getLogger(__name__)
_open_sessions: weakref.WeakSet[MsliteWheelSession] = weakref.WeakSet()


class MsliteWheelSession:
    """A model file in the package ``mindspore_lite``."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        device: str = "cpu",
        threads: int | None = None,
        *,
        precision: str = "preferred_fp32",
        provider: str = "",
        probe: bool = True,
    ) -> None:
        """Loads the file.

        Args:
            path: the model: ``.mindir``, or a ``.ms``, which the package runs on the CPU.
            device: ``cpu``, ``ascend`` or ``ascend:N``.
            threads: None leaves the number to the library.
            precision: Ascend's precision mode, one of `PRECISIONS`.
            provider: Ascend's provider, one of `PROVIDERS`.
            probe: load it in a process of its own first. Leave it on unless the file's hash is known: a damaged or
                hostile file may end the process that loads it.

        Raises:
            ValueError: an option that the package would take in silence.
            RuntimeUnavailable: no package, or one that doesn't import.
            ModelLoadError: the package refuses the file.
        """
        self._options = _options(device, threads, precision, provider)
        lite, complaints = _wheel_package.load()
        self._path, self._version = Path(path), _wheel_package.version(lite)
        self._causes: dict[str, str] = {}
        self._lock, self._user = threading.Lock(), 0
        if probe:
            self._tried()
        try:
            self._model: Optional[WheelModel] = WheelModel(lite, self._path, self._options)
        except (WheelError, OSError) as error:
            raise self._refused(error, complaints) from error
        self.inputs: tuple[TensorInfo, ...] = self._model.inputs
        self.outputs: tuple[TensorInfo, ...] = self._model.outputs
        self._check_names()
        if self._options.device != "cpu":
            for complaint in complaints:
                _log.warning("mindspore_lite on Ascend: %s", complaint)
        _open_sessions.add(self)
        atexit.unregister(_close_all)
        atexit.register(_close_all)  # last in, first out: before the package's own, which ends the device

    def _tried(self) -> None:
        verdict = run_probe(self._path, self._options)
        if verdict.why is not None:
            self._causes["load"] = verdict.log
            raise self._refused(WheelError(verdict.why), [])

    def _check_names(self) -> None:
        for infos in (self.inputs, self.outputs):
            names = [info.name for info in infos]
            if len(set(names)) < len(names):
                raise ModelLoadError(
                    f"{self._path.name}: expected a name for each tensor, got {names}; convert it again"
                )

    def _refused(self, error: Exception, complaints: list[str]) -> ModelLoadError:
        got = getattr(error, "strerror", None) or str(error)
        log = self._cause("load", None) if isinstance(error, WheelError) else ""
        if self._options.device != "cpu" and complaints:
            log = "; ".join([*filter(None, [log]), *complaints])
        said = f" ({log})" if log else ""
        return ModelLoadError(
            f"{self._path.name}: expected a model that mindspore_lite {self._version} loads on {self._options.device}, "
            f"got {got}{said}; do edgedet doctor with the bundle, or convert {self._path} again for this version"
        )

    def _cause(self, step: str, feed: Mapping[str, Array] | None) -> str:
        """What the library logs when it fails so: asked once for each step, for it takes as long as loading does."""
        if step not in self._causes:
            verdict = run_probe(self._path, self._options, feed)
            again = verdict.why is not None
            self._causes[step] = verdict.log if again else "in a process of its own the same went well"
        return self._causes[step]

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `edgedet.runtime.base.Session.run`."""
        check_feed(self.inputs, feed)
        with self.borrow({name: array.shape for name, array in feed.items()}) as slot:
            for name, array in slot.inputs.items():
                np.copyto(array, feed[name])
            return slot.run()

    @contextmanager
    def borrow(self, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Iterator[Slot]:
        """See `edgedet.runtime.base.Lender.borrow`; what its slot's run gives are copies, the caller's own."""
        wanted = whole_shapes(self.inputs, shapes or {})
        with self._turn() as model:
            sizes = list(wanted.values())
            with self._failures("resize", lambda: {i.name: np.zeros(wanted[i.name], i.dtype) for i in self.inputs}):
                buffers = model.bind(sizes)
            inputs, mine = dict(zip(wanted, buffers)), True

            def run() -> dict[str, Array]:
                if not mine:
                    raise InferenceError("slot: expected one in use, got a slot that was given back; borrow again")
                with self._failures("predict", lambda: inputs):
                    for own, array in zip(model.bind(sizes), buffers):
                        if own is not array:  # the network was built anew after a failure
                            np.copyto(own, array)
                    return {info.name: array for info, array in zip(self.outputs, model.predict())}

            try:
                yield Slot(inputs, run)
            finally:
                mine = False

    @contextmanager
    def _turn(self) -> Iterator[WheelModel]:
        me = threading.get_ident()
        if self._user == me:
            raise InferenceError(
                "mslite_wheel: expected its turn, got a call from inside a slot of the same model; leave its block"
            )
        with self._lock:
            if self._model is None:
                raise closed()
            self._user = me
            try:
                yield self._model
            finally:
                self._user = 0

    @contextmanager
    def _failures(self, step: str, feed: Callable[[], Mapping[str, Array]]) -> Iterator[None]:
        try:
            yield
        except (WheelError, OSError) as error:
            given = feed()
            told = ", ".join(f"{name} {array.shape} {array.dtype}" for name, array in given.items())
            log = self._cause(step, given)
            raise InferenceError(
                f"mslite_wheel: expected outputs of {self._path.name} for {told} "
                f"on {self._options.device} by mindspore_lite {self._version}, "
                f"got {error}{f' ({log})' if log else ''}; verify the bundle"
            ) from error

    def close(self) -> None:
        """Frees the network, once no other thread uses it."""
        if self._model is None:
            return
        try:
            with self._turn() as model:
                self._model = None
                model.close()
        except InferenceError:
            if self._model is not None:
                raise


def _close_all() -> None:
    for session in list(_open_sessions):
        session._model = None


def _options(device: str, threads: int | None, precision: str, provider: str) -> Options:
    """What the package would take in silence and make something else of is refused here."""
    kind, colon, number = device.partition(":")
    fits = kind in ("cpu", "ascend") if not colon else kind == "ascend" and number.isascii() and number.isdigit()
    if not fits:
        raise ValueError(f"device: expected cpu, ascend or ascend:N, got {device!r}; correct the name")
    # type() rather than isinstance(): True is an int.
    if threads is not None and not (type(threads) is int and 1 <= threads <= MAX_THREADS):
        raise ValueError(f"threads: expected 1 to {MAX_THREADS} or None, got {threads!r}; give the cores to use")
    if precision not in PRECISIONS:
        raise ValueError(f"precision: expected one of {', '.join(PRECISIONS)}, got {precision!r}; correct the name")
    if provider not in PROVIDERS:
        raise ValueError(f"provider: expected one of {PROVIDERS}, got {provider!r}; leave it out for the ACL path")
    return Options(device, threads, precision, provider)


def _open(path: Path, device: str, threads: int | None) -> MsliteWheelSession:
    precision = os.environ.get("EDGEDET_ASCEND_PRECISION", "preferred_fp32")
    provider = os.environ.get("EDGEDET_ASCEND_PROVIDER", "")
    # Who opens a session through a bundle has compared the file's hash with the one on record.
    return MsliteWheelSession(path, device, threads, precision=precision, provider=provider, probe=False)


def _present() -> Presence:
    cure = _wheel_package.cure().partition("do ")[2]
    return Presence(package=_wheel_package.PACKAGE, cure=cure, maker=_wheel_package.PACKAGE)


RUNTIME = Runtime(
    "mslite_wheel",
    {"ascend": Target(0, "ascend", _ascend.missing), "mindir": Target(20, "cpu")},
    _wheel_package.missing,
    _open,
    _present,
)
