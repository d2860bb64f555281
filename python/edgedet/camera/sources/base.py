"""What a source of frames is, and what the devices behind it are."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from types import TracebackType
from typing import NamedTuple, Optional, Protocol

import numpy as np
import numpy.typing as npt

from edgedet.camera.frame import Frame

#: More pixels than this in one frame are an attack or a mistake (8K video has half as many).
MAX_PIXELS = 2**26


class State(str, Enum):
    """How a source is.

    ``TIMEOUT`` and ``ERROR`` are no end as long as `Source.read` does not raise a plain `SourceError`: the source goes
    on trying to get its camera back.
    """

    RUNNING = "running"
    """Frames come, or the first is on its way."""
    END = "end"
    """There are no more frames, or the source was closed."""
    TIMEOUT = "timeout"
    """No frame came in time."""
    ERROR = "error"
    """The camera was lost or never found."""


class Counts(NamedTuple):
    """What has happened to a source so far."""

    captured: int = 0
    """Frames that it captured."""
    dropped: int = 0
    """Frames among them that a newer one replaced before they were read."""
    damaged: int = 0
    """Pictures that could not be decoded and were passed over."""
    reconnects: int = 0
    """Times that a lost camera came back."""


class Source(Protocol):
    """A camera, a stream, a video, a folder of pictures: frames in order, one at a time.

    One thread reads; any thread may close or look at the rest.
    """

    @property
    def name(self) -> str:
        """What it is called in messages: its URI without passwords."""

    @property
    def live(self) -> bool:
        """Whether frames come in their own time, and are lost when nobody reads them."""

    @property
    def state(self) -> State:
        """How it is now."""

    @property
    def problem(self) -> Optional[str]:
        """What last went wrong; None if nothing has, or frames come again."""

    @property
    def counts(self) -> Counts:
        """What has happened so far."""

    @property
    def size_wh(self) -> Optional[tuple[int, int]]:
        """Width and height of the frames; None while unknown. A stream may change it."""

    @property
    def rate(self) -> Optional[float]:
        """Frames per second as the source declares them; None if it does not, or not yet."""

    def read(self, timeout_s: Optional[float] = None) -> Frame:
        """The next frame; of a live source the newest one that was not read yet.

        Args:
            timeout_s: how long to wait for it at most; None: the source's own timeout.

        Raises:
            EndOfStream: there are no more frames, or the source was closed, perhaps while this waited.
            SourceTimeout: none came in time. Reading again is fine: a lost camera is looked for all the while.
            SourceError: the source is broken for good.
        """

    def close(self) -> None:
        """Gives back the device; wakes a `read` that waits. Closing twice is fine."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __next__(self) -> Frame: ...

    def __enter__(self) -> Source: ...

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None: ...


class Shot(NamedTuple):
    """A picture as a device gives it."""

    image: npt.NDArray[np.uint8]
    captured_s: float
    source_s: Optional[float] = None
    color: str = "bgr"


class Device(Protocol):
    """What a scheme brings: an open camera or file. Only one thread uses it, apart from `interrupt`."""

    @property
    def size_wh(self) -> Optional[tuple[int, int]]:
        """Width and height of its pictures, if known."""

    @property
    def rate(self) -> Optional[float]:
        """Pictures per second, if known."""

    @property
    def damaged(self) -> int:
        """Pictures that it passed over because they could not be decoded."""

    def grab(self, timeout_s: float) -> Shot:
        """Waits for the next picture.

        Raises:
            EndOfStream: there are no more.
            SourceTimeout: none came in time.
            SourceError: the device is lost.
        """

    def interrupt(self) -> None:
        """Makes a `grab` in another thread return soon, if that is possible."""

    def close(self) -> None:
        """Gives back what the device holds."""
