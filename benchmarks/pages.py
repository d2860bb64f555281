"""docs/benchmarks.md and the README's table, written from the recorded figures.

python -m benchmarks.pages     # after a change of the words; `python -m benchmarks --record` calls it
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import callgrind, instructions, workloads
from benchmarks.measure import Outcome, is_busy
from benchmarks.table import HEADER, rows

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
# The machine whose figures the README shows stands in the opening comment, as the name of its file.
MARKED = re.compile(r"(<!-- benchmarks: )([\w-]+)( -->\n).*?(<!-- /benchmarks -->)", re.DOTALL)

INTRODUCTION = """# Benchmarks

Written by `python -m benchmarks --record`, which measures all of it in one run; `make bench` measures on your machine.

Every figure is of arrays drawn from a fixed seed, on one thread unless the workload says otherwise, and of an answer
that was first asserted to be right, and the same as the peer's. Ours and theirs take turns, so that what else the
machine does hits both; a time is that of the fastest run. Of a peer, the ratio is its time over ours: how many times
as fast we are. Of a floor, such as reading the input once, it is our time over the floor's: how far we are from it.
Bars were set before anything was measured.
"""

GROWTH = """## How the cost grows

Measured by `python -m benchmarks.growth`. Peers are left out where they take more than half a second.

![Milliseconds over boxes, classes, regions, threads and picture width, ours and others](images/growth.svg)
"""

COUNTS = """## Instruction counts

Millions of instructions of each kernel on a small input, counted by callgrind at each vector level (it knows no
AVX-512), with {environment} and Valgrind {valgrind}. `make instructions` fails when one grows by more than 5 %.
Counts are recorded for a compiler; with another, the sources of the commit that recorded last are built and counted
beside the present ones. After a change that is meant to be, `python -m benchmarks.instructions --record` counts anew,
and `python -m benchmarks.pages` writes this page.

{table}
"""


def markdown(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table; a cell of the first column that repeats is left empty."""
    out, above = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"], None
    for line in lines:
        out.append(f"| {' | '.join(['' if line[0] == above else line[0], *line[1:]])} |")
        above = line[0]
    return "\n".join(out)


def machines() -> dict[str, dict[str, Any]]:
    """File name -> what was measured on that machine."""
    read = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))}
    return {stem: data for stem, data in read.items() if "workloads" in data}


def outcomes(data: dict[str, Any]) -> dict[str, list[Outcome]]:
    """Workload -> its outcomes."""
    return {name: [Outcome.from_dict(entry) for entry in found] for name, found in data["workloads"].items()}


def page() -> str:
    """The whole of docs/benchmarks.md."""
    parts = [INTRODUCTION]
    for data in machines().values():
        versions = ", ".join(f"{name} {version}" for name, version in data["versions"].items())
        parts.append(f"## {data['machine']}\n\nWith {versions}.{busy(data)}\n")
        for name, found in outcomes(data).items():
            parts.append(f"### {name}\n\n{workloads.title(name)}\n\n{markdown(HEADER, rows(found))}\n")
    return "\n".join([*parts, GROWTH, counts()])


def busy(data: dict[str, Any]) -> str:
    """A sentence if the figures are not to be trusted."""
    words = " **The machine was busy with other things: long jobs look slower than they are.**"
    return words if is_busy(outcome for found in outcomes(data).values() for outcome in found) else ""


def counts() -> str:
    """The recorded instruction counts, of each compiler."""
    found = []
    for environment, entry in instructions.read(instructions.RECORD).items():
        levels = sorted({level for row in entry["counts"].values() for level in row}, key=callgrind.LEVELS.index)
        lines = (
            [job, *(f"{row[level] / 1e6:.3f}" for level in levels)] for job, row in sorted(entry["counts"].items())
        )
        table = markdown(["kernel", *levels], lines)
        found.append(COUNTS.format(environment=environment, valgrind=entry["valgrind"], table=table))
    return "\n".join(found)


def readme(text: str) -> str:
    """The README with its table of what has a bar, from the machine that its comment names."""

    def table(match: re.Match[str]) -> str:
        data = machines()[match[2]]
        lines = [
            (f"`{name}`: {case}", *cells)
            for name, found in outcomes(data).items()
            for case, *cells in rows(outcome.with_bars() for outcome in found)
        ]
        words = f"On {data['machine']}, one thread (regions: two), from one run of `make bench`.{busy(data)}"
        return f"{match[1]}{match[2]}{match[3]}{words}\n\n{markdown(('job', *HEADER[1:]), lines)}\n{match[4]}"

    return MARKED.sub(table, text)


def write() -> None:
    """Writes both."""
    PAGE.write_text(page(), encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)} and {README.relative_to(ROOT)}")


if __name__ == "__main__":
    write()
