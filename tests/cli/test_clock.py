"""The clock's facts, on boards made of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgedet.diagnose import Fact, clock

CPU = "sys/devices/system/cpu"
FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def facts(root: Path, files: dict[str, str] | None = None) -> dict[str, Fact]:
    return {fact.name: fact for fact in clock.facts(write(root, files or {}))}


def test_a_machine_that_says_nothing(tmp_path: Path) -> None:
    found = facts(tmp_path)
    assert {fact.state for fact in found.values()} == {"none"}
    assert list(clock.doubts(list(found.values()), list(found.values()))) == []


def test_governors(tmp_path: Path) -> None:
    files = {f"{CPU}/cpu{i}/cpufreq/scaling_governor": "performance\n" for i in range(4)}
    steady = facts(tmp_path, files)["governor"]
    assert (steady.state, steady.text, steady.cure) == ("ok", "performance", None)
    files[f"{CPU}/cpu2/cpufreq/scaling_governor"] = "ondemand\n"
    mixed = facts(tmp_path, files)["governor"]
    assert mixed.data == {"governors": ["ondemand", "performance"]} and mixed.cure == clock.STEADY
    (doubt,) = clock.doubts([steady], [mixed])
    assert doubt == f"governor: expected performance, got ondemand, performance; do {clock.STEADY}"
    assert list(clock.doubts([steady], [steady])) == []


@pytest.mark.parametrize(
    "file", [FIRMWARE, "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"]
)
def test_a_pi_of_too_weak_a_supply(tmp_path: Path, file: str) -> None:
    found = facts(tmp_path, {file: "50005\n"})["throttling"]
    assert found.state == "wrong" and found.text == "under-voltage, throttled; temperature unknown"
    assert found.cure == "use the supply that the board's maker names"
    # What was so some time since the start is no doubt of now.
    calm = facts(tmp_path, {file: "50000\n"})["throttling"]
    assert (calm.state, calm.data["now"]) == ("ok", [])
    (doubt,) = clock.doubts([found], [calm])
    assert doubt.startswith("throttling: expected none, got under-voltage, throttled; ")


def test_a_cooling_device_that_slows_the_cores(tmp_path: Path) -> None:
    thermal = "sys/class/thermal"
    files = {
        f"{thermal}/thermal_zone0/temp": "81250\n",
        f"{thermal}/thermal_zone1/temp": "-273000\n",
        f"{thermal}/cooling_device0/type": "pwm-fan\n",
        f"{thermal}/cooling_device0/cur_state": "4\n",
        f"{thermal}/cooling_device1/type": "cpufreq-cpu0\n",
        f"{thermal}/cooling_device1/cur_state": "0\n",
        f"{thermal}/cooling_device1/max_state": "7\n",
    }
    found = facts(tmp_path, files)["throttling"]
    assert (found.state, found.text) == ("ok", "none now; 81 °C")
    found = facts(tmp_path, {f"{thermal}/cooling_device1/cur_state": "2\n"})["throttling"]
    assert (found.state, found.cure) == ("wrong", "cool the board")
    assert found.text == "cpufreq-cpu0 at step 2 of 7; 81 °C"


def test_counters_that_grew_meanwhile(tmp_path: Path) -> None:
    count = f"{CPU}/cpu0/thermal_throttle/core_throttle_count"
    before, after = ([facts(tmp_path, {count: text})["throttling"]] for text in ("3\n", "5\n"))
    assert before[0].state == "ok" and before[0].text == "none now; temperature unknown; 3 times since the start"
    (doubt,) = clock.doubts(before, after)
    assert "got cores held back 2 times meanwhile; " in doubt
    assert list(clock.doubts(after, after)) == []


def test_files_of_no_sense_hide_nothing_else(tmp_path: Path) -> None:
    governor = {f"{CPU}/cpu0/cpufreq/scaling_governor": "schedutil\n"}
    found = facts(tmp_path, {FIRMWARE: "what?\n", **governor})
    assert found["throttling"].state == "wrong" and "invalid literal" in found["throttling"].text
    assert found["governor"].text.startswith("schedutil: clocks follow the load")
    assert list(clock.doubts([], [found["throttling"]])) == []


def test_a_machine_that_has_other_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    told = [{"proc/loadavg": f"{load} 9.00 9.00 1/99 1\n"} for load in ("1.90", "2.10")]
    idle, busy = ([facts(tmp_path, files)["load"]] for files in told)
    assert busy[0].text == "2.10 tasks at a time in the last minute" and busy[0].state == "ok"
    # What the measurement itself adds is no doubt.
    assert list(clock.doubts(idle, busy)) == []
    assert list(clock.doubts(busy, idle)) == [
        "load: expected an idle machine, got 2.1 tasks at a time; stop what else runs"
    ]
