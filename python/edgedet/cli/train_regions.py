"""``edgedet train-regions``: annotated pictures teach a bundle to detect things of one's own. Needs ``[train]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edgedet.bundle import Bundle
from edgedet.cli import info, options, pictures
from edgedet.cli.progress import Bar, Steps
from edgedet.errors import SourceError

HELP = "teach a bundle with regions (SPPNet) to detect things of your own (needs edgedet[train])"
EXAMPLE = """
edgedet train-regions models/sppnet photos/ --annotations boxes.json --out models/mine
edgedet train-regions models/sppnet VOC2007/JPEGImages --annotations VOC2007/Annotations --out models/voc --layer fc2
edgedet detect models/mine photo.jpg --out found
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="the folder of a bundle with the task regions")
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="picture, folder of pictures, or quoted glob")
    parser.add_argument(
        "--annotations",
        type=Path,
        required=True,
        metavar="FILE",
        help="the boxes: COCO's .json, Pascal VOC's .xml, or a folder of these",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new bundle; must not exist")
    parser.add_argument(
        "--layer",
        choices=("spp", "fc1", "fc2"),
        default="fc1",
        help="what the SVMs see: the pooled features, or a dense layer's (%(default)s)",
    )
    parser.add_argument(
        "--normalize",
        choices=("l2", "none"),
        default="l2",
        help="l2: the features of every region to norm 1; none: all by one factor (%(default)s)",
    )
    parser.add_argument(
        "--proposals", default="sliding", metavar="NAME", help="where to look, now and afterwards (%(default)s)"
    )
    parser.add_argument("--no-box-regression", action="store_true", help="leave the proposed boxes as they are")
    parser.add_argument("--svm-c", type=_cost, metavar="C", help="the SVMs' cost of a mistake (0.001, as R-CNN's)")
    parser.add_argument("--seed", type=options.natural, default=0, metavar="N", help="of what is left to chance (0)")
    parser.add_argument(
        "--golden",
        type=Path,
        nargs="+",
        default=[],
        metavar="IMAGE",
        help="pictures to put into the bundle for edgedet verify (three of those it is trained with)",
    )
    parser.add_argument("--name", help="the new bundle's name (that of its folder)")
    options.add_json(parser)
    options.add_device(parser)


def _cost(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1e6:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def run(args: argparse.Namespace) -> int:
    """Trains; then says what the new bundle is."""
    from edgedet_converters import annotations
    from edgedet_converters.region_training import Settings
    from edgedet_converters.train_regions import train_regions

    files, problems = pictures.find(args.images)
    if problems:
        raise SourceError("; ".join(problems))
    known = annotations.read(args.annotations, files)
    steps = Steps(quiet=args.json)
    things = sum(len(picture.boxes) for picture in known.pictures)
    steps(f"{len(known.pictures)} pictures with {things} things of {len(known.labels)} classes")
    if known.left_out and not args.json:
        print(f"{len(known.left_out)} pictures without annotations are left out", file=sys.stderr)
    defaults = Settings()
    settings = Settings(
        layer=args.layer,
        normalize=args.normalize,
        proposals=args.proposals,
        box_regression=not args.no_box_regression,
        c=defaults.c if args.svm_c is None else args.svm_c,
        seed=args.seed,
    )
    with Bar("looking at pictures", 2 * len(known.pictures), quiet=args.json or not sys.stderr.isatty()) as bar:
        folder = train_regions(
            Path(args.bundle),
            known,
            args.out,
            pictures.read,
            settings=settings,
            golden=args.golden,
            name=args.name,
            device=args.device,
            runtime=args.runtime,
            threads=args.threads,
            progress=steps,
            step=bar.step,
        )
    found = info.facts(Bundle.open(folder))
    print(json.dumps(found, indent=1, ensure_ascii=False) if args.json else info.text(found))
    return 0
