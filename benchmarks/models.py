"""Models to measure with: whole published networks, weights drawn at random, converted once and kept in build/."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.case import NotHereError
from edgedet.bundle import Bundle, sha256
from edgedet.errors import BundleError

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "benchmarks"


def published(family: str) -> Path:
    """The bundle of a family at its published size; its weights cost what the published ones cost.

    Raises:
        NotHereError: there is none yet, and no MindSpore to make it with.
    """
    bundle = KEPT / family / "bundle"
    try:
        Bundle.open(bundle)
        return bundle
    except BundleError:
        pass
    if importlib.util.find_spec("mindspore") is None:
        raise NotHereError("mindspore, which makes the network, is not installed")
    print(f"converting {family} with random weights, once", flush=True)
    # MindSpore in a process of its own: it would take threads and memory from what is measured.
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    command = [sys.executable, "-m", "benchmarks.models", family]
    subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
    return bundle


def compressed(bundle: Path, ranks: tuple[int, int]) -> Path:
    """The same bundle with fc1 and fc2 as pairs of matrices of these ranks, for its speed alone.

    Random weights have no low rank to find: what is cut from them has the factors' shapes, and answers of its own.

    Raises:
        NotHereError: there is no onnx to cut them with.
    """
    if importlib.util.find_spec("onnx") is None:
        raise NotHereError("onnx, which cuts the head, is not installed")
    import onnx

    folder = bundle.with_name("-".join(["compressed", *map(str, ranks)]))
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(bundle, folder)
    head = onnx.load(folder / "head.onnx")
    for rank, node in zip(ranks, [node for node in head.graph.node if node.op_type == "Gemm"]):
        _cut(head.graph, node, rank)
    onnx.checker.check_model(head)
    onnx.save(head, folder / "head.onnx")
    description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    for variant in description["variants"]:
        variant["files"]["head"]["sha256"] = sha256(folder / "head.onnx")
    (folder / "model.json").write_text(json.dumps(description), encoding="utf-8")
    return folder


def _cut(graph: Any, gemm: Any, rank: int) -> None:
    """Makes of a dense layer with weights (out, in) two: (rank, in) without a bias, then (out, rank)."""
    from onnx import helper, numpy_helper

    rows, weight, bias = gemm.input
    (tensor,) = (tensor for tensor in graph.initializer if tensor.name == weight)
    values = numpy_helper.to_array(tensor)
    # As large as the whole: what is left of a row counts for all of it.
    second = values[:, :rank] * np.float32((values.shape[1] / rank) ** 0.5)
    graph.initializer.remove(tensor)
    graph.initializer.append(numpy_helper.from_array(values[:rank].copy(), f"{weight}.1"))
    graph.initializer.append(numpy_helper.from_array(second, f"{weight}.2"))
    place = list(graph.node).index(gemm)
    graph.node.insert(place, helper.make_node("Gemm", [rows, f"{weight}.1"], [f"{weight}.rows"], transB=1))
    gemm.input[:] = [f"{weight}.rows", f"{weight}.2", bias]


def make(family: str) -> None:
    """Converts the family in this process, which MindSpore then stays in."""
    sys.path.append(str(ROOT / "tests" / "converters"))
    from checkpoints import sane_checkpoint

    from edgedet_converters import family as families
    from edgedet_converters.convert import convert

    folder = KEPT / family
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    checkpoint = sane_checkpoint(family, families.find(family).config(), folder / "random.ckpt")
    convert(family, checkpoint, folder / "bundle")
    checkpoint.unlink()


if __name__ == "__main__":
    make(sys.argv[1])
