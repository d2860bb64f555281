"""``edgedet convert``: a MindSpore checkpoint becomes a verified bundle. Needs the extra ``[convert]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgedet.bundle import Bundle
from edgedet.cli import info, options, zoo
from edgedet.cli.progress import Steps
from edgedet.errors import ConversionError

HELP = "turn a MindSpore checkpoint into a verified bundle (needs edgedet[convert])"
EXAMPLE = """
edgedet convert sppnet --out models/sppnet
edgedet convert ssd_mobilenet_v2 --checkpoint mine.ckpt --config mine.json --labels mine.txt --out models/mine
edgedet convert ssd_mobilenet_v2 --out models/arm --target mslite --target onnx --quantize int8 --calibration photos
edgedet convert ssd_mobilenet_v2 --out models/atlas --target ascend --soc Ascend310 --batch 1,2,4
edgedet convert sppnet --out models/regions --svd-rank 1024,256
edgedet convert --resume models/atlas
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    from edgedet_converters import family

    families = family.names()
    parser.add_argument(
        "family", metavar="FAMILY", nargs="?", choices=families, help=f"the network: {', '.join(families)}"
    )
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="the .ckpt file (the published one: see edgedet zoo)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="the bundle's folder; must not exist")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="JSON with the family's options that are not the published ones"
    )
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="one class per line (the published data set's classes)"
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
    parser.add_argument(
        "--resume", type=Path, metavar="DIR", help="finish a bundle that waits for this machine's tools"
    )
    options.add_json(parser)
    _add_svd(parser)
    _add_targets(parser)


