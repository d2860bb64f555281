"""``edgedet detect``: finds things in pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

from edgedet.cli import options, pictures, visit
from edgedet.detector import Detector
from edgedet.model import Model

HELP = "find things in pictures"
EXAMPLE = """
edgedet detect models/ssd_mobilenet_v2 street.jpg holiday/ 'cam/*.png' --out found
edgedet detect demo picture.png --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    visit.add_arguments(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="draw what was found into copies here, as NAME-detected.jpg or .png"
    )
    parser.add_argument(
        "--score-threshold",
        type=options.fraction,
        default=options.DISPLAY_THRESHOLD,
        metavar="S",
        help="show only what scores more, 0 to 1 (%(default)s)",
    )
    parser.add_argument(
        "--iou-threshold",
        type=options.fraction,
        metavar="U",
        help="of two of a class that overlap by more keep the better, 0 to 1 (the bundle's)",
    )
    parser.add_argument("--max-detections", type=options.positive, metavar="N", help="at most so many per picture")


def run(args: argparse.Namespace) -> int:
    """Finds the pictures, then what is in them; a picture that can't be read is named and passed over."""

    def begin(model: Model, files: list[Path]) -> visit.Look:
        detector = cast(Detector, model)
        album = pictures.Album(args.out, files) if args.out is not None else None

        def look(path: Path, image: pictures.Image) -> visit.Entry:
            found = detector(
                image,
                score_threshold=args.score_threshold,
                iou_threshold=args.iou_threshold,
                max_detections=args.max_detections,
            )
            drawn = str(album.save(path, found.draw(image))) if album is not None else None
            return {"detections": found.to_dicts(), "drawn": drawn}

        return look

    return visit.visit(args, "detect", "detecting", begin, _text)


def _text(entry: visit.Entry) -> str:
    """The entry for people: a line for the picture and one for each thing."""
    things = entry["detections"]
    drawn = f", drawn in {entry['drawn']}" if entry["drawn"] else ""
    head = f"{entry['picture']}: {len(things)} found in {visit.milliseconds(entry)}{drawn}"
    return "\n".join([head, *visit.lines(things)])
