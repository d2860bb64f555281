"""Counts the kernels' instructions under callgrind: what noise can't touch.

    python -m benchmarks.instructions            # counts, beside the recorded ones
    python -m benchmarks.instructions --check    # fails when a count has grown by more than 5 %
    python -m benchmarks.instructions --record   # makes these the recorded ones, for this compiler

Counts depend on the compiler, and are recorded for each. One without a record is compared with the sources of the
commit that recorded last, built by the same compiler. Needs cmake, ninja and valgrind. Exit codes: 0 nothing has grown;
1 something has; 2 a tool is missing or failed; 3 there is nothing to compare with.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import callgrind
from benchmarks.callgrind import Counts, ToolError

ROOT = Path(__file__).parents[1]
RECORD = Path(__file__).parent / "results" / "instructions.json"
GROWTH = 0.05


def read(path: Path) -> dict[str, Any]:
    """The recorded counts by environment; none if there is no file."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def grown(counts: Counts, before: Counts) -> dict[tuple[str, str], float]:
    """(job, level) -> how much more instructions than before, as a fraction; infinite where there is no record."""
    return {
        (job, level): instructions / before.get(job, {}).get(level, 0) - 1
        if before.get(job, {}).get(level)
        else float("inf")
        for job, levels in counts.items()
        for level, instructions in levels.items()
    }


def table(counts: Counts, growth: dict[tuple[str, str], float]) -> str:
    """Counts in millions, and by how much they have changed."""
    levels = sorted({level for row in counts.values() for level in row}, key=callgrind.LEVELS.index)
    lines = ["".join([f"{'million instructions':24}", *(f"{level:>22}" for level in levels)])]
    for job, row in sorted(counts.items()):
        cells = [f"{row[level] / 1e6:12.3f} {_percent(growth.get((job, level))):>9}" for level in levels]
        lines.append("".join([f"{job:24}", *cells]))
    return "\n".join(lines)


def _percent(growth: float | None) -> str:
    if growth is None:
        return ""
    return "new" if growth == float("inf") else f"{growth * 100:+.1f} %"


def rebuilt(record: Path) -> tuple[str, Counts] | None:
    """The commit that recorded last, and what its sources come to with the compiler that is here; None without git."""
    git = ["git", "-C", str(ROOT)]
    try:
        asked = [*git, "log", "-1", "--format=%H", "--", str(record)]
        commit = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        if not commit:
            return None
        archive = subprocess.run([*git, "archive", commit], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    print(f"no record for this compiler: counting the sources of {commit[:12]}, which recorded last", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        return commit, callgrind.count(callgrind.build(Path(folder)))


def check(counts: Counts, growth: dict[tuple[str, str], float], before: Counts) -> int:
    """Says what has grown, what is new and what is gone; gives the exit code."""
    bad = {place: by for place, by in growth.items() if by > GROWTH}
    for (job, level), by in sorted(bad.items()):
        told = "expected a recorded count, got none; do --record" if by == float("inf") else f"grew by {by * 100:.1f} %"
        print(f"{job} ({level}): {told}")
    for job, level in sorted({(job, level) for job, row in before.items() for level in row} - growth.keys()):
        print(f"{job} ({level}): recorded, but not counted here")
    if any(by < -GROWTH for by in growth.values()):
        print("some counts fell by more than 5 %: do --record, so that they stay down")
    print(f"{len(bad)} of {len(growth)} counts grew by more than {GROWTH * 100:g} %")
    return int(bool(bad))


def main(argv: list[str] | None = None) -> int:
    """Counts, compares, and records or checks."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.instructions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="fail when a count has grown by more than 5 %%")
    what.add_argument("--record", action="store_true", help="write the counts")
    parser.add_argument("--file", type=Path, default=RECORD, help="the recorded counts; default: %(default)s")
    args = parser.parse_args(argv)
    try:
        return _main(args)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2


def _main(args: argparse.Namespace) -> int:
    version = callgrind.version()
    built = callgrind.build(ROOT)
    print(f"{built.environment}; valgrind {version}", flush=True)
    record = read(args.file)
    before = record.get(built.environment, {}).get("counts")
    if args.check and before is None:
        before = (rebuilt(args.file) or (None, None))[1]
    counts = callgrind.count(built)
    growth = grown(counts, before) if before else {}
    print(table(counts, growth))
    if args.record:
        record[built.environment] = {"valgrind": version, "flags": callgrind.flags(ROOT), "counts": counts}
        args.file.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"wrote {args.file}")
    elif args.check and before is None:
        known = "; ".join(sorted(record)) or "none"
        print(f"NOT CHECKED: no record for {built.environment} (there is: {known}), and no history to rebuild one from")
        return 3
    elif args.check:
        return check(counts, growth, before)
    return 0


if __name__ == "__main__":
    sys.exit(main())
