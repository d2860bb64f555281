"""A double of MindSpore Lite's C library, compiled by the tests and used by nothing else, and its model files.

A model file names a graph and, one to a line, how the double is to misbehave with it:

===================================  =================================================================================
``build_status N``                   the build fails with that status and two lines of log
``build_abort``, ``build_sleep MS``  it takes the process down, or its time
``build_memory MB``                  it needs so much memory
``inputs_count N``, ``outputs_…``    the lists of tensors claim another length; ``predicted_…`` is the one of predict
``inputs_null_list``, …              they are null
``inputs_null_handle``, …            their first handle is null
``null_name``, ``null_shape``        what is asked of a tensor is null; also ``null_data`` (of outputs, after predict)
``null_input_data``                  the buffer of an input is null
``report_type N``, ``report_rank N`` tensors claim another data type (a number of the library's), another rank
``extra_bytes N``                    they claim more bytes than their shape has
``predict_status N``                 predict fails; also ``predict_abort``, ``predict_sleep MS``
``half_outputs``                     the outputs of ``ssd`` are float16, cut off rather than rounded
``refuse_value V``                   predict fails when the first number of the input is V
``move_outputs``                     every predict has new output buffers, and the old ones are gone
``rename_outputs``                   after the first predict the tensors have other names
``refuse_size N``, ``resize_lies``   resize fails at that size (and the model with it); succeeds and does nothing
``refuse_size_late N``               resize succeeds at that size, and the predict after it fails
===================================  =================================================================================

The environment variable ``MSLITE_DOUBLE_NULL`` (``Context``, ``Device``, ``Model``) makes their creation answer null;
``MSLITE_DOUBLE_LOG=stdout`` puts the log where some builds put it.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

SOURCE = Path(__file__).with_name("mslite_double.c")
NCHW, NHWC = 0, 1
VERSION = "MindSpore Lite 2.6.0"


def compiler() -> str | None:
    """The C compiler, if this machine has one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def compile_double(folder: Path, *options: str, name: str = "libmindspore-lite.so") -> Path:
    """The double, compiled into ``folder``; ``options`` such as ``-DPREFIX=OH_AI_`` or ``-DWITHOUT_RESIZE``."""
    cc = compiler()
    assert cc is not None
    library = folder / name
    command = [cc, "-std=c11", "-O1", "-g", "-shared", "-fPIC", *options, str(SOURCE), "-o", str(library)]
    subprocess.run(command, check=True)
    return library


def header(version: str = VERSION) -> bytes:
    """The first 72 bytes: a flatbuffer of identifier ``MSL2`` whose root table has a name and this version."""
    table = struct.pack("<I4s4Hi2I", 16, b"MSL2", 8, 12, 4, 8, 8, 8, 16)
    name = struct.pack("<I8s", 6, b"double")
    return (table + name + struct.pack("<I", len(version)) + version.encode()).ljust(72, b"\0")


def write_model(
    path: Path,
    graph: str,
    *behaviours: str,
    inputs: Sequence[tuple[str, Sequence[int], int]] = (("x", (1, 3, 4, 5), NCHW),),
    dtype: int = 43,
    version: str = VERSION,
) -> Path:
    """Writes a model file for the double.

    Args:
        path: where to.
        graph: ``identity``, ``affine A B``, ``contract``, or ``ssd ANCHORS COLUMNS``.
        behaviours: lines of the table above.
        inputs: name, shape (-1: free) and format of each; the graphs look at the first.
        dtype: of the inputs, the library's number for it.
        version: that the header tells.
    """
    tensors = [f"input {name} {dtype} {layout} {' '.join(map(str, shape))}" for name, shape, layout in inputs]
    text = "\n".join(["double 1", f"graph {graph}", *tensors, *behaviours, "end"]) + "\n"
    path.write_bytes(header(version) + text.encode())
    return path
