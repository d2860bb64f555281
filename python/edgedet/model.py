"""What every task has in common: a bundle's networks, opened once, timed, closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from edgedet.bundle import Bundle
from edgedet.errors import BundleError
from edgedet.network import Network
from edgedet.runtime.base import TensorInfo
from edgedet.spec import Spec

M = TypeVar("M", bound="Model")


class Timings(NamedTuple):
    """Seconds that each stage of one call took, on the monotonic clock."""

    preprocess: float
    infer: float
    postprocess: float


class _Stopwatch:
    """Adds up the seconds of the stages of one call."""

    def __init__(self) -> None:
        self.seconds = [0.0, 0.0, 0.0]
        self._stage, self._mark = 0, time.perf_counter()

    def lap(self, back_to: int | None = None) -> None:
        """A stage ends, and the next begins, or one of the earlier anew."""
        now = time.perf_counter()
        self.seconds[self._stage] += now - self._mark
        self._stage, self._mark = self._stage + 1 if back_to is None else back_to, now


class Model:
    """The base of the tasks; see `edgedet.load`.

    One model may be called from several threads: every call has its own arrays, and the sessions take turns or
    run side by side as their runtime allows. `timings` are those of the calling thread's own last call.
    """

    #: The networks of a variant that the task needs.
    networks: tuple[str, ...] = ("model",)

    def __init__(
        self, bundle: Bundle, *, device: str = "auto", runtime: str = "auto", threads: int | None = None
    ) -> None:
        """Opens the bundle's best variant for this machine; errors as `Bundle.choose` and `Bundle.open_network`."""
        self.bundle = bundle
        self.choice = bundle.choose(device, runtime)
        self._local = threading.local()
        self._networks: dict[str, Network] = {}
        try:
            for name in self.networks:
                self._networks[name] = bundle.open_network(name, self.choice, threads)
        except BaseException:
            self.close()
            raise

    @property
    def spec(self) -> Spec:
        """The bundle's ``model.json``."""
        return self.bundle.spec

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, by class id."""
        return self.spec.labels

    @property
    def timings(self) -> Timings:
        """Seconds of preprocess, infer and postprocess in this thread's last call; zeros before the first."""
        return getattr(self._local, "timings", Timings(0.0, 0.0, 0.0))

    @contextmanager
    def _timed(self) -> Iterator[_Stopwatch]:
        watch = _Stopwatch()
        yield watch
        watch.lap()
        self._local.timings = Timings(*watch.seconds)

    def raw(self, image: npt.NDArray[Any], *, color: str = "bgr") -> dict[str, npt.NDArray[Any]]:
        """The networks' own outputs for an image, by role: what ``golden/`` holds."""
        raise NotImplementedError

    def __call__(self, image: npt.NDArray[Any]) -> Any:
        """Runs the task on one image."""
        raise NotImplementedError

    def rehearse(self, image: npt.NDArray[Any]) -> Any:
        """One whole call on a BGR image, for warming up and measuring; a task that needs more than it makes that up."""
        return self(image)

    def warm_up(self, runs: int = 1) -> None:
        """Runs the model on a black picture, so that the first real call is as fast as the next."""
        width, height = self.spec.input.size_wh
        for _ in range(runs):
            self.rehearse(np.zeros((height, width, 3), np.uint8))

    def close(self) -> None:
        """Frees the networks; calls after it raise `InferenceError`. May be called twice."""
        for network in self._networks.values():
            network.close()

    def __enter__(self: M) -> M:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_floats(role: str, info: TensorInfo) -> None:
    """Refuses a tensor that the kernels can't read: they take float32 and, where the chip gives it, float16."""
    if info.dtype not in (np.float32, np.float16):
        raise BundleError(f"{role}: expected float32 or float16, got {info.dtype}; convert the checkpoint again")
