"""``edgedet convert``: a MindSpore checkpoint becomes a verified bundle. Needs the extra ``[convert]``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from edgedet.bundle import Bundle
from edgedet.cli import info, options, zoo
from edgedet.cli.progress import Steps
from edgedet.errors import ConversionError

HELP = "turn a MindSpore checkpoint into a verified bundle (needs edgedet[convert])"
EXAMPLE = """
edgedet convert sppnet --out models/sppnet
edgedet convert ssd_mobilenet_v2 --checkpoint ssd.ckpt --out models/ssd_mobilenet_v2
edgedet convert ssd_mobilenet_v2 --checkpoint mine.ckpt --config mine.json --labels mine.txt --out models/mine
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    from edgedet_converters import family, targets

    families = family.names()
    parser.add_argument("family", metavar="FAMILY", choices=families, help=f"the network: {', '.join(families)}")
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="the .ckpt file (the published one: see edgedet zoo)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="the bundle's folder; must not exist")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="JSON with the family's options that are not the published ones"
    )
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="one class per line (the published data set's classes)"
    )
    names = targets.names()
    parser.add_argument(
        "--target",
        action="append",
        choices=names,
        help=f"what to convert for: {', '.join(names)}; may be given several times (onnx)",
    )
    parser.add_argument(
        "--golden",
        type=Path,
        nargs="+",
        default=[],
        metavar="IMAGE",
        help="pictures whose answers are recorded for edgedet verify (packaged photographs)",
    )
    parser.add_argument("--name", help="the bundle's name (that of its folder)")
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Converts; then says what the new bundle is."""
    from edgedet_converters.convert import convert

    folder = convert(
        args.family,
        args.checkpoint or _published(args),
        args.out,
        config=args.config,
        labels=args.labels,
        targets=_targets(args),
        golden=args.golden,
        name=args.name,
        progress=Steps(quiet=args.json),
    )
    found = info.facts(Bundle.open(folder))
    print(json.dumps(found, indent=1, ensure_ascii=False) if args.json else info.text(found))
    return 0


def _published(args: argparse.Namespace) -> Path:
    """The family's published checkpoint; fetched only if the conversion can then begin."""
    from edgedet_converters.convert import check

    own = [f"--{name}" for name in ("config", "labels") if getattr(args, name) is not None]
    if own:
        raise ConversionError(
            f"--checkpoint: expected the file that goes with {' and '.join(own)}, got none; "
            "the published one has the published options and classes: give --checkpoint FILE"
        )
    check(args.family, None, args.out, _targets(args))
    return zoo.fetch(args.family, quiet=args.json)


def _targets(args: argparse.Namespace) -> Sequence[str]:
    return args.target or ("onnx",)
