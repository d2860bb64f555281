"""Builds the program of benchmarks/cpp and counts the instructions of its jobs under valgrind."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# Valgrind knows AVX2 and not AVX-512. A level that is not this machine's is left out.
LEVELS = ("scalar", "baseline", "neon", "avx2")
LACKS_LEVEL = 3
Counts = dict[str, dict[str, int]]


class ToolError(Exception):
    """A program that is needed is missing or failed."""


@dataclass(frozen=True)
class Build:
    """The program, and what its counts depend on.

    Attributes:
        program: the executable.
        environment: compiler, C library and processor family.
        jobs: what it can run.
    """

    program: Path
    environment: str
    jobs: tuple[str, ...]


def tool(name: str) -> str:
    """The path of a program; raises `ToolError` with the command that installs it."""
    found = shutil.which(name)
    if found is None:
        command = {"valgrind": "apt-get install valgrind"}.get(name, "pip install -r .ci/tools.txt")
        raise ToolError(f"{name}: expected it on the PATH, got nothing; do {command}")
    return found


def build(root: Path) -> Build:
    """Compiles the sources in ``root`` as a wheel has them."""
    # An old build may name a compiler or a ninja that is gone.
    tool("ninja")
    configure = [tool("cmake"), "--preset", "instructions"]
    if subprocess.run(configure, cwd=root, capture_output=True).returncode:
        _run([configure[0], "--fresh", *configure[1:]], cwd=root)
    _run([configure[0], "--build", "--preset", "instructions"], cwd=root)
    program = root / "build" / "instructions" / "benchmarks" / "cpp" / "count_instructions"
    compiler, *jobs = _run([str(program)], cwd=root).splitlines()
    return Build(program, f"{compiler}, {platform.machine()}", tuple(jobs))


def flags(root: Path) -> dict[str, str]:
    """What the kernels and each level of their loops were compiled with."""
    commands = json.loads((root / "build" / "instructions" / "compile_commands.json").read_text(encoding="utf-8"))
    used = {}
    for command in commands:
        target = re.search(r"CMakeFiles/edgedet_(kernels|loops_\w+)\.dir", command["command"])
        if target:
            options = shlex.split(command["command"])
            used[target[1]] = " ".join(option for option in options if re.match(r"-(O|m|f|std|DEDGEDET)", option))
    return used


def version() -> str:
    """Valgrind's."""
    return _run([tool("valgrind"), "--version"]).strip().removeprefix("valgrind-")


def levels(built: Build) -> tuple[str, ...]:
    """The vector levels that the program has under valgrind on this machine."""

    def has(level: str) -> bool:
        command = [tool("valgrind"), "--tool=none", str(built.program)]
        done = subprocess.run(command, env=_environment(level), capture_output=True, text=True)
        if done.returncode not in (0, LACKS_LEVEL):
            raise ToolError(f"valgrind: expected to run {built.program.name}, got {done.stderr.strip()[-300:]}")
        return done.returncode == 0

    return tuple(level for level in LEVELS if has(level))


def count(built: Build) -> Counts:
    """Job -> level -> instructions, of the kernel alone: what makes its arrays is not counted."""
    todo = [(job, level) for level in levels(built) for job in built.jobs]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        counted = list(pool.map(lambda pair: _count(built.program, *pair), todo))
    counts: Counts = {job: {} for job in built.jobs}
    for (job, level), instructions in zip(todo, counted):
        counts[job][level] = instructions
    return counts


def _count(program: Path, job: str, level: str) -> int:
    options = ["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=counted", "--callgrind-out-file=/dev/null"]
    command = [tool("valgrind"), *options, str(program), job]
    done = subprocess.run(command, env=_environment(level), capture_output=True, text=True)
    collected = [line.split(":")[1] for line in done.stderr.splitlines() if "Collected :" in line]
    if done.returncode or len(collected) != 1 or int(collected[0]) == 0:
        raise ToolError(f"valgrind: expected a count of {job} ({level}), got {done.stderr.strip()[-300:]}")
    return int(collected[0])


def _environment(level: str) -> dict[str, str]:
    return {**os.environ, "EDGEDET_VECTOR_LEVEL": level}


def _run(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise ToolError(f"{' '.join(command)}: expected success, got {(done.stdout + done.stderr).strip()[-2000:]}")
    return done.stdout