def _add_svd(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("compression (family sppnet)")
    group.add_argument(
        "--svd-rank",
        type=_ranks,
        metavar="R1,R2",
        help="make of each dense layer (fc1, fc2) two of so many numbers between them: less memory, faster regions",
    )
    group.add_argument(
        "--svd-limit",
        type=_svd_limit,
        metavar="TOP1,SCORE",
        help="refuse unless this share of the golden pictures' regions keeps its best class, and no score changes by "
        "more (0.98,0.1)",
    )


def _add_targets(parser: argparse.ArgumentParser) -> None:
    from edgedet_converters import targets

    names = targets.names()
    group = parser.add_argument_group("targets", "each may be given several times; a bundle holds every combination")
    group.add_argument(
        "--target", action="append", choices=names, help=f"what to convert for: {', '.join(names)} (onnx)"
    )
    group.add_argument(
        "--quantize",
        action="append",
        choices=["none", "fp16", "int8"],
        help="precision: none is fp32 (none); int8 of mslite quantises the weights alone unless --calibration is given",
    )
    group.add_argument(
        "--calibration",
        type=Path,
        metavar="FOLDER",
        help="for int8: some dozens of pictures like those it will see",
    )
    ascend = parser.add_argument_group("Ascend chips (targets ascend and om)")
    ascend.add_argument(
        "--soc", action="append", default=[], metavar="CHIP", help="Ascend310, Ascend310P3, Ascend310B4, …"
    )
    ascend.add_argument("--aipp", action="store_true", help="let the chip normalise the image and swap its channels")
    ascend.add_argument("--batch", type=_batches, default=(), metavar="1,2,4", help="how many images at a time")
    ascend.add_argument(
        "--sizes", type=_sizes, default=(), metavar="640x480,224x224", help="sizes of the image, if free"
    )


def _ranks(text: str) -> tuple[int, ...]:
    return tuple(options.positive(part) for part in text.split(","))


def _svd_limit(text: str) -> tuple[float, float]:
    parts = text.split(",")
    if len(parts) != 2:
        raise argparse.ArgumentTypeError(f"expected two numbers from 0 to 1 as 0.98,0.1, got {text!r}")
    return options.fraction(parts[0]), options.fraction(parts[1])


def _batches(text: str) -> tuple[int, ...]:
    return tuple(options.positive(part) for part in text.split(","))


def _sizes(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    for part in text.split(","):
        width, cross, height = part.partition("x")
        if not cross:
            raise argparse.ArgumentTypeError(f"expected sizes as 640x480, got {part!r}")
        found.append((options.positive(width), options.positive(height)))
    return tuple(found)


def run(args: argparse.Namespace) -> int:
    """Converts; then says what the new bundle is, and what of it still waits."""
    steps = Steps(quiet=args.json)
    folder = _resume(args, steps) if args.resume is not None else _convert(args, steps)
    return _report(folder, as_json=args.json)


def _convert(args: argparse.Namespace, steps: Steps) -> Path:
    from edgedet_converters.convert import convert

    if args.family is None or args.out is None:
        raise ConversionError(
            "FAMILY and --out: expected both, or --resume DIR, got neither; see edgedet convert --help"
        )
    made: Path = convert(
        args.family,
        args.checkpoint or _published(args),
        args.out,
        config=args.config,
        labels=args.labels,
        targets=_targets(args),
        options=_options(args),
        golden=args.golden,
        svd=_svd(args),
        name=args.name,
        progress=steps,
    )
    return made


def _resume(args: argparse.Namespace, steps: Steps) -> Path:
    from edgedet_converters import pending

    given = [
        name
        for name in ("family", "checkpoint", "out", "config", "labels", "target", "quantize", "svd_rank")
        if getattr(args, name)
    ]
    if given:
        raise ConversionError(f"--resume: expected no other argument, got {', '.join(given)}; they were given before")
    pending.resume(args.resume, progress=steps)
    folder: Path = args.resume
    return folder


def _report(folder: Path, *, as_json: bool) -> int:
    from edgedet_converters import pending

    left = pending.waiting(folder)
    found: dict[str, Any] = info.facts(Bundle.open(folder)) if (folder / "model.json").is_file() else {}
    if as_json:
        rows = [{"name": item.order.name, "folder": str(item.folder), "why": item.why} for item in left]
        print(json.dumps({**found, "pending": rows}, indent=1, ensure_ascii=False))
    elif found:
        print(info.text(found))
    for item in left:
        print(
            f"{item.order.name} waits: {item.why}; there do sh {item.folder}/convert.sh or edgedet convert --resume "
            f"{folder}",
            file=sys.stderr,
        )
    return 1 if left else 0


def _options(args: argparse.Namespace) -> Any:
    from edgedet_converters import calibration
    from edgedet_converters.order import Options

    chosen = args.quantize or ["none"]
    return Options(
        precisions=tuple("fp32" if name == "none" else name for name in dict.fromkeys(chosen)),
        calibration=() if args.calibration is None else calibration.pictures(args.calibration),
        socs=tuple(dict.fromkeys(args.soc)),
        aipp=args.aipp,
        batches=args.batch,
        sizes=args.sizes,
    )


def _svd(args: argparse.Namespace) -> Any:
    from edgedet_converters.exported import Svd

    if args.svd_rank is None:
        if args.svd_limit is not None:
            raise ConversionError("--svd-limit: expected --svd-rank R1,R2 beside it, got none; give the ranks")
        return None
    return Svd(args.svd_rank) if args.svd_limit is None else Svd(args.svd_rank, *args.svd_limit)


def _published(args: argparse.Namespace) -> Path:
    """The family's published checkpoint; fetched only if the conversion can then begin."""
    from edgedet_converters.convert import check

    own = [f"--{name}" for name in ("config", "labels") if getattr(args, name) is not None]
    if own:
        raise ConversionError(
            f"--checkpoint: expected the file that goes with {' and '.join(own)}, got none; "
            "the published one has the published options and classes: give --checkpoint FILE"
        )
    check(args.family, None, args.out, _targets(args), _options(args))
    return zoo.fetch(args.family, quiet=args.json)


def _targets(args: argparse.Namespace) -> Sequence[str]:
    return args.target or ("onnx",)
