"""A function of one's own as a sink."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgedet.camera.result import Result
from edgedet.camera.sinks.base import Sink


class Callback(Sink):
    """Calls a function with every `Result`, on the sink's own thread."""

    def __init__(self, function: Callable[[Result], Any]) -> None:
        """``function`` may take its time: other sinks don't wait for it."""
        self._function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def write(self, result: Result) -> None:
        """Calls the function."""
        self._function(result)
