"""``edgedet soak``: a long run of a camera and a model, and whether anything grows."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from typing import Any

from edgedet import tasks
from edgedet.camera import sinks, sources
from edgedet.camera.pipeline import Pipeline
from edgedet.cli import options
from edgedet.cli.progress import Bar
from edgedet.evaluate.soak import Report, soak

HELP = "run a camera and a model for long, and tell whether memory, threads, descriptors or ages grow"
EXAMPLE = """
edgedet soak demo --minutes 10
edgedet soak models/ssd_mobilenet_v2 rtsp://camera/stream --minutes 720 --sink jsonl:found.jsonl
"""
#: Pictures that are drawn once: the time goes into the pipeline, not into the scene.
SOURCE = "test:?rate=30&cycle=60"
_SAMPLES = 240


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle's folder, or demo for the packaged toy")
    parser.add_argument("uri", metavar="URI", nargs="?", default=SOURCE, help="the source (%(default)s)")
    parser.add_argument("--minutes", type=_minutes, default=10.0, metavar="M", help="how long (%(default)g)")
    parser.add_argument(
        "--sink", action="append", default=[], metavar="SINK", help="also write there; may be given several times"
    )
    parser.add_argument("--policy", metavar="NAME", help="latest, lossless, drop_oldest(N) or max_age(SECONDS)")
    options.add_json(parser)
    options.add_device(parser)


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.05 <= value <= 60 * 24 * 365:
        raise argparse.ArgumentTypeError(f"expected minutes from 0.05, got {text!r}")
    return value


def run(args: argparse.Namespace) -> int:
    """Runs it; the exit code is the verdict."""
    seconds = 60 * args.minutes
    interval_s = min(max(seconds / _SAMPLES, 0.1), 60.0)
    written = [sinks.open_sink(uri) for uri in args.sink]
    model = tasks.load(args.bundle, device=args.device, runtime=args.runtime, threads=args.threads)
    with model, Bar("sampling", int(seconds / interval_s), quiet=args.json) as bar:
        source = sources.open_source(args.uri)
        report = soak(
            lambda see: Pipeline(source, model, [see, *written], policy=args.policy),
            seconds,
            interval_s,
            lambda sample: bar.step(),
        )
    print(json.dumps(_as_dict(report), indent=1) if args.json else _text(report))
    return 0 if report.passed else 1


def _as_dict(report: Report) -> dict[str, Any]:
    return {
        "passed": report.passed,
        "problem": report.problem,
        "samples": report.samples,
        "trends": [{**dataclasses.asdict(trend), "flat": trend.flat} for trend in report.trends],
        "stats": report.stats.to_dict(),
    }


def _text(report: Report) -> str:
    """The report for people."""
    stats = report.stats
    lines = [
        f"{stats.inferred} results in {stats.elapsed_s:.0f} s ({stats.fps:.1f} per second at the end), "
        f"{sum(stats.dropped.values())} of {stats.captured} frames dropped, ended by {stats.reason}",
        "",
        f"{'':14} {'median':>10} {'per hour':>10} {'growth':>10} {'limit':>8}",
    ]
    for trend in report.trends:
        figures = f"{trend.median:10.1f} {trend.per_hour:+10.2f} {trend.growth:+10.2f} {trend.limit:8.2f}"
        lines.append(f"{trend.name:14} {figures}  {'flat' if trend.flat else 'GROWS'}")
    verdict = report.problem or ("nothing grows" if report.passed else "something grows")
    return "\n".join([*lines, "", f"{'passed' if report.passed else 'FAILED'}: {verdict}"])
