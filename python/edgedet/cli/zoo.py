"""``edgedet zoo``: the published checkpoints that ``edgedet convert`` knows, and how to get them."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Optional

from edgedet.cli import options
from edgedet.cli.transfer import Transfer

HELP = "list, describe and download the published checkpoints"
EXAMPLE = """
edgedet zoo list
edgedet zoo show sppnet
edgedet zoo fetch sppnet --mirror http://192.168.1.10:8000 --out checkpoints
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    actions = parser.add_subparsers(metavar="ACTION", title="actions", dest="action", required=True)
    listing = _add(actions, "list", "print a table of them")
    options.add_json(listing)
    showing = _add(actions, "show", "print all that is known of one, with licence and citation")
    _add_name(showing)
    options.add_json(showing)
    fetching = _add(actions, "fetch", "download one, check its SHA-256 and print its path")
    _add_name(fetching)
    fetching.add_argument(
        "--mirror", metavar="URL", help="http(s) folder that holds the file under its own name (the publisher's server)"
    )
    fetching.add_argument(
        "--out", type=Path, metavar="DIR", help="put it here ($EDGEDET_CACHE or ~/.cache/edgedet, used by convert too)"
    )
    fetching.add_argument(
        "--keep-partial",
        action="store_true",
        help="after a failure keep what arrived, for the next fetch to resume from; otherwise nothing is left",
    )


def _add(actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str) -> argparse.ArgumentParser:
    example = next(line for line in EXAMPLE.splitlines() if line.startswith(f"edgedet zoo {name}"))
    parser = actions.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show where an error came from")
    return parser


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a name from edgedet zoo list")


def run(args: argparse.Namespace) -> int:
    """Does the action."""
    if args.action == "list":
        _list(args.json)
    elif args.action == "show":
        _show(args.name, args.json)
    else:
        print(fetch(args.name, args.out, mirror=args.mirror, keep_partial=args.keep_partial))
    return 0


def fetch(
    name: str,
    out: Optional[Path] = None,
    *,
    mirror: Optional[str] = None,
    keep_partial: bool = False,
    quiet: bool = False,
) -> Path:
    """`edgedet_converters.zoo.fetch`, and how far it is."""
    from edgedet_converters import zoo

    with Transfer(zoo.find(name).file, quiet=quiet) as transfer:
        return zoo.fetch(name, out, mirror=mirror, keep_partial=keep_partial, progress=transfer, notice=transfer.say)


def _list(as_json: bool) -> None:
    from edgedet_converters import zoo

    if as_json:
        _print_json([dataclasses.asdict(asset) for asset in zoo.assets()])
        return
    rows = [("NAME", "PUBLISHED AS", "MINDSPORE", "DATA SET", "METRIC")]
    rows += [(a.family, a.published_as, a.mindspore, a.dataset, a.evaluation) for a in zoo.assets()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths)).rstrip())


def _show(name: str, as_json: bool) -> None:
    from edgedet_converters import zoo

    facts = dataclasses.asdict(zoo.find(name))
    if as_json:
        _print_json(facts)
        return
    titles = {"published_as": "published as", "mindspore": "MindSpore", "dataset": "data set", "evaluation": "metric"}
    width = max(len(titles.get(key, key)) for key in facts)
    for key, value in facts.items():
        print(f"{titles.get(key, key):{width}}  {value}")


def _print_json(data: object) -> None:
    print(json.dumps(data, indent=1, ensure_ascii=False))
