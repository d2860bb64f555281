"""MindSpore Lite for ARM and x86-64 CPUs: ``.ms``, made by MindSpore Lite's own converter.

fp16 halves the weights; int8 without pictures quantises the weights alone, with pictures the activations too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgedet.bundle import sha256
from edgedet.errors import ConversionError, ModelLoadError, RuntimeUnavailable
from edgedet.runtime import mslite as runtime
from edgedet.spec import ModelFile, Variant
from edgedet_converters import converter_lite, ms_file
from edgedet_converters.converter_lite import Call
from edgedet_converters.exported import Exported
from edgedet_converters.order import Order
from edgedet_converters.targets.base import Target, variant_of

_WEIGHTS = {"bit_num": "8", "min_quant_weight_size": "0", "min_quant_weight_channel": "16"}


def quant_config(order: Order, name: str) -> str | None:
    """The converter's config file for one network, or None where there is nothing to tell."""
    if order.precision != "int8":
        return None
    if not order.pictures:
        return converter_lite.config({"common_quant_param": {"quant_type": "WEIGHT_QUANT", **_WEIGHTS}})
    network = order.networks[name]
    folders = {role: f"calibration/{name}/{role}" for role in network.inputs}
    return converter_lite.config(
        {
            "common_quant_param": {"quant_type": "FULL_QUANT", **_WEIGHTS},
            "full_quant_param": {"activation_quant_method": "MAX_MIN", "bias_correction": "true"},
            "data_preprocess_param": {
                # Written by edgedet: the converter's own preprocessing knows no letterbox.
                "calibrate_path": ",".join(f"{network.tensors[role]}:{path}" for role, path in folders.items()),
                "calibrate_size": str(order.pictures),
                "input_type": "BIN",
            },
        }
    )


def calls(order: Order) -> list[Call]:
    """One call for each network."""
    made = []
    for name, network in order.networks.items():
        arguments = [
            "--fmk=MINDIR",
            f"--modelFile={network.files['mindir']}",
            f"--outputFile={name}",
            # Its default depends on the package.
            "--saveType=MINDIR_LITE",
            "--optimize=general",
            # What the kernels compute in, and what edgedet writes without a detour.
            "--inputDataFormat=NHWC",
            f"--fp16={'on' if order.precision == 'fp16' else 'off'}",
        ]
        if quant_config(order, name) is not None:
            arguments.append(f"--configFile={name}.cfg")
        made.append(Call(tuple(arguments), f"{name}.ms", f"{name}.log"))
    return made


def _prepare(order: Order, folder: Path) -> None:
    for name, network in order.networks.items():
        text = quant_config(order, name)
        if text is not None:
            (folder / f"{name}.cfg").write_text(text, encoding="utf-8")
        for role in network.inputs if order.pictures else ():
            _write_raw(folder / "calibration" / name / role)
    converter_lite.write_script(calls(order), folder)


def _write_raw(folder: Path) -> None:
    """The arrays as the converter reads them: their bytes alone, images with the channels last."""
    for file in sorted(folder.glob("*.npy")):
        array = np.load(file, allow_pickle=False)
        if array.ndim == 4:
            array = array.transpose(0, 2, 3, 1)
        file.with_suffix(".bin").write_bytes(np.ascontiguousarray(array, np.float32).tobytes())
        file.unlink()


def model_file(network: Exported, path: Path, made: ms_file.MsFile) -> ModelFile:
    """The file's entry in ``model.json``: its tensors are known by their order.

    Raises:
        ConversionError: it has other numbers of inputs and outputs than the network, or two of one name.
    """
    names = [[tensor.name for tensor in tensors] for tensors in (made.inputs, made.outputs)]
    roles = [list(network.inputs), list(network.outputs)]
    for have, want in zip(names, roles):
        if len(have) != len(want) or len(set(have)) != len(have) or not all(have):
            raise ConversionError(
                f"{path.name}: expected tensors for {want}, got {have}; report this MindSpore Lite version"
            )
    inputs, outputs = (dict(zip(want, have)) for have, want in zip(names, roles))
    return ModelFile(path.name, sha256(path), inputs, outputs, network.free_shapes())


def _probe(path: Path) -> None:
    """Loads the file where the library is present; what it is worth, the golden inputs say."""
    try:
        runtime.MsliteSession(path).close()
    except RuntimeUnavailable:
        return
    except ModelLoadError as error:
        raise ConversionError(f"mslite: expected a file that MindSpore Lite loads, got {error}") from error


def _convert(order: Order, folder: Path, out: Path) -> Variant:
    converter_lite.run(calls(order), folder)
    files, version = {}, ""
    for name, network in order.networks.items():
        path = converter_lite.take(folder, f"{name}.ms", out / order.file(name, "ms"))
        made = ms_file.read(path)
        if made.nodes == 0:
            raise ConversionError(f"{path.name}: expected a network, got no operations; report this")
        files[name], version = model_file(network, path, made), made.version
        _probe(path)
    return variant_of(order, "mslite", order.precision, files, mindspore_lite=version.rpartition(" ")[2] or "unknown")


def _missing(order: Order, folder: Path) -> str | None:
    return None if converter_lite.done(calls(order), folder) else converter_lite.missing()


TARGET = Target(
    name="mslite",
    format="mindir",
    precisions=("fp32", "fp16", "int8"),
    convert=_convert,
    prepare=_prepare,
    missing=_missing,
)
