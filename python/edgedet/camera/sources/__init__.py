"""Where frames come from: one file of this folder per scheme, found by name.

A module here that has ``SCHEMES`` brings them; it also has ``OPTIONS`` (the names of the options that it understands),
``OPTIONS_AFTER`` (the sign before them in a URI) and ``open(address, options) -> Source``. Nothing names the schemes:
adding one is adding its file.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Optional, Protocol, Union, cast

from edgedet.camera.sources import options as source_options
from edgedet.camera.sources.address import Address, masked, parse, scheme_of
from edgedet.camera.sources.base import Counts, Source, State

__all__ = ["GRAMMAR", "Counts", "Source", "State", "open_source", "schemes"]

#: The one description of what `open_source` understands, for people.
GRAMMAR = """\
a source is one of
  0, v4l2:///dev/video0             a camera of this machine; ?size=1280x720&rate=30&codec=MJPG
  rtsp://HOST/PATH, rtsps://...     a network camera
  http://HOST/PATH, https://...     a network camera that sends MJPEG, or one JPEG for each request
  PATH, file:///PATH                a video, a picture, a folder of pictures, or a quoted glob; file: ?loop=yes
  gst:PIPELINE                      a GStreamer pipeline (gst-launch's text) without its sink
  picamera2:0                       a Raspberry Pi's camera; ?size=1280x720&rate=30
  test:                             a generated scene; ?size=640x480&rate=30&seed=3&frames=100
options stand after ? (of rtsp and http after #, for what is after ? is the camera's):
  size=WxH rate=FPS codec=FOURCC    what the camera is asked for; rate also the speed of a file
  flip=90|180|270|horizontal|vertical
                                    turn clockwise, or mirror
  loop=yes                          begin a file again at its end
  live=yes|no                       play a file in its own time, frames that nobody reads are lost; or not so
  watch=yes                         at the end of a folder wait for more pictures
  timeout=SECONDS                   how long without a frame is too long (10)
  reconnect=N                       attempts to get a lost camera back (inf, but 0 before its first frame)
  buffer=N                          frames that wait for a reader who is late, the newest (1)
  seed=N frames=N cycle=N           of test: which scene, how many frames, how many of them different
"""


class Scheme(Protocol):
    """What a scheme's module holds."""

    SCHEMES: tuple[str, ...]
    OPTIONS: Iterable[str]
    OPTIONS_AFTER: str

    def open(self, address: Address, options: source_options.Options) -> Source:
        """Makes the source."""


@functools.cache
def schemes() -> dict[str, Scheme]:
    """All schemes by name."""
    found: dict[str, Scheme] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for scheme in getattr(module, "SCHEMES", ()):
            found[scheme] = cast(Scheme, module)
    return dict(sorted(found.items()))


def open_source(
    uri: Union[str, int, Path],
    *,
    size_wh: Optional[tuple[int, int]] = None,
    rate: Optional[float] = None,
    codec: Optional[str] = None,
    flip: Optional[str] = None,
    loop: bool = False,
    live: Optional[bool] = None,
    watch: bool = False,
    timeout_s: Optional[float] = None,
    reconnect: Optional[float] = None,
    buffer: Optional[int] = None,
) -> Source:
    """Opens a camera, a stream, a video or pictures; ``GRAMMAR`` says how they are called.

    A file that is missing is an error here, a camera that is missing when the first frame is read.

    Args:
        uri: what to open; a number is a camera of this machine.
        size_wh: width and height that the camera is asked for.
        rate: frames per second that the camera is asked for; of a file, at which it is played.
        codec: pixel format or codec that the camera is asked for, its four-letter code.
        flip: ``90``, ``180``, ``270`` (degrees clockwise), ``horizontal`` or ``vertical``.
        loop: begin a file again at its end.
        live: play a file in its own time; frames that nobody reads are lost.
        watch: at the end of a folder wait for pictures that are yet to come.
        timeout_s: how long without a frame is too long (10 seconds).
        reconnect: attempts in a row to get a lost camera back, ``math.inf``: for ever. None: for ever once it has given
            a frame, but none before, so that a wrong address is an error at once.
        buffer: frames that a live source keeps for a reader that is late (1: only the newest).

    Raises:
        ValueError: no such scheme, an option that it doesn't have, or a value that can't be.
        SourceError: the file is missing, or no video or picture.
    """
    text = f"v4l2:///dev/video{uri}" if isinstance(uri, int) or str(uri).isdigit() else str(uri)
    if not text:
        raise ValueError("source: expected a camera, a stream or a file, got nothing; write test: to try it out")
    scheme = _scheme(text)
    address = parse(text, scheme.OPTIONS_AFTER if scheme_of(text) in scheme.SCHEMES else "")
    given = {
        "size_wh": size_wh,
        "rate": rate,
        "codec": codec,
        "flip": flip,
        "loop": loop or None,
        "live": live,
        "watch": watch or None,
        "timeout_s": timeout_s,
        "reconnect": reconnect,
        "buffer": buffer,
    }
    return scheme.open(address, source_options.make(address.name, scheme.OPTIONS, address.options, given))


def _scheme(text: str) -> Scheme:
    name = scheme_of(text)
    known = schemes()
    if name in known:
        return known[name]
    if not name or _exists(text):
        return known["file"]
    near = get_close_matches(name, known, 1)
    do = f"write {near[0]}:" if near else f"write ./{masked(text)} if it is a file"
    raise ValueError(f"source: expected a scheme among {', '.join(known)}, got {name!r}; {do}")


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except OSError:  # too long for a path
        return False
