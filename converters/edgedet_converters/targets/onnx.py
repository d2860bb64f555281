"""ONNX for ONNX Runtime: MindSpore's own export, its tensors renamed to their roles and the result checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgedet.bundle import sha256
from edgedet.errors import ConversionError
from edgedet.spec import ModelFile, Variant
from edgedet_converters.export import Description, Exported
from edgedet_converters.targets.base import Target


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


def _convert_network(name: str, network: Exported, work: Path, out: Path) -> ModelFile:
    import onnx

    try:
        model = onnx.load(work / network.files["onnx"], load_external_data=False)
        _rename(model.graph, network)
        _open_dimensions(model, network)
        model.producer_name, model.doc_string = "edgedet", ""
        onnx.checker.check_model(model)
    except ConversionError:
        raise
    except Exception as error:  # protobuf's, onnx's and the operating system's
        raise ConversionError(f"onnx: expected a valid graph of {name}, got {error}; report this") from error
    path = out / f"{name}.onnx"
    onnx.save(model, path)
    roles = {role: role for role in network.inputs}
    return ModelFile(path.name, sha256(path), roles, {role: role for role in network.outputs})


def _convert(described: Description, work: Path, out: Path) -> Variant:
    import onnx

    files = {name: _convert_network(name, network, work, out) for name, network in described.networks.items()}
    producer = {"mindspore": described.mindspore, "onnx": onnx.__version__}
    return Variant(target="onnx", precision="fp32", runtime="onnx", files=files, producer=producer)


TARGET = Target("onnx", "onnx", _convert)
