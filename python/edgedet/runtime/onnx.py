"""ONNX Runtime on the CPU: the runtime that pip can install anywhere."""

from __future__ import annotations

import importlib.util
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgedet.errors import InferenceError, ModelLoadError, RuntimeUnavailable
from edgedet.runtime.base import Array, Presence, Runtime, Target, TensorInfo, check_feed, closed

_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


def _info(value: Any) -> TensorInfo:
    if value.type not in _DTYPES:
        raise ModelLoadError(f"{value.name}: expected one of {', '.join(_DTYPES)}, got {value.type}; convert it again")
    # A dynamic dimension comes as a string (its name) or None.
    shape = tuple(d if isinstance(d, int) and d > 0 else None for d in value.shape)
    return TensorInfo(value.name, shape, np.dtype(_DTYPES[value.type]))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _refuse_other_files(path: Path) -> None:
    """ONNX lets a model fetch its weights from any file on the machine, which no hash of the bundle would cover."""
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            # A tensor that lies elsewhere has an entry with the key "location", which protobuf writes like this.
            elsewhere = data.find(b"\x0a\x08location") >= 0
    except (OSError, ValueError):  # missing or empty: ONNX Runtime says so better
        return
    if elsewhere:
        raise ModelLoadError(f"{path.name}: expected all weights in the file, got some elsewhere; convert it again")


class OnnxSession:
    """A model file in ONNX Runtime's CPU provider. ONNX Runtime itself lets several threads run one session."""

    def __init__(self, path: Path, threads: int | None) -> None:
        """Loads the file; ``threads`` None leaves the number to ONNX Runtime (one per core)."""
        try:
            import onnxruntime
        except ImportError as error:  # present, but broken: a library of its own is missing, say
            raise RuntimeUnavailable(
                f"onnxruntime: expected a package that imports, got {error}; do pip install 'edgedet[onnx]' again"
            ) from error
        _refuse_other_files(path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors only: warnings about an initializer help nobody on a device
        # Between runs the cores are the kernels' and other sessions'; by default threads wait at full speed.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no base of their own
            why = _line(error)
            raise ModelLoadError(f"{path.name}: expected an ONNX model, got {why}; convert it again") from error
        self._session: Any = session
        self.inputs = tuple(_info(value) for value in session.get_inputs())
        self.outputs = tuple(_info(value) for value in session.get_outputs())

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `edgedet.runtime.base.Session.run`."""
        session = self._session
        if session is None:
            raise closed()
        check_feed(self.inputs, feed)
        try:
            values = session.run(None, dict(feed))
        except Exception as error:
            raise InferenceError(f"onnxruntime: expected outputs, got {_line(error)}; verify the bundle") from error
        return {info.name: value for info, value in zip(self.outputs, values)}

    def close(self) -> None:
        """Frees the network."""
        self._session = None


def _missing() -> str | None:
    if importlib.util.find_spec("onnxruntime") is None:
        return "onnxruntime: expected the package, got none; do pip install 'edgedet[onnx]'"
    return None


def _open(path: Path, device: str, threads: int | None) -> OnnxSession:
    why = _missing()
    if why is not None:
        raise RuntimeUnavailable(why)
    return OnnxSession(path, threads)


def _present() -> Presence:
    return Presence(package="onnxruntime", cure="pip install --force-reinstall onnxruntime")


RUNTIME = Runtime("onnx", {"onnx": Target(rank=30, device="cpu")}, _missing, _open, _present)
