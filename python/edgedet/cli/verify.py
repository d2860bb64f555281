"""``edgedet verify``: does the bundle still give its checkpoint's answers on this machine?"""

from __future__ import annotations

import argparse
import json

from edgedet.bundle import Bundle
from edgedet.cli import options
from edgedet.cli.progress import Steps
from edgedet.evaluate.verify import verify

HELP = "replay a bundle's golden inputs and say whether the answers are still its checkpoint's"
EXAMPLE = """
edgedet verify models/ssd_mobilenet_v2
edgedet verify models/ssd_mobilenet_v2 --runtime onnx --json
edgedet verify models/ssd_mobilenet_v2 --target onnx --precision int8
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle's folder, or demo for the packaged toy")
    options.add_variant(parser)
    options.add_json(parser)
    options.add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the verdict; exit code 1 if the answers differ by more than the precision allows."""
    bundle = Bundle.open(args.bundle).only(target=args.target, precision=args.precision)
    Steps(quiet=args.json)(f"replaying {len(bundle.spec.golden)} golden inputs")
    verdict = verify(bundle, device=args.device, runtime=args.runtime, threads=args.threads)
    print(json.dumps(verdict.to_dict(), indent=1) if args.json else verdict.table())
    return 0 if verdict.passed else 1
