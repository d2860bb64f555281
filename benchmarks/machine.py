"""Which machine this is, without its name, and how to keep every library on it to one thread."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import sys
from pathlib import Path

# Read by the libraries when they are loaded, so to be set before.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PACKAGES = ("numpy", "opencv-python", "opencv-python-headless", "onnxruntime", "openvino", "torch", "torchvision")


def machine() -> str:
    """The processor's name and the number of cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def slug(name: str) -> str:
    """A machine's name as that of a file."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def versions() -> dict[str, str]:
    """What the figures depend on: Python, the packages that are installed, the vector level in use."""
    import edgedet
    from edgedet import _core

    built = _core.build_info()
    found = {"edgedet": edgedet.__version__, "vector level": built["vector_level"], "compiler": built["compiler"]}
    found["python"] = platform.python_version()
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def single_threaded(module: str) -> None:
    """Keeps the libraries that are here to one thread; what opens sessions asks for it itself.

    Starts ``python -m module`` again, with the same arguments, if the environment has to be another.
    """
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, **ONE_THREAD})
    import cv2

    cv2.setNumThreads(1)
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)
