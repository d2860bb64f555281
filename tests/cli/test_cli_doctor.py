"""``edgedet doctor``, on boards made of files."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bundles import edit_json
from mindspore_lite_double import FOLDER

from edgedet import diagnose
from edgedet.cli import doctor, main
from edgedet.diagnose import Fact, Report, ascend, facts, machine, runtimes, software
from edgedet.runtime import _ascend, _child, base


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


PI = {
    "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 108.00\n\nModel\t\t: not this one\n",
    "proc/meminfo": "MemTotal:        8252608 kB\nMemFree: 1 kB\nMemAvailable:    6291456 kB\n",
}
ATLAS = {
    "proc/device-tree/model": "Atlas 200I DK A2\0",
    "proc/meminfo": "MemTotal: 3899392 kB\nMemAvailable: 3000000 kB\n",
    **{f"dev/{name}": "" for name in ("davinci0", "davinci_manager", "devmm_svm", "hisi_hdc")},
    "usr/local/Ascend/driver/version.info": "Version=24.1.rc2\nascendhal_version=7.35.19\n",
    "usr/local/Ascend/ascend-toolkit/latest/compiler/version.info": "Version=7.6.0.1.220\nversion_dir=8.0.RC3\n",
    "usr/local/Ascend/ascend-toolkit/set_env.sh": "",
}


def by_name(found: list[Fact]) -> dict[str, Fact]:
    names = [fact.name for fact in found]
    assert len(set(names)) == len(names) and {fact.state for fact in found} <= set(facts.STATES)
    return {fact.name: fact for fact in found}


# ---- machines


def test_a_pi(tmp_path: Path) -> None:
    found = by_name(machine.facts(write(tmp_path, PI)))
    assert found["board"].text == "Raspberry Pi 5 Model B Rev 1.0"
    assert found["system"].text.startswith("Debian GNU/Linux 12 (bookworm), ")
    assert (found["memory"].state, found["memory"].text) == ("ok", "6.0 GiB free of 7.9")
    (devices,) = ascend.facts(tmp_path)
    assert (devices.state, devices.cure) == ("none", None)


def arm(implementer: str, part: str) -> str:
    return f"processor\t: 0\nCPU implementer\t: {implementer}\nCPU variant\t: 0x1\nCPU part\t: {part}\n\n"


@pytest.mark.parametrize(
    ("cpuinfo", "cpu"),
    [
        ("processor\t: 0\nmodel name\t: Some x86\nflags\t: a b\n\nmodel name\t: Some x86\n", "Some x86"),
        (arm("0x41", "0xd0b") * 2 + arm("0x41", "0xd05"), "Cortex-A76, Cortex-A55"),
        (arm("0x48", "0xd01"), "TaiShan v110"),
        (arm("0x99", "0x001"), "cores 0x99 0x001"),
        ("", None),
    ],
)
def test_what_the_cores_are(tmp_path: Path, cpuinfo: str, cpu: str | None) -> None:
    found = by_name(machine.facts(write(tmp_path, {"proc/cpuinfo": cpuinfo})))["board"]
    assert found.data == {"model": cpu, "cpu": cpu} and found.text == (cpu or "unknown")


def test_big_and_small_cores_and_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = {f"sys/devices/system/cpu/cpu{i}/cpufreq/cpuinfo_max_freq": "1800000\n" for i in range(4)}
    speeds |= {f"sys/devices/system/cpu/cpu{i}/cpufreq/cpuinfo_max_freq": "2400000\n" for i in (4, 5)}
    limits = {"sys/fs/cgroup/cpu.max": "150000 100000\n", "sys/fs/cgroup/memory.max": "134217728\n"}
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 5}, raising=False)
    found = by_name(machine.facts(write(tmp_path, {**PI, **speeds, **limits})))
    assert found["cores"].text == (
        "6, of which this process may use 4 (0-2,5), for 1.5 cores' time, cores 4-5 at 2400 MHz; cores 0-3 at 1800 MHz"
    )
    assert found["cores"].data["affinity"] == [0, 1, 2, 5]
    assert found["memory"].state == "wrong" and "limited to 0.1 GiB here" in found["memory"].text


def test_cgroups_of_the_first_version(tmp_path: Path) -> None:
    quota = {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}
    unlimited = {"sys/fs/cgroup/memory/memory.limit_in_bytes": str(0x7FFFFFFFFFFFF000)}
    found = by_name(machine.facts(write(tmp_path, {**PI, **quota, **unlimited})))
    assert found["cores"].data["quota"] == 0.5 and found["memory"].data["limit_bytes"] is None


def test_musl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "confstr", lambda name: None)
    assert machine._c_library().state == "wrong"


def test_an_atlas_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCEND_HOME_PATH", str(tmp_path))
    monkeypatch.setattr(_ascend, "soc_name", lambda root: "Ascend310B4")
    found = by_name(ascend.facts(write(tmp_path, ATLAS), "2.6.0"))
    assert {name: fact.state for name, fact in found.items()} == {
        "devices": "ok",
        "driver": "ok",
        "cann": "ok",
        "environment": "ok",
        "npu-smi": "none",
        "chip": "ok",
    }
    assert found["devices"].text.startswith("/dev/davinci0 (rw-r--r--, group ")
    assert found["driver"].data["version"] == "24.1.rc2"
    assert found["cann"].data["version"] == "7.6.0.1.220"
    assert found["chip"].text == "Ascend310B4"


def test_wrong_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ATLAS)
    (tmp_path / "dev/davinci0").chmod(0o440)
    monkeypatch.setattr(_ascend, "group_of", lambda path: "HwHiAiUser")
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "davinci0")
    found = by_name(ascend.facts(tmp_path))["devices"]
    assert found.state == "wrong" and found.text.endswith("; this user may not read and write /dev/davinci0")
    assert found.cure == "sudo usermod -aG HwHiAiUser $USER, then log in again"
    assert found.data["nodes"][0] == {"node": "/dev/davinci0", "mode": "r--r-----", "group": "HwHiAiUser"}


def test_half_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASCEND_HOME_PATH", raising=False)
    write(tmp_path, ATLAS)
    (tmp_path / "dev/davinci_manager").unlink()
    found = by_name(ascend.facts(tmp_path, "2.7.0"))
    assert "no /dev/davinci_manager" in found["devices"].text
    assert found["environment"].cure == f"source {tmp_path}/usr/local/Ascend/ascend-toolkit/set_env.sh"
    assert found["cann"].state == "wrong" and "is made for 7.7, 7.8, 8.2" in found["cann"].text
    (tmp_path / "dev/davinci0").unlink()
    assert by_name(ascend.facts(tmp_path))["devices"].state == "missing"
    only = write(tmp_path / "only", {"dev/davinci0": "", "dev/davinci_manager": ""})
    found = by_name(ascend.facts(only))
    assert [name for name, fact in found.items() if fact.state == "missing"] == ["driver", "cann"]


def test_npu_smi_that_hangs_or_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "npu-smi"
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(ascend, "SECONDS", 0.5)
    for script, said in [("sleep 60 & wait", "no answer within 0.5 s"), ("echo broken >&2; exit 3", "broken")]:
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        begin = time.monotonic()
        fact = ascend._npu_smi(Path("/"))
        assert fact.state == "wrong" and fact.text.endswith(said) and time.monotonic() - begin < 10
    tool.write_text("#!/bin/sh\necho table\n")
    assert ascend._npu_smi(Path("/")).state == "ok"


DAMAGE = {
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 9),
    "empty": lambda path: path.write_bytes(b""),
    "folder": lambda path: path.mkdir(),
    "loop": lambda path: path.symlink_to(path.name),
    "numbers": lambda path: path.write_text("0 0"),
    "huge": lambda path: path.write_text("9" * 5000),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_nothing_ends_it(damage: str, tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cgroups = {f"sys/fs/cgroup/{name}": "" for name in ("cpu.max", "memory.max", "cpu/cpu.cfs_quota_us")}
    files = {**PI, **ATLAS, **cgroups, "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": ""}
    root = write(tmp_path / "root", files)
    for name in files:
        (root / name).unlink()
        DAMAGE[damage](root / name)
    report = diagnose.examine(bundle, root)
    json.dumps(report.to_dict())
    assert doctor.text(report)
    monkeypatch.setattr(runtimes, "describe", lambda name: 1 / 0)
    assert {fact.text for fact in runtimes.facts()} == {"division by zero"}


# ---- runtimes


def test_runtimes_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("onnxruntime", "mindspore_lite"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setenv("EDGEDET_MSLITE_LIBRARY", "/no/such.so")
    report = diagnose.examine()
    found = by_name(report.sections["runtimes"])
    assert {fact.state for fact in found.values()} == {"missing"} and not report.able
    assert all(fact.cure for fact in found.values())
    assert found["onnx"].cure == "pip install 'edgedet[onnx]'"


def test_a_package_is_imported_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    for name in list(sys.modules):
        if name.partition(".")[0] in ("mindspore", "mindspore_lite"):
            monkeypatch.delitem(sys.modules, name)
    fact = runtimes.describe("mslite_wheel")
    assert fact.state == "ok" and fact.text.startswith("2.6.0, ") and fact.data["runs"] == {"mindir": "cpu"}
    assert "mindspore_lite" not in sys.modules
    monkeypatch.setenv("MINDSPORE_LITE_DOUBLE_BROKEN", "1")
    fact = runtimes.describe("mslite_wheel")
    assert fact.state == "wrong" and fact.text.endswith("ImportError: numpy.core.multiarray failed to import")
    (tmp_path / "diesof.py").write_text("import os\nos.abort()")
    monkeypatch.syspath_prepend(tmp_path)
    assert facts.imported("diesof") == (None, None, "the end of its process by signal 6")


def test_answers_of_commands() -> None:
    assert _child.ask(["/no/such/command"], 1) == (None, "No such file or directory")
    assert _child.ask([sys.executable, "-c", "print('x')"], 60) == (0, "x")


def test_a_debug_build(monkeypatch: pytest.MonkeyPatch) -> None:
    built = {"version": "1", "vector_level": "avx2", "compiler": "c", "build_type": "Debug", "assertions": True}
    monkeypatch.setattr(software, "_core", SimpleNamespace(build_info=lambda: built, __file__="/x.so"))
    found = by_name(software.facts())["compiled"]
    assert found.state == "wrong" and "vector level avx2" in found.text


# ---- bundles


def add_variant(bundle: Path, **fields: Any) -> None:
    def change(data: dict[str, Any]) -> None:
        data["variants"].append({**data["variants"][0], **fields})

    edit_json(bundle, change)


def test_variants_of_a_bundle(bundle: Path) -> None:
    add_variant(bundle, target="ascend", runtime="mslite_wheel", precision="fp16", soc="Ascend310P3")
    add_variant(bundle, target="other", runtime="onnx")
    report = diagnose.examine(bundle)
    found = by_name(report.sections["bundle"])
    assert found["onnx fp32"].text == "runs on cpu with onnx" and report.able
    assert found["other fp32"].state == "missing"
    if _ascend.missing("Ascend310P3"):
        assert found["ascend fp16 Ascend310P3"].state == "missing" and found["ascend fp16 Ascend310P3"].cure
        assert found["auto"].text == "picks onnx fp32 on cpu: the only one that can run here"


def test_a_choice_of_two(bundle: Path) -> None:
    add_variant(bundle, precision="fp16")
    assert diagnose.examine(bundle).sections["bundle"][-1].text == (
        "picks onnx fp32 on cpu: the first that can run here of ascend, mslite, mindir, onnx"
    )


def test_variant_made_by_a_newer_version(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit_json(bundle, lambda data: data["variants"][0].update(producer={"maker": "2.10.0"}))
    here = Fact("onnx", "ok", "", None, {"version": "2.7.1", "maker": "maker"})
    monkeypatch.setattr(runtimes, "facts", lambda: [here])
    fact = diagnose.examine(bundle).sections["bundle"][0]
    assert fact.text.endswith("perhaps: made by version 2.10.0, newer than 2.7.1 here")
    assert fact.cure == "install maker 2.10.0 or newer, or convert with 2.7.1"


def test_variant_of_a_broken_runtime(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "facts", lambda: [Fact("onnx", "wrong", "broken", "mend it")])
    report = diagnose.examine(bundle)
    assert [(fact.state, fact.cure) for fact in report.sections["bundle"]] == [("wrong", "mend it")] * 2
    assert not report.able


def test_damaged_and_missing_bundles(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (bundle / "model.onnx").open("ab") as stream:
        stream.write(b"x")
    assert main(["doctor", str(bundle)]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "expected sha256" in out and "do: copy the bundle again" in out and "it will fail" in out
    assert main(["doctor", str(bundle / "none"), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["able"] is False and found["bundle"][0]["state"] == "wrong" and found["runtimes"]


# ---- the command


def test_doctor_as_json_and_table(whole_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(whole_bundle), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["able", "software", "machine", "runtimes", "ascend", "bundle"]
    assert {fact["name"] for fact in found["runtimes"]} == {"mslite", "mslite_wheel", "onnx"}
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("verdict: a runtime can run here\n")


@pytest.mark.parametrize("width", [20, 80, 100, 300])
def test_table(width: int) -> None:
    cure = "pip install " + "x" * 120
    facts_ = [Fact("one", "ok", "word " * 60), Fact("longer name", "missing", "gone", cure), Fact("none", "none", "")]
    said = doctor.text(Report({"things": facts_}, False), width).splitlines()
    assert said[0] == "things" and said[-1] == "verdict: no runtime can run here"
    assert all(len(line) <= max(60, min(width, 100)) for line in said if "do: " not in line)
    assert [line.split("do: ")[1] for line in said if "do: " in line] == [cure]
    assert all(line == line.rstrip() for line in said)
    assert "  longer name  missing  gone" in said


def test_presence_has_defaults() -> None:
    assert base.Runtime("none", {}, lambda: None, None).present() == base.Presence()  # type: ignore[arg-type]
