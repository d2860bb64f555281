"""How fast the cores may run now: the governor, what else they do, and whether heat or the supply holds them back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

from edgedet.diagnose.facts import Fact, guarded, read

STEADY = "sudo cpupower frequency-set -g performance"
# Bits of the Raspberry Pi's firmware: what is so now. Those 16 higher: what has been so since it started.
_PI = {0: "under-voltage", 1: "capped clock", 2: "throttled", 3: "soft limit of temperature"}
# Cooling devices that cool by slowing the cores; the others are fans and what else hangs on a board.
_SLOWING = re.compile("cpufreq|^Processor$")


def facts(root: Path) -> list[Fact]:
    """One fact for each. Reading changes nothing."""
    return [
        *guarded("governor", lambda: _governor(root)),
        *guarded("throttling", lambda: _throttling(root)),
        *guarded("load", lambda: _load(root)),
    ]


def _governor(root: Path) -> Fact:
    files = root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    names = sorted({name for name in map(read, files) if name})
    if not names:
        return Fact("governor", "none", "unknown, as in most virtual machines", None, {"governors": []})
    steady = names == ["performance"]
    text = ", ".join(names) + ("" if steady else ": clocks follow the load, and timings with them")
    return Fact("governor", "ok", text, None if steady else STEADY, {"governors": names})


def _throttling(root: Path) -> Fact:
    reasons, events, degrees = [*_firmware(root), *_cooling(root)], _events(root), _temperature(root)
    data: dict[str, Any] = {"now": reasons, "events": events, "temperature_c": degrees}
    warm = f"{degrees:.0f} °C" if degrees is not None else "temperature unknown"
    before = f"; {events} times since the start" if events else ""
    if reasons:
        cure = "use the supply that the board's maker names" if "under-voltage" in reasons else "cool the board"
        return Fact("throttling", "wrong", f"{', '.join(reasons)}; {warm}{before}", cure, data)
    if degrees is None and events is None and not _told_by_firmware(root):
        return Fact("throttling", "none", "unknown, as in most virtual machines", None, data)
    return Fact("throttling", "ok", f"none now; {warm}{before}", None, data)


def _load(root: Path) -> Fact:
    told, cores = (read(root / "proc/loadavg") or "").split(), os.cpu_count() or 1
    if not told:
        return Fact("load", "none", "unknown", None, {"last_minute": None, "cores": cores})
    text = f"{told[0]} tasks at a time in the last minute"
    return Fact("load", "ok", text, None, {"last_minute": float(told[0]), "cores": cores})


def _told_by_firmware(root: Path) -> list[str]:
    # A board's own peripherals hang on soc, or on soc@ADDRESS on the newer ones.
    files = root.glob("sys/devices/platform/soc*/soc*:firmware/get_throttled")
    return [text for text in map(read, files) if text]


def _firmware(root: Path) -> Iterator[str]:
    for text in _told_by_firmware(root):
        yield from (reason for bit, reason in _PI.items() if int(text, 16) >> bit & 1)


def _cooling(root: Path) -> Iterator[str]:
    for folder in sorted(root.glob("sys/class/thermal/cooling_device*")):
        kind, state = read(folder / "type") or "", read(folder / "cur_state") or ""
        if _SLOWING.search(kind) and state.isdigit() and int(state) > 0:
            yield f"{kind} at step {state} of {read(folder / 'max_state') or '?'}"


def _events(root: Path) -> Optional[int]:
    """How often the cores were held back since the start, where the processor counts that."""
    files = root.glob("sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count")
    counts = [int(text) for text in map(read, files) if text and text.isdigit()]
    return sum(counts) if counts else None


def _temperature(root: Path) -> Optional[float]:
    """The hottest place on the board, in degrees Celsius."""
    texts = filter(None, (read(path) for path in root.glob("sys/class/thermal/thermal_zone*/temp")))
    # A zone that is switched off says 0 or something absurd.
    degrees = [int(text) / 1000 for text in texts if re.fullmatch("[0-9]{4,6}", text)]
    return max(degrees) if degrees else None


def doubts(before: list[Fact], after: list[Fact]) -> Iterator[str]:
    """What speaks against timings that were taken between two looks at these facts: a sentence for each."""
    earlier, later = ({fact.name: fact.data for fact in found} for found in (before, after))
    governors = set(later.get("governor", {}).get("governors", ()))
    if governors - {"performance"}:
        yield f"governor: expected performance, got {', '.join(sorted(governors))}; do {STEADY}"
    busy = earlier.get("load", {})
    if (busy.get("last_minute") or 0.0) > max(0.5, busy.get("cores", 1) / 2):
        yield f"load: expected an idle machine, got {busy['last_minute']:g} tasks at a time; stop what else runs"
    heat, cooler = later.get("throttling", {}), earlier.get("throttling", {})
    reasons = dict.fromkeys([*cooler.get("now", ()), *heat.get("now", ())])
    more = (heat.get("events") or 0) - (cooler.get("events") or 0)
    if more > 0:
        reasons[f"cores held back {more} times meanwhile"] = None
    if reasons:
        yield f"throttling: expected none, got {', '.join(reasons)}; cool the board or mend its supply, then measure"
