"""The machine: system, board, C library, cores, memory."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any, Optional

from edgedet.diagnose.facts import Fact, guarded, read

# A network and its runtime need about as much; below it the system kills processes instead of saying so.
LITTLE_BYTES = 256 << 20
# Implementer and part of the cores that boards have, from ARM's Main ID Register.
_ARM = {
    "0x41 0xd03": "Cortex-A53",
    "0x41 0xd04": "Cortex-A35",
    "0x41 0xd05": "Cortex-A55",
    "0x41 0xd07": "Cortex-A57",
    "0x41 0xd08": "Cortex-A72",
    "0x41 0xd09": "Cortex-A73",
    "0x41 0xd0a": "Cortex-A75",
    "0x41 0xd0b": "Cortex-A76",
    "0x41 0xd0c": "Neoverse N1",
    "0x41 0xd0d": "Cortex-A77",
    "0x41 0xd41": "Cortex-A78",
    "0x41 0xd42": "Cortex-A78AE",
    "0x48 0xd01": "TaiShan v110",
}


def facts(root: Path) -> list[Fact]:
    """One fact for each."""
    return [
        *guarded("system", lambda: _system(root)),
        *guarded("board", lambda: _board(root)),
        *guarded("c library", _c_library),
        *guarded("cores", lambda: _cores(root)),
        *guarded("memory", lambda: _memory(root)),
    ]


def _system(root: Path) -> Fact:
    pretty = re.search(r'^PRETTY_NAME="?([^"\n]*)', read(root / "etc/os-release") or "", re.MULTILINE)
    data = {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "name": pretty.group(1) if pretty else None,
    }
    name = f"{data['name']}, " if pretty else ""
    return Fact("system", "ok", f"{name}{data['system']} {data['release']}, {data['machine']}", None, data)


def _board(root: Path) -> Fact:
    told = dict(re.findall(r"^(\w[\w ]*?)\s*:\s*(.+)$", read(root / "proc/cpuinfo") or "", re.MULTILINE))
    cpu = told.get("model name") or _arm_cores(root)
    name = read(root / "proc/device-tree/model") or told.get("Model") or cpu
    return Fact("board", "ok" if name else "none", name or "unknown", None, {"model": name, "cpu": cpu})


def _arm_cores(root: Path) -> Optional[str]:
    """The kinds of cores, in the words of who designed them; ARM's systems tell but numbers."""
    text = read(root / "proc/cpuinfo") or ""
    found = re.findall(r"^CPU (?:implementer|part)\s*:\s*(0x[0-9a-f]+)", text, re.MULTILINE)
    kinds = dict.fromkeys(map(" ".join, zip(found[::2], found[1::2])))
    return ", ".join(_ARM.get(kind, f"cores {kind}") for kind in kinds) or None


def _c_library() -> Fact:
    try:
        told = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):
        told = None
    if told:
        return Fact("c library", "ok", told, None, {"glibc": told.rpartition(" ")[2]})
    text = "not glibc (musl?): the wheels of onnxruntime and mindspore_lite need glibc"
    return Fact("c library", "wrong", text, "use a system with glibc, such as Debian", {"glibc": None})


def _cores(root: Path) -> Fact:
    present = os.cpu_count() or 1
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(present))
    data: dict[str, Any] = {"present": present, "affinity": usable, "quota": _quota(root), "kinds": _kinds(root)}
    parts = [f"{present}, of which this process may use {len(usable)} ({_ranges(usable)})"]
    if data["quota"] is not None:
        parts.append(f"for {data['quota']:g} cores' time")
    if len(data["kinds"]) > 1:
        parts.append("; ".join(f"cores {_ranges(cores)} at {speed} MHz" for speed, cores in data["kinds"].items()))
    return Fact("cores", "ok", ", ".join(parts), None, data)


def _kinds(root: Path) -> dict[int, list[int]]:
    """Top speed in MHz -> the cores that have it: big ones and small ones."""
    kinds: dict[int, list[int]] = {}
    for folder in root.glob("sys/devices/system/cpu/cpu[0-9]*"):
        speed = read(folder / "cpufreq/cpuinfo_max_freq")
        if speed and speed.isdigit() and folder.name[3:].isdigit():
            kinds.setdefault(int(speed) // 1000, []).append(int(folder.name[3:]))
    return {speed: sorted(cores) for speed, cores in sorted(kinds.items(), reverse=True)}


def _quota(root: Path) -> Optional[float]:
    """How many cores' time a container may use."""
    told = (read(root / "sys/fs/cgroup/cpu.max") or "").split()
    if len(told) == 2 and all(part.isdigit() for part in told) and int(told[1]):
        return int(told[0]) / int(told[1])
    old = [read(root / f"sys/fs/cgroup/cpu/cpu.cfs_{name}_us") or "" for name in ("quota", "period")]
    return int(old[0]) / int(old[1]) if all(part.isdigit() for part in old) and int(old[1]) else None


def _ranges(numbers: list[int]) -> str:
    """``0-3,6``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def _memory(root: Path) -> Fact:
    told = dict(re.findall(r"^(MemTotal|MemAvailable):\s*(\d+) kB", read(root / "proc/meminfo") or "", re.MULTILINE))
    total, free = (int(told[name]) << 10 if name in told else None for name in ("MemTotal", "MemAvailable"))
    limits = [read(root / "sys/fs/cgroup" / name) or "" for name in ("memory.max", "memory/memory.limit_in_bytes")]
    bound = next((int(text) for text in limits if text.isdigit() and int(text) < 1 << 60), None)
    data = {"total_bytes": total, "available_bytes": free, "limit_bytes": bound}
    if total is None or free is None:
        return Fact("memory", "none", "unknown", None, data)
    text = f"{free / 2**30:.1f} GiB free of {total / 2**30:.1f}"
    text += f", limited to {bound / 2**30:.1f} GiB here" if bound is not None else ""
    little = min(free, free if bound is None else bound) < LITTLE_BYTES
    cure = "stop what else runs, or add swap" if little else None
    return Fact("memory", "wrong" if little else "ok", text, cure, data)
