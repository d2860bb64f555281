"""Ascend on hosts with CANN alone: ONNX compiled by ``atc`` into an ``.om`` file, which AscendCL loads."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from edgedet.bundle import sha256
from edgedet.errors import ConversionError
from edgedet.spec import ModelFile, Variant
from edgedet_converters import ascend, child
from edgedet_converters.converter_lite import SCRIPT, TIMEOUT_S
from edgedet_converters.order import Order
from edgedet_converters.targets import onnx as onnx_target
from edgedet_converters.targets.base import Target, variant_of

_PRECISION_MODES = {"fp32": "allow_fp32_to_fp16", "fp16": "force_fp16"}
_MARKER = "ATC run success"


def arguments(order: Order, name: str) -> list[str]:
    """``atc``'s command line for one network."""
    buckets = ascend.shapes(order, name)
    wanted, dynamic = [], []
    for role, shapes in buckets.items():
        open_axes = ascend.open_axes(shapes) if len(shapes) > 1 else []
        sizes = ",".join(str(-1 if axis in open_axes else size) for axis, size in enumerate(shapes[0]))
        wanted.append(f"{role}:{sizes}")
        if open_axes and len(shapes[0]) != 4:
            dynamic.append(f"--dynamic_dims={';'.join(str(shape[0]) for shape in shapes)}")
        elif open_axes == [0]:
            dynamic.append(f"--dynamic_batch_size={','.join(str(shape[0]) for shape in shapes)}")
        elif open_axes:
            dynamic.append(f"--dynamic_image_size={';'.join(f'{shape[2]},{shape[3]}' for shape in shapes)}")
    images = all(len(shapes[0]) == 4 for shapes in buckets.values())
    return [
        "--framework=5",
        f"--model={name}_named.onnx",
        f"--output={name}",
        f"--soc_version={order.soc}",
        f"--input_format={'NCHW' if images else 'ND'}",
        f"--input_shape={';'.join(wanted)}",
        *dynamic,
        f"--precision_mode={_PRECISION_MODES[order.precision]}",
        *([f"--insert_op_conf={name}.aipp.cfg"] if ascend.takes_pixels(order, name) else []),
    ]


def script(order: Order) -> str:
    """A shell script that makes the calls where CANN is."""
    lines = [
        "#!/bin/sh",
        "# Compiles the networks in this folder with CANN's atc (source its set_env.sh first); edgedet isn't needed.",
        "# Afterwards, with or without CANN: edgedet convert --resume <the bundle's folder>",
        "set -eu",
        'cd "$(dirname "$0")"',
    ]
    for name in order.networks:
        command = " \\\n  ".join(["atc", *map(shlex.quote, arguments(order, name))])
        lines += ["", f"{command} \\\n  >{name}.log 2>&1 || {{ cat {name}.log; exit 1; }}", f"tail -n 1 {name}.log"]
    return "\n".join(lines) + "\n"


def _prepare(order: Order, folder: Path) -> None:
    for name, network in order.networks.items():
        onnx_target.write_graph(name, network, folder, folder / f"{name}_named.onnx")
    ascend.write_aipp(order, folder)
    (folder / SCRIPT).write_text(script(order), encoding="utf-8")
    (folder / SCRIPT).chmod(0o755)


def _convert(order: Order, folder: Path, out: Path) -> Variant:
    files = {}
    for name, network in order.networks.items():
        made, log = folder / f"{name}.om", folder / f"{name}.log"
        if not (made.is_file() and log.is_file()):
            tool = shutil.which("atc")
            if tool is None:
                raise ConversionError(str(_missing(order, folder)))
            child.run([tool, *arguments(order, name)], folder, log, timeout_s=TIMEOUT_S)
        said = child.read_log(log)
        if _MARKER not in said or not made.is_file() or made.stat().st_size == 0:
            raise ConversionError(f"atc: expected {_MARKER!r} and {made.name}, got {child.last_lines(said)}")
        path = out / order.file(name, "om")
        shutil.copyfile(made, path)
        ascend.keep_configs(order, name, folder, out)
        roles = {role: role for role in network.inputs}
        outputs = {role: role for role in network.outputs}
        files[name] = ModelFile(path.name, sha256(path), roles, outputs, dict(ascend.shapes(order, name)))
    return variant_of(order, "acl", "fp16", files)


def _missing(order: Order, folder: Path) -> str | None:
    done = all((folder / f"{name}.{kind}").is_file() for name in order.networks for kind in ("om", "log"))
    if not done and shutil.which("atc") is None:
        return "atc: expected CANN's compiler, got none; do source its set_env.sh"
    return None


TARGET = Target(
    name="om",
    format="onnx",
    precisions=("fp32", "fp16"),
    convert=_convert,
    check=ascend.check,
    prepare=_prepare,
    missing=_missing,
    chips=True,
)
