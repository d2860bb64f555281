"""docs/families.md, written from the families' own descriptions, the zoo and benchmarks/results/families.json.

python -m benchmarks.cards     # needs MindSpore: the families describe themselves
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "families.md"

INTRODUCTION = """# The families

Written by `python -m benchmarks.cards` from the families' own descriptions; measured by `python -m benchmarks.families`
({machine}) with weights drawn at random in the published shapes, which cost what the published ones cost.

| family | parameters | multiply-adds | checkpoint | bundle | converted in | peak memory | against MindSpore |
|---|---|---|---|---|---|---|---|
{rows}

*Against MindSpore* is the largest difference of a raw output on three photographs, as a fraction of its range.
*Peak memory* is that of the conversion. Multiply-adds are those of the exported graph, for one image.

## Bring your own checkpoint

A fine-tuned model is converted by the same command as the published one, with a config of what you changed and the
names of your classes, one per line, without the background:

    edgedet convert ssd_mobilenet_v2 --checkpoint mine.ckpt --config mine.json --labels mine.txt --out models/mine

The config is JSON; its keys are the options listed for the family below, and what it leaves out is as published. The
checkpoint may hold the optimiser's state, and the training wrapper's prefix may stand before the names or not. Every
parameter must fit, or the conversion ends with a list of those that don't.
"""

CARD = """
## {name}

Published as `{published_as}` (MindSpore {mindspore}, {dataset}, {evaluation}), {licence}: `edgedet zoo show {name}`.

| | |
|---|---|
| input | {input} |
| outputs | {outputs} |
| head | {head} |
| rule | {rule} |
{latency}

Options of its config, with the published values:

{options}
"""


def _input(described: dict[str, Any]) -> str:
    given = described["input"]
    cut = ""
    if given.get("resize_wh"):
        cut = "{}×{}, then its middle ".format(*given["resize_wh"])
    mean, std = (", ".join(f"{value:g}" for value in given[key]) for key in ("mean", "std"))
    size = "{}×{}".format(*given["size_wh"])
    return f"{given['color'].upper()}, {given['resize']} to {cut}{size}; mean {mean}; std {std}"


def _anchors(head: dict[str, Any]) -> tuple[str, str]:
    levels = head["levels"]
    count = sum(level["grid_wh"][0] * level["grid_wh"][1] * len(level["cells_wh"]) for level in levels)
    grids = ", ".join("{}×{}".format(*level["grid_wh"]) for level in levels)
    cells = ", ".join(str(len(level["cells_wh"])) for level in levels)
    cap = head["max_detections"] or "no cap"
    rule = (
        f"{head['activation']} score above {head['score_threshold']}, IoU up to {head['iou_threshold']}"
        f"{' (pixels counted inclusively)' if head['plus_one'] else ''}, {head['max_per_class']} per class, "
        f"{cap} overall"
    )
    return f"{count} anchors: grids {grids} with {cells} per cell; variances {head['variances']}", rule


def _spp(head: dict[str, Any]) -> tuple[str, str]:
    levels = ", ".join(map(str, head["levels"]))
    return f"spatial pyramid pooling, levels {levels}", f"{head['activation']} over all classes"


HEADS = {"anchors": _anchors, "spp": _spp}


def _options(config: type) -> str:
    """The fields of a config: its docstring's words for them, and their defaults."""
    words = dict(re.findall(r"^    (\w+): (.+?)(?=^    \w+: |\Z)", inspect.cleandoc(config.__doc__ or ""), re.M | re.S))
    lines = []
    for field in dataclasses.fields(config):
        value = json.dumps(field.default)
        lines.append(f"- `{field.name}` = `{value}`: {' '.join(words[field.name].split())}")
    return "\n".join(lines)


def card(name: str, figures: dict[str, Any]) -> str:
    """One family's section."""
    from edgedet_converters import family as families
    from edgedet_converters import zoo

    family = families.find(name)
    config = family.config()
    described = dict(family.describe(config))
    head, rule = HEADS[described["head"]["type"]](described["head"])
    networks = family.networks(family.build(config), config)
    outputs = "; ".join(f"{part}: {', '.join(network.outputs)}" for part, network in networks.items())
    latency = "\n".join(
        f"| {runtime} | {ms['preprocess']:.2f} + {ms['infer']:.1f} + {ms['postprocess']:.2f} ms"
        " (preprocess, network, postprocess; median) |"
        for runtime, ms in figures["latency_ms"].items()
    )
    asset = dataclasses.asdict(zoo.find(name))
    facts = {"input": _input(described), "outputs": outputs, "head": head, "rule": rule, "latency": latency}
    return CARD.format(**asset, **facts, name=name, options=_options(family.config))


def page(results: dict[str, Any]) -> str:
    """The whole of docs/families.md."""
    rows = "\n".join(
        f"| [{name}](#{name}) | {f['parameters']:,} | {f['gmac']} G | {f['checkpoint_mb']} MB | {f['bundle_mb']} MB | "
        f"{f['convert_s']} s | {f['convert_peak_gb']} GB | {f['max_rel']:.1e} |"
        for name, f in sorted(results.items())
    )
    machine = next(iter(results.values()))["machine"]
    return INTRODUCTION.format(rows=rows, machine=machine) + "".join(card(n, f) for n, f in sorted(results.items()))


def write(results: dict[str, Any]) -> None:
    """Writes docs/families.md."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(results), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(PAGE.parents[1])}")


if __name__ == "__main__":
    from benchmarks.families import RESULTS

    write(json.loads(RESULTS.read_text(encoding="utf-8")))
