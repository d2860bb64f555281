"""``edgedet info``: what a bundle is, and what of it would run here."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

from edgedet import __version__
from edgedet.bundle import Bundle
from edgedet.cli import options
from edgedet.spec import Variant

HELP = "say what a bundle is and what of it would run here"
EXAMPLE = """
edgedet info models/ssd_mobilenet_v2
edgedet info demo --json
"""
_LABELS_SHOWN = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle's folder, or demo for the packaged toy")
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the facts; running nothing, it says yes to any bundle that can be opened."""
    found = facts(Bundle.open(args.bundle))
    print(json.dumps(found, indent=1, ensure_ascii=False) if args.json else text(found))
    return 0


def facts(bundle: Bundle) -> dict[str, Any]:
    """What there is to say of a bundle, ready for JSON."""
    spec = bundle.spec
    able, unable = bundle.choices()
    return {
        "bundle": str(bundle.root),
        "name": spec.name,
        "family": spec.family,
        "schema": spec.schema,
        "edgedet": __version__,
        "tasks": list(spec.tasks),
        "input": dataclasses.asdict(spec.input),
        "head": dataclasses.asdict(spec.head),
        "labels": list(spec.labels),
        "variants": [_variant(bundle, variant) for variant in spec.variants],
        "would_run": [
            {"target": choice.variant.target, "precision": choice.variant.precision, "device": choice.device}
            for choice in able
        ],
        "would_not_run": unable,
        "golden": len(spec.golden),
        "source": {key: value for key, value in dataclasses.asdict(spec.source).items() if value is not None},
    }


def _variant(bundle: Bundle, variant: Variant) -> dict[str, Any]:
    sizes = {file.file: bundle.path(file).stat().st_size for file in variant.files.values()}
    return {
        "target": variant.target,
        "precision": variant.precision,
        "runtime": variant.runtime,
        "soc": variant.soc,
        "files": sizes,
        "producer": variant.producer,
    }


def text(found: dict[str, Any]) -> str:
    """The facts for people."""
    rows = [
        ("family", f"{found['family']} (model.json of schema {found['schema']}, read by edgedet {found['edgedet']})"),
        ("tasks", ", ".join(found["tasks"])),
        ("input", _input_text(found["input"])),
        ("head", _head_text(found["head"])),
        ("labels", _labels_text(found["labels"])),
        *(("variant", _variant_text(variant)) for variant in found["variants"]),
        ("runs here", _choice_text(found["would_run"])),
        *(("not here", why) for why in found["would_not_run"]),
        ("golden inputs", f"{found['golden']}, for edgedet verify"),
        *(
            (f"source {key}" if key != "checkpoint" else "source", _value_text(value))
            for key, value in found["source"].items()
        ),
    ]
    width = max(len(key) for key, _ in rows)
    return "\n".join([f"{found['name']} ({found['bundle']})", *(f"  {key:{width}}  {value}" for key, value in rows)])


def _input_text(spec: dict[str, Any]) -> str:
    width, height = spec["size_wh"]
    numbers = ["{:g} {:g} {:g}".format(*spec[key]) for key in ("mean", "std")]
    between = " to {}×{}, centre crop".format(*spec["resize_wh"]) if spec["resize_wh"] is not None else ""
    return f"{width}×{height} {spec['color']}, {spec['resize']}{between}, mean {numbers[0]}, std {numbers[1]}"


def _head_text(head: dict[str, Any]) -> str:
    """Any head: its type, and its fields in their own words."""
    return f"{head['type']}: " + ", ".join(f"{key} {_value_text(head[key])}" for key in head if key != "type")


def _value_text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        # Tables (levels, layers) are for model.json; here it is enough how many there are.
        return str(len(value)) if value and isinstance(value[0], dict) else " ".join(map(_value_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value_text(value[key])}" for key in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _labels_text(labels: list[str]) -> str:
    more = len(labels) - _LABELS_SHOWN
    return f"{len(labels)}: {', '.join(labels[:_LABELS_SHOWN])}" + (f" and {more} more" if more > 0 else "")


def _variant_text(variant: dict[str, Any]) -> str:
    files = ", ".join(f"{file} {_size_text(size)}" for file, size in variant["files"].items())
    made = ", ".join(f"{package} {version}" for package, version in variant["producer"].items())
    chip = f" for {variant['soc']}" if variant["soc"] else ""
    return f"{variant['target']} {variant['precision']}{chip}: {files}; runtime {variant['runtime']}; made by {made}"


def _choice_text(choices: list[dict[str, Any]]) -> str:
    if not choices:
        return "none of the variants"
    best = choices[0]
    return f"{best['target']} {best['precision']} on {best['device']}"


def _size_text(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
