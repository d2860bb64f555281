"""``edgedet bench``: how fast a bundle is on this machine, stage by stage, and what memory it needs."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

from edgedet import __version__, _core, tasks
from edgedet.bundle import Bundle, sha256
from edgedet.camera.scene import draw_scene
from edgedet.cli import options, pictures
from edgedet.cli.progress import Bar
from edgedet.diagnose import Fact, clock, machine, runtimes
from edgedet.errors import SourceError
from edgedet.evaluate.speed import PERCENTILES, Plan, Speed, measure, resident
from edgedet.model import Model

HELP = "measure how fast a bundle is on this machine, stage by stage, and what memory it needs"
EXAMPLE = """
edgedet bench models/ssd_mobilenet_v2 street.jpg
edgedet bench models/ssd_mobilenet_v2 --runs 200 --threads 2 --json > this-board.json
edgedet bench demo --seconds 2 --concurrent 4
"""
#: Of the JSON document: told apart by whoever compares the documents of two machines.
SCHEMA = 1
_ROOT = Path("/")
_COLUMNS = (*(f"p{percent}" for percent in PERCENTILES), "min", "mean")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle's folder, or demo for the packaged toy")
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="the picture (the bundle's first golden one)")
    parser.add_argument("--task", metavar="NAME", help="of a bundle that has several (its first)")
    options.add_variant(parser)
    much = parser.add_mutually_exclusive_group()
    much.add_argument(
        "--seconds", type=options.seconds, default=Plan.seconds, metavar="S", help="measure so long (%(default)g)"
    )
    much.add_argument("--runs", type=options.positive, metavar="N", help="measure so many calls instead")
    parser.add_argument(
        "--warm-up", type=options.natural, default=Plan.warm_up, metavar="N", help="calls before (%(default)s)"
    )
    parser.add_argument(
        "--concurrent", type=options.threads, default=1, metavar="N", help="threads that call at once (%(default)s)"
    )
    options.add_json(parser)
    options.add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Measures and prints; what makes the figures doubtful is named."""
    bundle = Bundle.open(args.bundle).only(target=args.target, precision=args.precision)
    name, image = _picture(bundle, args.image)
    plan = Plan(args.runs, args.seconds, args.concurrent, args.warm_up)
    empty, heat = resident()["now"], clock.facts(_ROOT)
    with tasks.load(bundle, task=args.task, device=args.device, runtime=args.runtime, threads=args.threads) as model:
        loaded = resident()["now"]
        speed = _measured(model, image, plan, quiet=args.json)
        memory = {"before_load_bytes": empty, "after_load_bytes": loaded, "peak_bytes": resident()["peak"]}
        found = {
            "schema": SCHEMA,
            **_what(model, args),
            "image": {"name": name, "size_wh": [image.shape[1], image.shape[0]]},
            **_how_fast(speed, plan),
            "memory": memory,
            **_where(heat, clock.facts(_ROOT)),
        }
    print(json.dumps(found, indent=1, ensure_ascii=False) if args.json else text(found))
    return 0


def _picture(bundle: Bundle, given: Optional[str]) -> tuple[str, pictures.Image]:
    if given is not None:
        files, problems = pictures.find([given])
        if not files:
            raise SourceError("; ".join(problems))
        return str(files[0]), pictures.read(files[0])
    if bundle.spec.golden:
        file = bundle.spec.golden[0].image
        return file.file, pictures.read(bundle.check(file))
    return "a drawn scene", draw_scene(0, (1280, 720))[0]


def _measured(model: Model, image: pictures.Image, plan: Plan, *, quiet: bool) -> Speed:
    pieces = plan.runs or math.ceil(plan.seconds)
    with Bar("calls" if plan.runs else "seconds of calls", pieces, quiet=quiet) as bar:
        return measure(model, image, plan, _ticks(bar, counts_calls=plan.runs is not None))


