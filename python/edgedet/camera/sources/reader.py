"""What all sources have in common: counting, turning, iterating, closing."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Optional

from edgedet.camera.frame import Frame
from edgedet.camera.sources import turn
from edgedet.camera.sources.base import MAX_PIXELS, Counts, Shot, State
from edgedet.camera.sources.options import Options
from edgedet.errors import EndOfStream, SourceError
from edgedet.image import image_wh


class Reader:
    """The part of a source that does not depend on who waits for the device."""

    live = False

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self.state = State.RUNNING
        self.problem: Optional[str] = None
        self.counts = Counts()
        self.size_wh: Optional[tuple[int, int]] = None
        self.rate: Optional[float] = None
        self._options = options

    def read(self, timeout_s: Optional[float] = None) -> Frame:
        """See `Source.read`."""
        raise NotImplementedError

    def close(self) -> None:
        """See `Source.close`."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        try:
            return self.read()
        except EndOfStream:
            raise StopIteration from None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.state.value}>"

    def _turned(self, shot: Shot) -> Shot:
        """The shot as ``flip`` says, its size checked."""
        try:
            width, height = image_wh(shot.image, shot.color)
        except ValueError as error:
            raise SourceError(f"{self.name}: {error}") from error
        if width * height > MAX_PIXELS:
            raise SourceError(
                f"{self.name}: expected frames of 1 to {MAX_PIXELS} pixels, got {width}x{height}; choose a smaller size"
            )
        image, color = turn.turned(shot.image, shot.color, self._options.flip)
        return shot._replace(image=image, color=color)

    def _counted(self, shot: Shot) -> Frame:
        """The shot as the source's next frame."""
        self.size_wh = image_wh(shot.image, shot.color)
        index = self.counts.captured
        self.counts = self.counts._replace(captured=index + 1)
        return Frame(shot.image, index, shot.captured_s, shot.source_s, self.name, shot.color)

    def _over(self) -> EndOfStream:
        return EndOfStream(
            f"{self.name}: expected another frame, got the end after {self.counts.captured}; open the source again"
        )
