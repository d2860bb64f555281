"""Programs that the tests talk to: a test that lacks one is skipped, or fails where all must be there (in CI)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

# Debian's bindings of GStreamer are for Debian's Python.
DEBIAN_PYTHON = "/usr/bin/python3"
_DIST_PACKAGES = Path("/usr/lib/python3/dist-packages")


def missing(what: str, package: str) -> NoReturn:
    """Ends the test: ``what`` is not here, and ``package`` of Debian's would bring it."""
    sentence = f"no {what} here: apt-get install {package}"
    if os.environ.get("EDGEDET_REQUIRE_PEERS") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


def program(name: str, package: str | None = None) -> str:
    """The path of a program."""
    path = shutil.which(name)
    if path is None:
        missing(name, package or name)
    return path


def rtsp_python() -> str:
    """A Python that can serve RTSP."""
    code = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    if subprocess.run([DEBIAN_PYTHON, "-c", code], capture_output=True).returncode:
        missing("GStreamer RTSP server", "python3-gi gir1.2-gst-rtsp-server-1.0")
    return DEBIAN_PYTHON


def pygobject(folder: Path) -> None:
    """Makes ``import gi`` work: the interpreter's own package, or Debian's if it fits; ``folder`` is for its link."""
    try:
        import gi
    except ImportError:
        built = list(_DIST_PACKAGES.glob("gi/_gi.cpython-*.so"))
        if not built:
            missing("PyGObject", "python3-gi (or pip install PyGObject)")
        if not any(f"-{sys.version_info[0]}{sys.version_info[1]}-" in path.name for path in built):
            pytest.skip("Debian's PyGObject is for another Python: pip install PyGObject")
        # A link, for the rest of Debian's packages must not come before this environment's.
        (folder / "gi").symlink_to(_DIST_PACKAGES / "gi")
        sys.path.append(str(folder))
        import gi
    try:
        for module in ("Gst", "GstApp", "GstVideo"):
            gi.require_version(module, "1.0")
    except ValueError:
        missing("GStreamer with introspection", "gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-good")