def _ticks(bar: Bar, *, counts_calls: bool) -> Callable[[int, float], None]:
    ticks = 0

    def tick(calls: int, elapsed_s: float) -> None:
        nonlocal ticks
        while ticks < (calls if counts_calls else int(elapsed_s)):
            ticks += 1
            bar.step()

    return tick


def _what(model: Model, args: argparse.Namespace) -> dict[str, Any]:
    """Which bundle, variant and programs."""
    variant, built = model.choice.variant, _core.build_info()
    return {
        "edgedet": {"version": __version__, **{key: built.get(key) for key in ("vector_level", "compiler")}},
        # model.json holds the hash of every file of the bundle.
        "bundle": {"name": model.spec.name, "sha256": sha256(model.bundle.root / "model.json")},
        "task": args.task or model.spec.tasks[0],
        "variant": {"target": variant.target, "precision": variant.precision, "soc": variant.soc},
        "runtime": {"name": variant.runtime, "version": runtimes.describe(variant.runtime).data.get("version")},
        "device": model.choice.device,
        "threads": args.threads,
    }


def _how_fast(speed: Speed, plan: Plan) -> dict[str, Any]:
    return {
        "warm_up": plan.warm_up,
        "concurrent": plan.concurrent,
        "runs": speed.runs,
        "wall_s": speed.wall_s,
        "per_s": speed.per_s,
        "stages": speed.stages(),
    }


def _where(before: list[Fact], after: list[Fact]) -> dict[str, Any]:
    """The machine, and what of it speaks against the figures."""
    known = {fact.name: fact.data for fact in (*machine.facts(_ROOT), *after)}
    return {"machine": known, "warnings": list(clock.doubts(before, after))}


def text(found: dict[str, Any]) -> str:
    """The document for people."""
    return "\n".join(
        [
            _what_text(found),
            "{}, {}×{}: {} calls in {:.1f} s, after {} to warm up".format(
                found["image"]["name"], *found["image"]["size_wh"], found["runs"], found["wall_s"], found["warm_up"]
            ),
            *_table(found["stages"]),
            f"throughput {found['per_s']:.1f} calls per second",
            _memory_text(found["memory"]),
            _machine_text(found),
            *(f"warning: {doubt}" for doubt in found["warnings"]),
        ]
    )


def _what_text(found: dict[str, Any]) -> str:
    variant, runtime, count = found["variant"], found["runtime"], found["threads"]
    threads = f"{count} thread{'s' * (count > 1)}" if count else "threads as the runtime likes"
    at_once = f", {found['concurrent']} callers at once" if found["concurrent"] > 1 else ""
    return (
        f"{found['bundle']['name']}: {found['task']}, {variant['target']} {variant['precision']} on {found['device']} "
        f"by {runtime['name']} {runtime['version'] or 'of unknown version'}, {threads}{at_once}"
    )


def _table(stages: dict[str, dict[str, float]]) -> list[str]:
    rows = [["milliseconds", *_COLUMNS, "per second"]]
    for name, stage in stages.items():
        rows.append([name, *(f"{1e3 * stage[f'{column}_s']:.3f}" for column in _COLUMNS), f"{stage['per_s']:.1f}"])
    return [f"  {name:<12}" + "".join(f"{cell:>11}" for cell in cells) for name, *cells in rows]


def _memory_text(memory: dict[str, Optional[int]]) -> str:
    words = {"before_load_bytes": "before loading", "after_load_bytes": "after", "peak_bytes": "at most"}
    told = [f"{size / 1e6:.1f} MB {words[key]}" for key, size in memory.items() if size is not None]
    return f"memory {', '.join(told) or 'unknown'}"


def _machine_text(found: dict[str, Any]) -> str:
    board, cores, governor = (found["machine"].get(name, {}) for name in ("board", "cores", "governor"))
    name = ", ".join(dict.fromkeys(filter(None, (board.get("model"), board.get("cpu"))))) or "unknown"
    return (
        f"machine {name}, {len(cores.get('affinity', ()))} cores, vector level {found['edgedet']['vector_level']}, "
        f"governor {', '.join(governor.get('governors', ())) or 'unknown'}"
    )
