"""``edgedet stream``: a model on live pictures, shown on a page and sent wherever they are wanted."""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from edgedet import tasks
from edgedet.camera import policies, sinks, sources
from edgedet.camera.pipeline import ModelCall, Pipeline, SourceStats, Stats
from edgedet.camera.preview import Preview
from edgedet.camera.preview.address import Address, parse_address
from edgedet.camera.stats import told
from edgedet.cli import options

HELP = "run a model on a camera, a stream or a video; watch it on a page, send what it finds"
EXAMPLE = f"""
edgedet stream demo test: --preview
edgedet stream models/ssd_mobilenet_v2 0 --preview 0.0.0.0:8080
edgedet stream models/ssd_mobilenet_v2 rtsp://door/live --sink jsonl:found.jsonl --sink mqtt://broker/edgedet/door
edgedet stream models/ssd_mobilenet_v2 drive.mp4 --sink video:drive-found.mp4

SOURCE: {sources.GRAMMAR}

SINK: {sinks.grammar()}

Without --sink, and with a bare --preview, the page is at http://127.0.0.1:8080/. An address that others can reach needs
a token: the one in the variable EDGEDET_TOKEN, or one that is made up and printed.
"""
STATUS_S = 1.0  # on a terminal, where the line is written over
LOG_S = 60.0  # in a log, which keeps them all

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle's folder, or demo for the packaged toy")
    parser.add_argument("sources", metavar="SOURCE", nargs="+", help="camera, stream, video or pictures; see below")
    parser.add_argument(
        "--preview", type=_address, nargs="?", const=parse_address(""), metavar="HOST:PORT", help="serve the live page"
    )
    parser.add_argument("--sink", action="append", default=[], metavar="SINK", help="where results go; may be repeated")
    parser.add_argument(
        "--policy",
        type=_policy,
        metavar="P",
        help="latest (for live sources), lossless (for files), drop_oldest(N) or max_age(SECONDS)",
    )
    parser.add_argument(
        "--score-threshold",
        type=options.fraction,
        metavar="S",
        help=f"only what scores more ({options.DISPLAY_THRESHOLD}; with the page alone the bundle's, for the slider)",
    )
    parser.add_argument("--seconds", type=options.seconds, metavar="S", help="stop after so long")
    parser.add_argument("--frames", type=options.positive, metavar="N", help="stop after so many results")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON document at the end")
    options.add_device(parser)


def _address(text: str) -> Address:
    return _argument(parse_address, text)


def _policy(text: str) -> policies.Policy:
    return _argument(policies.parse, text)


def _argument(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(args: argparse.Namespace) -> int:
    """Streams until the sources end, the time is over, or somebody presses Ctrl-C."""
    if args.json and "jsonl:-" in args.sink:
        raise ValueError("--json: expected stdout for itself, got --sink jsonl:- there too; leave one of them out")
    outlets: list[Any] = [sinks.open_sink(uri) for uri in args.sink]
    page = None
    if args.preview is not None or not outlets:
        host, port = args.preview or parse_address("")
        page = Preview(host, port, token=os.environ.get("EDGEDET_TOKEN"))
        outlets.append(page)
    with tasks.load(args.bundle, device=args.device, runtime=args.runtime, threads=args.threads) as model:
        model.warm_up()
        call = ModelCall(model, **_thresholds(model, args, page_alone=not args.sink))
        pipeline = Pipeline(args.sources, call, outlets, policy=args.policy)
        with Reporter(pipeline, page, quiet=args.json):
            stats = pipeline.run(seconds=args.seconds, frames=args.frames)
    if args.json:
        print(json.dumps({"bundle": str(args.bundle), **stats.to_dict()}, indent=1))
    else:
        print(summary(stats), file=sys.stderr)  # stdout may be a sink
    return int(failed(stats))


def failed(stats: Stats) -> bool:
    """Whether something did not arrive: a source was given up, a model or a sink failed, a broker was never there."""
    lost = any(sink.error or sink.errors or sink.state == "stuck" for sink in stats.sinks)
    return lost or stats.model_errors > 0 or any(map(given_up, stats.sources))


def given_up(source: SourceStats) -> bool:
    """Whether an error has ended the source."""
    return source.over and source.state == "error"


def _thresholds(model: Any, args: argparse.Namespace, *, page_alone: bool) -> dict[str, Any]:
    if "score_threshold" not in inspect.signature(model.__call__).parameters:
        if args.score_threshold is not None:
            raise ValueError(f"--score-threshold: expected a detector, got {model.spec.name}; leave it out")
        return {}
    usual = None if page_alone else options.DISPLAY_THRESHOLD
    return {"score_threshold": usual if args.score_threshold is None else args.score_threshold}


class Reporter:
    """Says on stderr where the page is, and from time to time how things go."""

    def __init__(self, pipeline: Pipeline, page: Preview | None, *, quiet: bool) -> None:
        """``quiet``: only where the page is."""
        self._pipeline, self._page, self._quiet = pipeline, page, quiet
        self._live = sys.stderr.isatty() and not quiet
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._report, name="edgedet-status", daemon=True)

    def _report(self) -> None:
        if self._page is not None:
            while not self._page.is_open:
                if self._over.wait(0.02):
                    return
            print(f"the page is at {self._page.url}", file=sys.stderr, flush=True)
        while not self._quiet and not self._over.wait(STATUS_S if self._live else LOG_S):
            line = status(self._pipeline.stats())
            print(
                f"\r\x1b[K{line}" if self._live else line, end="" if self._live else "\n", file=sys.stderr, flush=True
            )

    def __enter__(self) -> Reporter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def status(stats: Stats) -> str:
    """One line."""
    dropped = 100 * sum(stats.dropped.values()) / max(1, stats.captured)
    parts = [
        f"{stats.fps:.1f} frames/s",
        f"age {1000 * stats.age_p50_s:.0f} ms (p99 {1000 * stats.age_p99_s:.0f})",
        f"dropped {dropped:.0f} %",
        *(told(source.name, source.error or source.state) for source in stats.sources if source.state != "running"),
        *(told(sink.name, sink.error) for sink in stats.sinks if sink.state == "resting"),
    ]
    return ", ".join(parts)


def summary(stats: Stats) -> str:
    """What happened, for people."""
    lost = ", ".join(f"{count} {reason}" for reason, count in stats.dropped.items() if count) or "none"
    times = ", ".join(f"{name} {1000 * value:.1f}" for name, value in stats.times._asdict().items())
    lines = [
        f"{stats.inferred} results of {stats.captured} frames in {stats.elapsed_s:.1f} s; dropped: {lost}",
        f"age when ready: median {1000 * stats.age_p50_s:.1f} ms, 99 % below {1000 * stats.age_p99_s:.1f} ms",
        f"median ms: {times}",
    ]
    lines += [f"lost: {told(source.name, source.error)}" for source in stats.sources if given_up(source)]
    for sink in stats.sinks:
        lost = "".join(f", {count} {reason}" for reason, count in sink.dropped.items() if count)
        failed = f", {sink.errors} errors" if sink.errors else ""
        failed += f": {sink.error.replace(f'{sink.name}: ', '')}" if sink.error else ""
        lines.append(f"{sink.name}: {sink.written} written{lost}{failed}")
    return "\n".join(lines)
