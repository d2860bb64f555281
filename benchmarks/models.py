"""Models to measure with: whole published networks, weights drawn at random, converted once and kept in build/."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.case import NotHereError
from edgedet.bundle import Bundle
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
