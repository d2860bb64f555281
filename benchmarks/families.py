"""Each family at its published size, measured: conversion, size, work, latency. Writes the figures of docs/families.md.

    python -m benchmarks.families                 # every family; some minutes
    python -m benchmarks.families sppnet          # one of them; the others keep their figures

The published checkpoints are not needed: weights of the published shapes, drawn at random, cost the same.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "families.json"
RUNS = 15


def macs(path: Path, size_wh: tuple[int, int]) -> int:
    """Multiply-adds of the convolutions and matrix products in an ONNX graph, for one image (or one row)."""
    import onnx

    model = onnx.load(path)
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        image = (1, 3, size_wh[1], size_wh[0])
        for index, dim in enumerate(dims):
            if not dim.dim_value:
                dim.dim_value = image[index] if len(dims) == 4 else 1
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    shapes = {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*inferred.value_info, *inferred.output, *inferred.input)
    }
    total = 0
    for node in inferred.node:
        if node.op_type == "Conv":
            total += int(np.prod(shapes[node.output[0]])) * int(np.prod(weights[node.input[1]][1:]))
        elif node.op_type in ("Gemm", "MatMul"):
            left = shapes.get(node.input[0]) or weights[node.input[0]]
            turned = any(a.name == "transA" and a.i for a in node.attribute)
            total += int(np.prod(shapes[node.output[0]])) * left[-2 if turned else -1]
    return total


def latency(bundle: Path, threads: int) -> dict[str, float]:
    """Median milliseconds of each stage of a call on a photograph."""
    import cv2

    import edgedet

    golden = sorted((bundle / "golden").glob("*.png"))[0]
    image = cv2.imread(str(golden))
    laps = []
    with edgedet.load(bundle, threads=threads) as model:
        model.warm_up(3)
        for _ in range(RUNS):
            model(image)
            laps.append(model.timings)
    return {stage: round(1e3 * statistics.median(lap), 3) for stage, lap in zip(laps[0]._fields, zip(*laps))}


def measure(name: str) -> dict[str, Any]:
    """Everything that docs/families.md says of a family in figures."""
    sys.path[:0] = [str(ROOT / "tests" / "converters")]
    from checkpoints import sane_checkpoint

    import edgedet
    from edgedet.evaluate.verify import verify
    from edgedet_converters import family as families
    from edgedet_converters.convert import convert

    family = families.find(name)
    config = family.config()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = sane_checkpoint(family, config, Path(folder) / "published.ckpt")
        parameters = sum(int(np.prod(p.shape)) for p in family.build(config).get_parameters())
        began = time.monotonic()
        bundle = convert(name, checkpoint, Path(folder) / "bundle")
        seconds = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        verdict = verify(edgedet.Bundle.open(bundle))
        assert verdict.passed, verdict.table()
        size_wh = tuple(family.describe(config)["input"]["size_wh"])
        return {
            "parameters": parameters,
            "gmac": round(sum(macs(path, size_wh) for path in bundle.glob("*.onnx")) / 1e9, 2),
            "checkpoint_mb": round(checkpoint.stat().st_size / 1e6, 1),
            "bundle_mb": round(sum(p.stat().st_size for p in bundle.rglob("*") if p.is_file()) / 1e6, 1),
            "convert_s": round(seconds, 1),
            "convert_peak_gb": round(peak / 1e6, 2),
            "max_rel": max(raw.max_rel for replay in verdict.replays for raw in replay.raw),
            "latency_ms": {f"onnx, {t} thread{'s' * (t > 1)}": latency(bundle, t) for t in (1, 2)},
        }


def main() -> None:
    """Measures the families that are named, each in a process of its own, so that peaks of memory are its own."""
    from edgedet_converters import family as families

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", nargs="*", choices=[*families.names(), []], help="default: all")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        print(json.dumps(measure(args.only)))
        return
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in args.family or families.names():
        command = [sys.executable, "-m", "benchmarks.families", "--only", name]
        # Without it MindSpore's convolutions crawl on AVX-512 hosts.
        environment = {"ONEDNN_MAX_CPU_ISA": "AVX2", **os.environ}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        results[name] = {**json.loads(done.stdout.splitlines()[-1]), "machine": machine()}
        print(name, json.dumps(results[name]))
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    from benchmarks.cards import write

    write(results)


if __name__ == "__main__":
    main()
