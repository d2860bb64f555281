"""``window:`` the newest frame on a screen, drawn on; ``q``, Escape or closing the window ends the pipeline."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import cv2

from edgedet.camera.result import Result
from edgedet.camera.sinks import values
from edgedet.camera.sinks.base import Enough, Sink
from edgedet.errors import SinkError

SCHEMES = ("window",)
GRAMMAR = "  window:TITLE                      a window on this machine's screen; ?draw=yes|no"
OPTIONS: Mapping[str, Callable[[str], Any]] = {"draw": values.yes}
_ENDING = (ord("q"), 27)
# The toolkits end the process when there is no display, and have no question that one could ask before.
_PROBE = "import cv2; cv2.namedWindow('edgedet'); cv2.waitKey(1)"


def open(scheme: str, address: str, options: Mapping[str, Any]) -> Sink:
    """See `edgedet.camera.sinks`."""
    return Window(address or "edgedet", **options)


class Window(Sink):
    """Shows the newest frame."""

    queue = 1
    view = True

    def __init__(self, title: str = "edgedet", *, draw: bool = True) -> None:
        """No window yet."""
        self.name = f"window:{title}"
        self._title, self._draw = title, draw

    def open(self) -> None:
        """Opens the window, after a child process has opened one.

        Raises:
            SinkError: there is no display, or this OpenCV has no windows.
        """
        done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if "display" in line or "error" in line.lower()]
            raise SinkError(
                f"{self.name}: expected a display and an OpenCV with windows, got {said[0] if said else 'none'}; "
                "set DISPLAY and use opencv-python (not -headless), or choose another sink"
            )
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)

    def write(self, result: Result) -> None:
        """Shows one frame."""
        if not self._is_there():
            raise Enough(f"{self.name}: was closed")
        cv2.imshow(self._title, result.draw() if self._draw else result.picture)
        if cv2.waitKey(1) & 0xFF in _ENDING:
            raise Enough(f"{self.name}: was told to end")

    def close(self) -> None:
        """Closes the window."""
        if self._is_there():
            cv2.destroyWindow(self._title)
            cv2.waitKey(1)

    def _is_there(self) -> bool:
        try:
            return bool(cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1)
        except cv2.error:  # there is no window at all
            return False
