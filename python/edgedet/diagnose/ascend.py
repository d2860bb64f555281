"""Ascend: device nodes and who may use them, driver, CANN, the chip."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

from edgedet.diagnose.facts import Fact, guarded, read
from edgedet.runtime import _ascend
from edgedet.runtime._child import ask

SECONDS = 10.0
# MindSpore Lite's release -> CANN's internal versions that it is made for. The package only logs it, and goes on.
MADE_FOR = {"2.6": ("7.6", "7.7"), "2.7": ("7.7", "7.8", "8.2")}
_FILES = ("version.info", "version.cfg", "compiler/version.info", "runtime/version.info")
_VERSION = re.compile(r"^\s*(?:package_)?version\s*=\s*\"?([\w.+-]+)", re.IGNORECASE | re.MULTILINE)
_BRACKETED = re.compile(r"\[([\w.]+):CANN")


def facts(root: Path, release: Optional[str] = None) -> list[Fact]:
    """What there is of Ascend; a single fact where there is nothing.

    Args:
        root: where the machine's files are.
        release: of the package mindspore_lite, if it is here.
    """
    nodes, home = _ascend.device_nodes(root), _ascend.home(root)
    if not nodes and home is None and not (root / "usr/local/Ascend").is_dir():
        return [Fact("devices", "none", "no /dev/davinci*, no /usr/local/Ascend", None, {"nodes": []})]
    return [
        *guarded("devices", lambda: _devices(root, nodes)),
        *guarded("driver", lambda: _driver(root)),
        *guarded("cann", lambda: _cann(root, home, release)),
        *guarded("environment", lambda: _environment(root, home)),
        *guarded("npu-smi", lambda: _npu_smi(root)),
        *guarded("chip", lambda: _chip(root, nodes)),
    ]


def _devices(root: Path, nodes: list[Path]) -> Fact:
    if not nodes:
        cure = "reinstall the board's Ascend driver, then reboot; in a container: docker run --device /dev/davinci0 ..."
        return Fact("devices", "missing", "no /dev/davinci*: the driver is not loaded", cure, {"nodes": []})
    manager = root / "dev/davinci_manager"
    every = [*nodes, *([manager] if manager.exists() else [])]
    data = {"nodes": [{"node": f"/dev/{node.name}", **_rights(node)} for node in every]}
    text = ", ".join(f"/dev/{node['node'][5:]} ({node['mode']}, group {node['group']})" for node in data["nodes"])
    if not manager.exists():
        return Fact("devices", "wrong", f"{text}; no /dev/davinci_manager", "reboot, or pass it to the container", data)
    closed = _ascend.shut(root)
    if closed:
        names = ", ".join(f"/dev/{node.name}" for node in closed)
        cure = f"sudo usermod -aG {_ascend.group_of(closed[0])} $USER, then log in again"
        return Fact("devices", "wrong", f"{text}; this user may not read and write {names}", cure, data)
    return Fact("devices", "ok", text, None, data)


def _rights(node: Path) -> dict[str, str]:
    return {"mode": stat.filemode(node.stat().st_mode)[1:], "group": _ascend.group_of(node)}


def _versions(folder: Path) -> Iterator[str]:
    for file in (*(folder / name for name in _FILES), *sorted(folder.glob("*/ascend_*_install.info"))):
        text = read(file)
        for pattern in (_VERSION, _BRACKETED):
            found = pattern.search(text or "")
            if found:
                yield found.group(1)


def _driver(root: Path) -> Fact:
    for folder in (root / "usr/local/Ascend/driver", root / "var/davinci/driver"):
        version = next(_versions(folder), None)
        if version:
            return Fact("driver", "ok", f"{version}, {folder}", None, {"version": version, "path": str(folder)})
    return Fact("driver", "missing", "no /usr/local/Ascend/driver/version.info", "install the board's Ascend driver")


def _cann(root: Path, home: Optional[Path], release: Optional[str]) -> Fact:
    if home is None:
        return Fact("cann", "missing", "no folder of it in /usr/local/Ascend", "install CANN's nnrt for the driver")
    version = next(_versions(home), None)
    data = {"version": version, "path": str(home)}
    text = f"{version or 'version unknown'}, {home}"
    wanted = MADE_FOR.get(".".join((release or "").split(".")[:2]))
    if wanted and version and ".".join(version.split(".")[:2]) not in wanted:
        cure = f"install CANN of internal version {' or '.join(wanted)}, or another mindspore_lite"
        return Fact("cann", "wrong", f"{text}; mindspore_lite {release} is made for {', '.join(wanted)}", cure, data)
    return Fact("cann", "ok", text, None, data)


def _environment(root: Path, home: Optional[Path]) -> Optional[Fact]:
    """CANN's libraries are found by the paths that its script sets."""
    if home is None:
        return None
    named = os.environ.get("ASCEND_HOME_PATH")
    if named:
        there = Path(named).is_dir()
        text = f"ASCEND_HOME_PATH={named}" + ("" if there else ", which is no folder")
        return Fact("environment", "ok" if there else "wrong", text, None if there else f"source {_script(home)}")
    return Fact("environment", "wrong", "ASCEND_HOME_PATH is not set", f"source {_script(home)}")


def _script(home: Path) -> Path:
    return next((place / "set_env.sh" for place in (home, home.parent) if (place / "set_env.sh").is_file()), home)


def _npu_smi(root: Path) -> Fact:
    tool = shutil.which("npu-smi") if root == _ascend.ROOT else None
    if tool is None:
        return Fact("npu-smi", "none", "not on the path", None, {"path": None})
    code, said = ask([tool, "info"], SECONDS)
    data = {"path": tool, "exit_code": code, "said": said[:4000]}
    if code == 0:
        return Fact("npu-smi", "ok", f"{tool} answers", None, data)
    last = said.rpartition("\n")[2][:200]
    return Fact("npu-smi", "wrong", f"{tool} info: {last or f'exit code {code}'}", "sudo npu-smi info", data)


def _chip(root: Path, nodes: list[Path]) -> Fact:
    soc = _ascend.soc_name(root)
    if soc:
        return Fact("chip", "ok", soc, None, {"soc": soc})
    return Fact("chip", "none", "unknown: libascendcl.so is not here, or did not say" if nodes else "no device")
