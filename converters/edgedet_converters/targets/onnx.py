"""ONNX for ONNX Runtime: MindSpore's own export, its tensors named by their roles, checked, and quantised if asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgedet.bundle import sha256
from edgedet.errors import ConversionError
from edgedet.spec import ModelFile, Variant
from edgedet_converters import calibration, quantize
from edgedet_converters.exported import Exported
from edgedet_converters.order import Options, Order
from edgedet_converters.targets.base import Target, variant_of

BOXES = "deltas"
FLOAT_BOXES = "box branch in float"


def _rename(graph: Any, network: Exported) -> None:
    """Gives the graph's inputs and outputs the names of their roles."""
    # Weights may be listed among the inputs, as old versions of the format wanted it.
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    names = {}
    for values, roles in ((inputs, tuple(network.inputs)), (list(graph.output), network.outputs)):
        if len(values) != len(roles):
            have = [value.name for value in values]
            raise ConversionError(
                f"onnx: expected the tensors {list(roles)}, got {have}; report this MindSpore version"
            )
        for value, role in zip(values, roles):
            names[value.name] = value.name = role
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]


def _open_dimensions(model: Any, network: Exported) -> None:
    """Marks the dynamic dimensions, and works out anew the shapes that follow from them."""
    import onnx

    if all(None not in shape for shape in network.inputs.values()):
        return
    graph = model.graph
    del graph.value_info[:]
    for value in graph.input:
        for index, size in enumerate(network.inputs.get(value.name, ())):
            if size is None:
                value.type.tensor_type.shape.dim[index].dim_param = f"{value.name}_{index}"
    for value in graph.output:
        for dimension in value.type.tensor_type.shape.dim:
            dimension.Clear()
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph.output
    del graph.output[:]
    graph.output.extend(inferred)


def write_graph(name: str, network: Exported, folder: Path, path: Path) -> None:
    """Writes the exported graph in float, its tensors named by their roles.

    Raises:
        ConversionError: the export is not the graph that the family describes.
    """
    import onnx

    onnx.save(_graph(name, network, folder), path)


def _graph(name: str, network: Exported, folder: Path) -> Any:
    """The exported graph in float, its tensors named by their roles."""
    import onnx

    try:
        model = onnx.load(folder / network.files["onnx"], load_external_data=False)
        _rename(model.graph, network)
        _open_dimensions(model, network)
        model.producer_name, model.doc_string = "edgedet", ""
        onnx.checker.check_model(model)
    except ConversionError:
        raise
    except Exception as error:  # protobuf's, onnx's and the operating system's
        raise ConversionError(f"onnx: expected a valid graph of {name}, got {error}; report this") from error
    return model


def _convert(order: Order, folder: Path, out: Path) -> Variant:
    import onnx
    import onnxruntime

    files = {}
    for name, network in order.networks.items():
        model, path = _graph(name, network, folder), out / order.file(name, "onnx")
        if order.precision == "int8":
            branch = BOXES if order.attempt == FLOAT_BOXES else None
            quantize.to_int8(model, path, calibration.feeds(folder, name), float_output=branch)
        else:
            onnx.save(quantize.to_fp16(model) if order.precision == "fp16" else model, path)
        roles = {role: role for role in network.inputs}
        files[name] = ModelFile(path.name, sha256(path), roles, {role: role for role in network.outputs})
    made_by = {"onnx": onnx.__version__}
    if order.precision != "fp32":
        made_by["onnxruntime"] = onnxruntime.__version__
    return variant_of(order, "onnx", order.precision, files, **made_by)


def _check(options: Options) -> None:
    if "int8" in options.precisions and not options.calibration:
        raise ConversionError(
            "calibration: expected a folder of pictures for onnx in int8, got none; give --calibration FOLDER"
        )


def _attempts(order: Order) -> tuple[str, ...]:
    has_boxes = any(BOXES in network.outputs for network in order.networks.values())
    return ("", FLOAT_BOXES) if order.precision == "int8" and has_boxes else ("",)


TARGET = Target(
    name="onnx",
    format="onnx",
    precisions=("fp32", "fp16", "int8"),
    convert=_convert,
    check=_check,
    attempts=_attempts,
)
