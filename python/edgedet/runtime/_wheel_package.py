"""The package ``mindspore_lite``: whether it is here, how to get it, and importing it in peace."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import platform
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from edgedet.errors import RuntimeUnavailable

PACKAGE = "mindspore_lite"
# The newest release of which wheels for all these Pythons are known; none of them is on PyPI.
RELEASE, PYTHONS = "2.6.0", ((3, 9), (3, 10), (3, 11))
MACHINES = ("x86_64", "aarch64")
HOST = "https://ms-release.obs.cn-north-4.myhuaweicloud.com"
CLASH = (
    "mslite_wheel: expected a process without mindspore, got one that imported it (the symbols of the two clash); "
    "do run it in a process of its own"
)
_GLOG = "GLOG_v"
_lock = threading.Lock()


def missing() -> Optional[str]:
    """Why the package can't be used here, and the command that mends it, or None. Imports nothing."""
    if "mindspore" in sys.modules:
        return CLASH
    try:
        found = importlib.util.find_spec(PACKAGE)
    except (ImportError, ValueError):
        found = None
    return None if found else f"mslite_wheel: expected the package {PACKAGE}, got none; {cure()}"


def cure(python: tuple[int, int] = sys.version_info[:2], machine: str = platform.machine()) -> str:
    """The command that installs the wheel for this Python and processor, as the end of an error's sentence."""
    if machine not in MACHINES or python not in PYTHONS or not sys.platform.startswith("linux"):
        return f"do use the runtime mslite: the wheel is for Python 3.9 to 3.11 on Linux, {' or '.join(MACHINES)}"
    tag = f"cp{python[0]}{python[1]}"
    folder = f"{HOST}/{RELEASE}/MindSpore/lite/release/linux/{machine}/cloud_fusion/python{tag[2:]}"
    return f"do pip install {folder}/mindspore_lite-{RELEASE}-{tag}-{tag}-linux_{machine}.whl"


def load() -> tuple[Any, list[str]]:
    """The package, imported, and what it complained of meanwhile.

    Raises:
        RuntimeUnavailable: it is missing, or it is broken.
    """
    why = missing()
    if why:
        raise RuntimeUnavailable(why)
    with _lock, _quiet_library(), quiet() as complaints:
        try:
            return importlib.import_module(PACKAGE), complaints
        except Exception as error:  # of its libraries: an undefined symbol, another NumPy
            got = " ".join(str(error).split()) or type(error).__name__
            raise RuntimeUnavailable(
                f"mslite_wheel: expected a package {PACKAGE} that imports, got {got}; {cure()}"
            ) from error


def version(lite: Any) -> str:
    """The package's version, as it says."""
    return str(getattr(lite, "__version__", "of unknown version"))


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Collects what the package logs to Python's root logger, which on a board without Ascend is no news."""
    complaints: list[str] = []

    def keep_out(record: logging.LogRecord) -> bool:
        if PACKAGE not in Path(record.pathname).parts:
            return True
        complaints.append(record.getMessage())
        return False

    root = logging.getLogger()
    # Without a handler, logging.warning() would make one and so change the application's logging for ever.
    stand_in = logging.lastResort if not root.handlers else None
    if stand_in:
        root.addHandler(stand_in)
    root.addFilter(keep_out)
    try:
        yield complaints
    finally:
        root.removeFilter(keep_out)
        if stand_in:
            root.removeHandler(stand_in)


@contextmanager
def _quiet_library() -> Iterator[None]:
    """Only errors in the libraries' own log, unless the environment asks for more: they read it when they load."""
    if _GLOG in os.environ:
        yield
        return
    os.environ[_GLOG] = "3"
    try:
        yield
    finally:
        os.environ.pop(_GLOG, None)
