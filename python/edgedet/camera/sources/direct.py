"""Sources that are read in the reader's own thread: files, where nothing is lost and nothing hurries."""

from __future__ import annotations

import threading
from typing import Optional

from edgedet.camera.frame import Frame
from edgedet.camera.sources.base import Device, State
from edgedet.camera.sources.options import Options
from edgedet.camera.sources.reader import Reader
from edgedet.errors import EndOfStream, SourceError, SourceTimeout


class DirectSource(Reader):
    """Asks its device for a picture whenever one is read."""

    def __init__(self, name: str, options: Options, device: Device) -> None:
        super().__init__(name, options)
        self._device = device
        self._using = threading.Lock()
        self._closed = False
        self.size_wh, self.rate = device.size_wh, device.rate

    def read(self, timeout_s: Optional[float] = None) -> Frame:
        """See `Source.read`."""
        with self._using:
            if self.state is State.ERROR:
                raise SourceError(self.problem)
            if self._closed or self.state is State.END:
                raise self._over()
            try:
                shot = self._device.grab(self._options.timeout_s if timeout_s is None else timeout_s)
                frame = self._counted(self._turned(shot))
            except EndOfStream as end:
                self._stop(State.END)
                self.problem = str(end) or None
                raise self._over() from None
            except SourceTimeout as error:
                self.state, self.problem = State.TIMEOUT, str(error)
                raise
            except OSError as error:
                self.problem = str(error)
                if not isinstance(error, SourceError):
                    self.problem = f"{self.name}: expected a frame, got {error.strerror}; look after the file"
                self._stop(State.ERROR)
                raise SourceError(self.problem) from error
            finally:
                self.counts = self.counts._replace(damaged=self._device.damaged)
                self.rate = self._device.rate
            self.state, self.problem = State.RUNNING, None
            return frame

    def close(self) -> None:
        """See `Source.close`."""
        self._closed = True
        self._device.interrupt()
        with self._using:
            self._stop(State.ERROR if self.state is State.ERROR else State.END)

    def _stop(self, state: State) -> None:
        self.state = state
        self._device.close()
