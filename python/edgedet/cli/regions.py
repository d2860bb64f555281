"""``edgedet regions``: says what regions of pictures show."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, cast

from edgedet import proposals
from edgedet.cli import options, pictures, visit
from edgedet.model import Model
from edgedet.regions import RegionClassifier

HELP = "say what regions of pictures show, all of them by one pass over each picture"
EXAMPLE = """
edgedet regions models/sppnet street.jpg --boxes boxes.json
edgedet regions models/sppnet street.jpg --proposals detector:models/ssd_mobilenet_v2 --out named
edgedet regions models/sppnet street.jpg --proposals sliding:96 --score-threshold 0.8 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    visit.add_arguments(parser)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--boxes", metavar="FILE", help="regions, x1 y1 x2 y2 in pixels: .json, .csv or .npy")
    where.add_argument("--proposals", metavar="NAME[:ARGUMENT]", help="what finds the regions; see below")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="draw what was named into copies here, as NAME-detected.jpg or .png"
    )
    parser.add_argument(
        "--top-k",
        type=options.positive,
        metavar="K",
        help="list every region with its best K classes, not only what is confident and apart",
    )
    parser.add_argument(
        "--score-threshold",
        type=options.fraction,
        default=0.5,
        metavar="S",
        help="show only what scores more, 0 to 1 (%(default)s)",
    )
    parser.add_argument(
        "--iou-threshold",
        type=options.fraction,
        default=0.3,
        metavar="U",
        help="of two regions of a class that overlap by more keep the better, 0 to 1 (%(default)s)",
    )
    parser.add_argument("--max-detections", type=options.positive, metavar="N", help="at most so many per picture")
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--shorter-side", type=options.positive, metavar="PX", help="resize the picture until its shorter side is this"
    )
    size.add_argument(
        "--scales", type=_scales, metavar="PX,PX", help="several instead, or paper: each region where it suits best"
    )
    parser.add_argument("--flip", action="store_true", help="average with the mirrored picture")
    lines = "\n".join(f"  {name:18}{text}" for name, text in proposals.helps().items())
    parser.epilog = f"{parser.epilog}\n\nproposals:\n{lines}"


def run(args: argparse.Namespace) -> int:
    """Finds the pictures, then regions in each and what they show; what can't be read is named and passed over."""
    propose = proposals.make(args.proposals if args.boxes is None else f"file:{args.boxes}")

    def begin(model: Model, files: list[Path]) -> visit.Look:
        classifier = cast(RegionClassifier, model)
        album = pictures.Album(args.out, files) if args.out is not None else None

        def look(path: Path, image: pictures.Image) -> visit.Entry:
            boxes = propose(image)
            scored = classifier(image, boxes, shorter_side=args.shorter_side, scales=args.scales, flip=args.flip)
            found = scored.to_detections(
                score_threshold=args.score_threshold,
                iou_threshold=args.iou_threshold,
                max_detections=args.max_detections,
            )
            drawn = str(album.save(path, found.draw(image))) if album is not None else None
            regions = {} if args.top_k is None else {"scores": scored.to_dicts(top_k=args.top_k)}
            return {"regions": len(scored), "detections": found.to_dicts(), **regions, "drawn": drawn}

        return look

    return visit.visit(args, "regions", "naming", begin, _text)


def _scales(text: str) -> list[int] | str:
    return text if text == "paper" else [options.positive(part) for part in text.split(",")]


def _text(entry: visit.Entry) -> str:
    """The entry for people: a line for the picture, and one for each thing or, if asked for, each region."""
    things = entry["detections"]
    drawn = f", drawn in {entry['drawn']}" if entry["drawn"] else ""
    took = visit.milliseconds(entry)
    head = f"{entry['picture']}: {len(things)} named of {entry['regions']} regions, in {took}{drawn}"
    return "\n".join([head, *(map(_region, entry["scores"]) if "scores" in entry else visit.lines(things))])


def _region(scored: dict[str, Any]) -> str:
    names = ", ".join(f"{one['label']} {one['score']:.2f}" for one in scored["classes"])
    return f"  {visit.sides(scored['box'])}  {names}"
