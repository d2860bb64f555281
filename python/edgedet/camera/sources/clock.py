"""When a frame was taken, of streams that say only how frames lie to one another."""

from __future__ import annotations

from typing import Optional


class StreamClock:
    """Turns a stream's time stamps into `time.monotonic`.

    The frame that came fastest had nothing to wait for: measured from it, each other frame is as late as it was held
    up on its way. What every frame loses alike (exposure, encoding, the network's least delay) can't be known.
    """

    #: A camera's clock may be slower or faster than ours by this much.
    DRIFT = 2e-4

    def __init__(self) -> None:
        self._lead_s: Optional[float] = None  # the least (arrival - time stamp)
        self._source_s = self._arrived_s = 0.0

    def captured_s(self, source_s: float, arrived_s: float) -> float:
        """When the frame with that time stamp, which came at ``arrived_s``, was taken; never later than it came."""
        lead_s = arrived_s - source_s
        if self._lead_s is None or source_s <= self._source_s:  # the stream has begun anew, or has no time
            self._lead_s = lead_s
        allowed_s = self._lead_s + self.DRIFT * max(0.0, arrived_s - self._arrived_s)
        self._lead_s = min(allowed_s, lead_s)
        self._source_s, self._arrived_s = source_s, arrived_s
        return source_s + self._lead_s


def from_sensor(stamp_s: float, arrived_s: float) -> float:
    """A driver's time stamp if it can be of the clock that is `time.monotonic`, else when the frame came."""
    return stamp_s if arrived_s - 10 < stamp_s <= arrived_s else arrived_s
