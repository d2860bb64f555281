"""Measures the kernels against other programs that do the same, and against the memory's speed; every answer asserted.

    python -m benchmarks                  # all workloads; writes benchmarks/results/<machine>.json
    python -m benchmarks nms detect       # some of them; only printed
    python -m benchmarks --quick          # answers only, on small arrays, in seconds
    python -m benchmarks --record         # all, and how the cost grows; writes docs/benchmarks.md, the README's table

Exits with 1 when an answer is wrong; a missed bar is printed, and is 1 only with --strict.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks import workloads
from benchmarks.machine import machine, single_threaded, slug, versions
from benchmarks.measure import Outcome, WrongAnswerError, is_busy, measure
from benchmarks.table import HEADER, rows, summary, text

RESULTS = Path(__file__).parent / "results"


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workload", nargs="*", help=f"{', '.join(workloads.names())}; default: all")
    parser.add_argument("--quick", action="store_true", help="answers only, on small arrays; times nothing")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a bar is missed")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the figures (JSON)")
    parser.add_argument("--record", action="store_true", help="write the tables of the documentation, too")
    args = parser.parse_args()
    unknown = sorted(set(args.workload) - set(workloads.names()))
    if unknown:
        parser.error(f"workload: expected {', '.join(workloads.names())}, got {', '.join(unknown)}")
    if args.record and (args.workload or args.quick):
        parser.error("--record: expected a run of all workloads, got some of them or --quick; do leave those out")
    return args


def run(name: str, quick: bool) -> list[Outcome]:
    """One workload, printed as soon as it is done."""
    print(f"\n{name}: {workloads.title(name)}", flush=True)
    outcomes = list(measure(workloads.find(name).cases(quick), timed=not quick))
    print(summary(outcomes) if quick else text([HEADER, *rows(outcomes)]), flush=True)
    return outcomes


def write(path: Path, results: dict[str, list[Outcome]]) -> None:
    """The figures as JSON."""
    data = {
        "machine": machine(),
        "versions": versions(),
        "workloads": {name: [outcome.to_dict() for outcome in outcomes] for name, outcomes in results.items()},
    }
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\nwrote {path}")


def main() -> int:
    """Runs what the command line asks for."""
    args = parse()
    single_threaded("benchmarks")
    results: dict[str, list[Outcome]] = {}
    try:
        for name in args.workload or workloads.names():
            results[name] = run(name, args.quick)
    except WrongAnswerError as error:
        print(f"\n{name}: {error}", file=sys.stderr)
        return 1
    out = args.out or (None if args.quick or args.workload else RESULTS / f"{slug(machine())}.json")
    if out:
        write(out, results)
    if args.record:
        from benchmarks import growth, pages

        growth.record()
        pages.write()
    if is_busy(outcome for outcomes in results.values() for outcome in outcomes):
        print("the machine was busy with other things: long jobs look slower than they are")
    missed = [a for outcomes in results.values() for o in outcomes for a in o.against if a.verdict is False]
    if missed:
        print(f"bars missed: {len(missed)}")
    return int(bool(missed) and args.strict)


if __name__ == "__main__":
    sys.exit(main())
