"""``edgedet classify``: says what pictures show."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

from edgedet.classifier import TOP_K, Classifier
from edgedet.cli import options, visit
from edgedet.cli.pictures import Image
from edgedet.model import Model

HELP = "say what pictures show"
EXAMPLE = """
edgedet classify models/sppnet cat.jpg holiday/ 'cam/*.png' --top-k 3
edgedet classify models/sppnet cat.jpg --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    visit.add_arguments(parser)
    parser.add_argument(
        "--top-k",
        type=options.positive,
        default=TOP_K,
        metavar="K",
        help="show so many classes of each picture, the best first (%(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Finds the pictures, then what each shows; a picture that can't be read is named and passed over."""

    def begin(model: Model, _: list[Path]) -> visit.Look:
        classifier = cast(Classifier, model)

        def look(_: Path, image: Image) -> visit.Entry:
            return {"classes": classifier(image, top_k=args.top_k).to_dicts()}

        return look

    return visit.visit(args, "classify", "classifying", begin, _text)


def _text(entry: visit.Entry) -> str:
    """The entry for people: a line for the picture and one for each class."""
    lines = [f"{entry['picture']}: {entry['classes'][0]['label']}, in {visit.milliseconds(entry)}"]
    width = max(len(found["label"]) for found in entry["classes"])
    lines += [f"  {found['label']:{width}}  {found['score']:.4f}" for found in entry["classes"]]
    return "\n".join(lines)
