"""Ascend 310, 310P and 310B: a MINDIR that holds a model compiled for one chip, by MindSpore Lite's converter and CANN.

With the pictures' normalisation folded onto the chip (AIPP) the image goes in as BGR pixels.
"""

from __future__ import annotations

from pathlib import Path

from edgedet.bundle import sha256
from edgedet.errors import ConversionError
from edgedet.spec import ModelFile, Variant
from edgedet_converters import ascend, converter_lite
from edgedet_converters.converter_lite import Call
from edgedet_converters.order import Order
from edgedet_converters.targets.base import Target, by_place, variant_of

# preferred_fp32: float where the chip has it, which it has not for convolutions.
_PRECISION_MODES = {"fp32": "preferred_fp32", "fp16": "enforce_fp16"}


def config(order: Order, name: str) -> str:
    """The converter's config file for one network."""
    context = {"precision_mode": _PRECISION_MODES[order.precision]}
    for role, shapes in ascend.shapes(order, name).items():
        tensor = order.networks[name].tensors[role]
        if len(shapes[0]) == 4:
            context["input_format"] = "NCHW"
        if len(shapes) > 1:
            # All that is open must differ in the same places.
            open_axes = ascend.open_axes(shapes)
            sizes = ",".join(str(-1 if axis in open_axes else size) for axis, size in enumerate(shapes[0]))
            context["input_shape"] = f"{tensor}:[{sizes}]"
            context["dynamic_dims"] = ",".join(
                "[" + ",".join(str(shape[axis]) for axis in open_axes) + "]" for shape in shapes
            )
    if ascend.takes_pixels(order, name):
        context["insert_op_config_file_path"] = f"{name}.aipp.cfg"
    return converter_lite.config({"acl_init_options": {"ge.socVersion": str(order.soc)}, "ascend_context": context})


def calls(order: Order) -> list[Call]:
    """One call for each network."""
    made = []
    for name, network in order.networks.items():
        arguments = [
            "--fmk=MINDIR",
            f"--modelFile={network.files['mindir']}",
            f"--outputFile={name}_om",
            "--saveType=MINDIR",
            "--optimize=ascend_oriented",
            f"--configFile={name}.cfg",
        ]
        for role, shapes in ascend.shapes(order, name).items():
            if len(shapes) == 1 and None in network.inputs[role]:
                sizes = ",".join(map(str, shapes[0]))
                arguments.append(f"--inputShape={network.tensors[role]}:{sizes}")
        made.append(Call(tuple(arguments), f"{name}_om.mindir", f"{name}.log"))
    return made


def _prepare(order: Order, folder: Path) -> None:
    for name in order.networks:
        (folder / f"{name}.cfg").write_text(config(order, name), encoding="utf-8")
    ascend.write_aipp(order, folder)
    converter_lite.write_script(calls(order), folder)


def _convert(order: Order, folder: Path, out: Path) -> Variant:
    converter_lite.run(calls(order), folder)
    files = {}
    for name, network in order.networks.items():
        path = converter_lite.take(folder, f"{name}_om.mindir", out / order.file(name, "mindir"))
        if sha256(path) == sha256(folder / network.files["mindir"]):
            raise ConversionError(f"{path.name}: expected a compiled model, got the MINDIR itself; install CANN")
        ascend.keep_configs(order, name, folder, out)
        files[name] = ModelFile(
            path.name,
            sha256(path),
            by_place(tuple(network.inputs)),
            by_place(network.outputs),
            dict(ascend.shapes(order, name)),
        )
    return variant_of(order, "mslite_wheel", "fp16", files)


def _missing(order: Order, folder: Path) -> str | None:
    if converter_lite.done(calls(order), folder):
        return None
    return converter_lite.missing() or ascend.cann_missing()


TARGET = Target(
    name="ascend",
    format="mindir",
    precisions=("fp32", "fp16"),
    convert=_convert,
    check=ascend.check,
    prepare=_prepare,
    missing=_missing,
    chips=True,
)
