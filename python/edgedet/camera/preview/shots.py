"""What there is to see: the newest shots of each source, and a way to wait for newer ones."""

from __future__ import annotations

import asyncio
from collections import deque

from edgedet.camera.preview.shot import Shot

#: Of each source so many stay, for a snapshot of what a page shows.
KEPT = 8


class Shots:
    """Lives in the server's event loop, and is used in its thread alone."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._of: dict[str, deque[Shot]] = {}

    def begin(self) -> None:
        """In the loop, before anything else: Python 3.9 ties events to the loop that makes them."""
        self._newer = asyncio.Event()

    def publish(self, shot: Shot) -> None:
        """Hands a shot to all who wait for one of its source."""
        self._of.setdefault(shot.source, deque(maxlen=KEPT)).append(shot)
        newer, self._newer = self._newer, asyncio.Event()
        newer.set()

    def newest(self, source: str | None) -> Shot | None:
        """The newest shot of a source; None: of the one that gave the first picture."""
        name = next(iter(self._of), "") if source is None else source
        return self._of[name][-1] if name in self._of else None

    def find(self, number: str, source: str | None) -> Shot | None:
        """The shot of that number if it is still there, else the newest."""
        kept = (shot for shots in self._of.values() for shot in shots if str(shot.number) == number)
        return next(kept, None) or self.newest(source)

    async def after(self, number: int, source: str | None) -> Shot:
        """The newest shot of a source, as soon as it is newer than ``number``."""
        while (shot := self.newest(source)) is None or shot.number <= number:
            await self._newer.wait()
        return shot
