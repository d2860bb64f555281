"""The exported MINDIR itself, for the Python package mindspore_lite on CPUs, which converts it when it loads."""

from __future__ import annotations

import shutil
from pathlib import Path

from edgedet.bundle import sha256
from edgedet.spec import ModelFile, Variant
from edgedet_converters.order import Order
from edgedet_converters.targets.base import Target, by_place, variant_of


def _convert(order: Order, folder: Path, out: Path) -> Variant:
    files = {}
    for name, network in order.networks.items():
        path = out / order.file(name, "mindir")
        shutil.copyfile(folder / network.files["mindir"], path)
        files[name] = ModelFile(
            path.name,
            sha256(path),
            by_place(tuple(network.inputs)),
            by_place(network.outputs),
            network.free_shapes(),
        )
    return variant_of(order, "mslite_wheel", "fp32", files)


TARGET = Target(name="mindir", format="mindir", precisions=("fp32",), convert=_convert)
