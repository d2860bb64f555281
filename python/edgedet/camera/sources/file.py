"""``file:///path`` or a plain path: a video, a picture, a folder of pictures or a glob."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable

from edgedet.camera.sources import options as source_options
from edgedet.camera.sources.address import Address, path_of
from edgedet.camera.sources.album import AlbumDevice
from edgedet.camera.sources.base import Device, Source
from edgedet.camera.sources.direct import DirectSource
from edgedet.camera.sources.live import LiveSource
from edgedet.camera.sources.options import Options
from edgedet.camera.sources.pace import Paced
from edgedet.camera.sources.picture import SUFFIXES
from edgedet.camera.sources.video import VideoDevice
from edgedet.errors import SourceError

SCHEMES = ("file",)
OPTIONS = source_options.COMMON | {"rate", "loop", "live", "watch", "buffer"}
OPTIONS_AFTER = "?"


def open(address: Address, options: Options) -> Source:
    """A source that reads the files; with ``live`` it plays them in their own time."""
    connect = _device(address, options)
    if not options.live:
        return DirectSource(address.name, options, connect())
    connect().close()  # a wrong file is an error at once
    return LiveSource(address.name, options, lambda: Paced(connect(), options.rate))


def _device(address: Address, options: Options) -> Callable[[], Device]:
    text = path_of(address) if address.scheme == "file" else address.text
    path = Path(text).expanduser()
    try:
        watches = path.is_dir() or (not path.exists() and re.search(r"[*?\[]", text) is not None)
    except OSError as error:
        raise SourceError(f"{address.name[:200]}: expected a path, got {error.strerror}; correct it") from error
    if options.watch and not watches:
        raise ValueError(f"{address.name}: watch: expected a folder or a glob, got something else; name the folder")
    if options.watch and options.loop:
        raise ValueError(f"{address.name}: expected watch or loop, got both; leave one out")
    if watches or path.suffix.lower() in SUFFIXES:
        return lambda: AlbumDevice(path, options, address.name)
    if not path.is_file():
        got = "something else" if path.exists() else "no such file"
        raise SourceError(
            f"{address.name}: expected a video, a picture, a folder or a glob, got {got}; correct the path"
        )
    return lambda: VideoDevice(path, options, address.name)
