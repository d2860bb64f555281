"""Ascend devices on this machine: their nodes, CANN's folders, and the chip's name. Loads nothing of theirs.

Functions take the file system's root, so that tests can show them a board.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Optional

from edgedet.runtime._child import ask

ROOT = Path("/")
# Where CANN's packages install themselves; the environment of set_env.sh goes before.
PLACES = ("ascend-toolkit/latest", "nnrt/latest", "nnae/latest", "cann", "latest")
LIBRARY = "lib64/libascendcl.so"
SECONDS = 30.0
# In a child: CANN's libraries stay for ever in a process that loads them, and may take it down.
_ASK = """
import ctypes, sys
ask = ctypes.CDLL(sys.argv[1]).aclrtGetSocName
ask.restype = ctypes.c_char_p
print("soc=" + (ask() or b"").decode())
"""


def device_nodes(root: Path = ROOT) -> list[Path]:
    """``/dev/davinci0`` and so on, one for each chip."""
    nodes = [node for node in root.glob("dev/davinci*") if node.name[len("davinci") :].isdigit()]
    return sorted(nodes, key=lambda node: int(node.name[len("davinci") :]))


def shut(root: Path = ROOT) -> list[Path]:
    """The device nodes, the manager's among them, that this user may not read and write."""
    manager = root / "dev/davinci_manager"
    nodes = [*device_nodes(root), *([manager] if manager.exists() else [])]
    return [node for node in nodes if not os.access(node, os.R_OK | os.W_OK)]


def group_of(path: Path) -> str:
    """The name of the file's group, or its number."""
    try:
        return path.group()
    except (KeyError, OSError, NotImplementedError):
        try:
            return str(path.stat().st_gid)
        except OSError:
            return "unknown"


def home(root: Path = ROOT) -> Optional[Path]:
    """CANN's folder."""
    named = [Path(os.environ[name]) for name in ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME") if os.environ.get(name)]
    folders = (*(named if root == ROOT else ()), *(root / "usr/local/Ascend" / place for place in PLACES))
    return next((folder for folder in folders if folder.is_dir()), None)


def soc_name(root: Path = ROOT) -> Optional[str]:
    """The chip, as its own library calls it (``Ascend310P3``), or None if it can't be asked."""
    folder = home(root)
    library = folder / LIBRARY if folder else None
    return _ask(str(library)) if library and library.is_file() and device_nodes(root) else None


@cache
def _ask(library: str) -> Optional[str]:
    code, said = ask([sys.executable, "-I", "-c", _ASK, library], SECONDS)
    told = [line for line in said.splitlines() if line.startswith("soc=")]
    return told[-1][len("soc=") :].strip() or None if code == 0 and told else None


def same_chip(wanted: str, here: str) -> bool:
    """Whether a file for ``wanted`` (a name or its beginning, ``Ascend310P``) is one for the chip ``here``."""
    wanted, here = (name.lower().replace("ascend", "") for name in (wanted, here))
    rest = here[len(wanted) :]
    # Ascend310 is no Ascend310P3, though its name begins so.
    return bool(wanted) and here.startswith(wanted) and (not rest or (rest.isdigit() and not wanted[-1].isdigit()))


def missing(soc: Optional[str], root: Path = ROOT) -> Optional[str]:
    """Why a model compiled for ``soc`` can't run on this machine, and what mends it; None if nothing is known to."""
    if not device_nodes(root):
        return "ascend: expected an Ascend device, got no /dev/davinci0; do install the driver of the board's maker"
    closed = shut(root)
    if closed:
        group = group_of(closed[0])
        return (
            f"ascend: expected leave to read and write /dev/{closed[0].name}, got none; "
            f"do sudo usermod -aG {group} $USER and log in again"
        )
    if home(root) is None:
        return "ascend: expected CANN, got no /usr/local/Ascend and no ASCEND_HOME_PATH; do install CANN's nnrt package"
    here = soc_name(root)
    if soc and here and not same_chip(soc, here):
        return f"ascend: expected the chip {soc} that the variant is compiled for, got {here}; do convert it for {here}"
    return None
