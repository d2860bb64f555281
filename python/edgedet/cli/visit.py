"""What the commands that go through pictures have in common: find them, ask the model, one entry each."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgedet import tasks
from edgedet.cli import options, pictures
from edgedet.cli.progress import Bar
from edgedet.errors import SourceError
from edgedet.model import Model

Entry = dict[str, Any]
#: A picture's path and pixels -> what there is to say of it, ready for JSON. A `ValueError` is about the picture.
Look = Callable[[Path, pictures.Image], Entry]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``BUNDLE``, ``IMAGE``, ``--json`` and the device's."""
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle's folder, or demo for the packaged toy")
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="picture, folder of pictures, or quoted glob")
    options.add_json(parser)
    options.add_device(parser)


def visit(
    args: argparse.Namespace,
    task: str,
    doing: str,
    begin: Callable[[Model, list[Path]], Look],
    text: Callable[[Entry], str],
) -> int:
    """Goes through the pictures; one that can't be read is named and passed over.

    Args:
        args: of `add_arguments`, and the command's own.
        task: the model's.
        doing: for the progress bar.
        begin: (model, all pictures) -> what to do with each.
        text: an entry for people.

    Returns:
        The exit code.

    Raises:
        SourceError: there is no picture at all.
    """
    files, problems = pictures.find(args.images)
    if not files:
        raise SourceError("; ".join(problems))
    model = tasks.load(args.bundle, task=task, device=args.device, runtime=args.runtime, threads=args.threads)
    entries = []
    # Off a terminal the lines of the pictures themselves are the progress.
    with model, Bar(doing, len(files), quiet=args.json or not sys.stderr.isatty()) as bar:
        look = begin(model, files)
        for problem in problems:
            bar.complain(f"edgedet {args.command}: {problem}")
        for path in files:
            try:
                entry = _entry(model, path, look)
            except SourceError as error:
                problems.append(str(error))
                bar.complain(f"edgedet {args.command}: {error}")
            else:
                entries.append(entry)
                if not args.json:
                    bar.say(text(entry))
            bar.step()
    if args.json:
        print(json.dumps({"bundle": str(args.bundle), "pictures": entries, "failed": problems}, indent=1))
    return 1 if problems else 0


def _entry(model: Model, path: Path, look: Look) -> Entry:
    image = pictures.read(path)
    try:
        found = look(path, image)
    except ValueError as error:
        raise SourceError(f"{path}: {error}") from error
    height, width = image.shape[:2]
    return {
        "picture": str(path),
        "size_wh": [width, height],
        **found,
        "seconds": model.timings._asdict(),
    }


def milliseconds(entry: Entry) -> str:
    """How long the model took over the entry's picture."""
    return f"{1000 * sum(entry['seconds'].values()):.1f} ms"


def lines(things: list[dict[str, Any]]) -> list[str]:
    """Detections for people, a line each: what, how surely, where."""
    width = max((len(thing["label"]) for thing in things), default=0)
    return [f"  {thing['label']:{width}}  {thing['score']:.2f}  {sides(thing['box'])}" for thing in things]


def sides(box: list[float]) -> str:
    """A box in columns."""
    return " ".join(f"{side:7.1f}" for side in box)
