"""``edgedet doctor``: what this machine has and lacks for running bundles."""

from __future__ import annotations

import argparse
import json
import shutil
import textwrap

from edgedet import diagnose
from edgedet.cli import options
from edgedet.diagnose import Fact, Report

HELP = "say what this machine can run, what it lacks, and the command that mends it"
EXAMPLE = """
edgedet doctor
edgedet doctor models/ssd_mobilenet_v2
edgedet doctor demo --json
"""
_WIDEST, _NARROWEST = 100, 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", nargs="?", help="a bundle whose variants to judge as well")
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the facts; says no (1) if nothing can run here: no runtime or, with a bundle, none of its variants."""
    report = diagnose.examine(args.bundle)
    print(json.dumps(report.to_dict(), indent=1, ensure_ascii=False) if args.json else text(report))
    return 0 if report.able else 1


def text(report: Report, width: int | None = None) -> str:
    """The report for people, in a table of three columns: what, how it is, and the facts with what mends them."""
    width = min(_WIDEST, max(_NARROWEST, width or shutil.get_terminal_size().columns))
    names = max(len(fact.name) for facts in report.sections.values() for fact in facts)
    states = max(len(fact.state) for facts in report.sections.values() for fact in facts)
    lines = []
    for section, facts in report.sections.items():
        lines.append(section)
        for fact in facts:
            lines += _rows(fact, f"  {fact.name:{names}}  {fact.state:{states}}  ", width)
    what = "the bundle" if "bundle" in report.sections else "a runtime" if report.able else "no runtime"
    lines.append(f"verdict: {what} {'can' if report.able or what == 'no runtime' else 'cannot'} run here")
    return "\n".join(lines)


def _rows(fact: Fact, begin: str, width: int) -> list[str]:
    empty = " " * len(begin)
    wrap = {"width": width, "break_long_words": False, "break_on_hyphens": False}
    rows = textwrap.wrap(fact.text, initial_indent=begin, subsequent_indent=empty, **wrap) or [begin]  # type: ignore[arg-type]
    if fact.cure:
        rows.append(f"{empty}do: {fact.cure}")  # in one line, to be copied
    return [row.rstrip() for row in rows]
