"""The one step that needs MindSpore, run in a child process: rebuild, load, export, and record the golden outputs.

A crash inside the framework must not take the caller with it, and MindSpore can't share a process with every
runtime's converter. Parent and child share a work folder: ``job.json`` in; ``description.json``, the exported graphs
and ``golden/*.npz`` out, or ``error.json``.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import edgedet.errors
from edgedet.errors import BundleError, ConversionError, EdgedetError
from edgedet.image import to_tensor
from edgedet.spec import Compression, Input
from edgedet.strict import read as read_strict
from edgedet_converters import checkpoint, labels, mindir
from edgedet_converters.exported import Description, Exported, Job
from edgedet_converters.family import Family, Network, find

# Marks the lines of the child's stdout that are ours; MindSpore prints there too.
_MARK = "@edgedet "


def run(job: Job, work: Path, *, timeout_s: float, progress: Callable[[str], None]) -> Description:
    """Does the job in a child process.

    Raises:
        CheckpointError, ConversionError: as in the child; also when the child crashes or takes longer than
            ``timeout_s`` seconds, with its last lines.
    """
    (work / "job.json").write_text(json.dumps(dataclasses.asdict(job)), encoding="utf-8")
    progress("starting MindSpore")
    # On AVX-512 hosts oneDNN picks a reference convolution that is a hundred times slower, unless told otherwise
    # before MindSpore is imported.
    environment = {"ONEDNN_MAX_CPU_ISA": "AVX2", "GLOG_v": "3", **os.environ}
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, str(work)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        env=environment,
    )
    late = threading.Event()

    def stop() -> None:
        late.set()
        child.kill()

    timer = threading.Timer(timeout_s, stop)
    timer.start()
    tail: list[str] = []
    assert child.stdout is not None
    try:
        for line in child.stdout:
            if line.startswith(_MARK):
                progress(line[len(_MARK) :].strip())
            elif line.strip():
                tail = [*tail[-9:], line.strip()]
        code = child.wait()
    finally:
        timer.cancel()
        child.kill()
        child.wait()
        child.stdout.close()
    if late.is_set():
        raise ConversionError(f"export: expected to end within {timeout_s:g} s, got no end; last lines: {tail}")
    _raise_error(work / "error.json")
    if code != 0:
        raise ConversionError(f"export: expected exit code 0, got {code}; MindSpore's last lines: {' | '.join(tail)}")
    return _description(json.loads((work / "description.json").read_text(encoding="utf-8")))


def _raise_error(path: Path) -> None:
    if path.exists():
        error = json.loads(path.read_text(encoding="utf-8"))
        raise getattr(edgedet.errors, error["type"])(error["message"])


def _description(data: dict[str, Any]) -> Description:
    networks = {name: read_strict(Exported, n, f"networks.{name}") for name, n in data.pop("networks").items()}
    ids, compression = data.pop("category_ids"), data.pop("compression")
    return Description(
        tasks=tuple(data.pop("tasks")),
        labels=tuple(data.pop("labels")),
        category_ids=None if ids is None else tuple(ids),
        networks=networks,
        compression=None if compression is None else read_strict(Compression, compression, "compression"),
        **data,
    )


def _say(step: str) -> None:
    print(f"{_MARK}{step}", flush=True)


def read_config(family: Family, path: str | None, names: tuple[str, ...] | None) -> Any:
    """The family's config from a JSON file and the labels.

    Raises:
        ConversionError: an unknown key, a wrong type, a value the family refuses, or labels of another number.
    """
    data = {}
    if path is not None:
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConversionError(f"config: expected a JSON file, got {error}; correct {path}") from error
    if names is not None and isinstance(data, dict):
        data.setdefault("num_classes", len(names))
    try:
        return read_strict(family.config, data, "config")
    except BundleError as error:
        raise ConversionError(str(error)) from error
    except ValueError as error:
        raise ConversionError(f"config: {error}; correct {path}") from error


def _class_labels(family: Family, config: Any, names: tuple[str, ...] | None) -> labels.Labels:
    found = labels.Labels(names) if names is not None else labels.packaged(family.labels)
    if len(found.names) != config.num_classes:
        raise ConversionError(
            f"labels: expected {config.num_classes}, one for each class of the config, got {len(found.names)}; "
            "give --labels FILE with one name per line, without the background"
        )
    return found


def export(job: Job, work: Path) -> Description:
    """The child's whole work; see `run`."""
    import mindspore

    mindspore.set_context(mode=mindspore.GRAPH_MODE, device_target="CPU")
    family = find(job.family)
    config = read_config(family, job.config, job.labels)
    names = _class_labels(family, config, job.labels)
    _say(f"building {family.name}")
    cell = family.build(config)
    cell.set_train(False)
    _say(f"loading {Path(job.checkpoint).name}")
    checkpoint.load(Path(job.checkpoint), family, cell)
    description = family.describe(config)
    compression = _compress(job, family, cell, config)
    networks = {}
    for name, network in family.networks(cell, config).items():
        network.cell.set_train(False)
        files = {}
        for kind in job.formats:
            _say(f"exporting {name} as {kind}")
            files[kind] = _write(network, kind, work / name)
        tensors = _tensor_names(network, work / files["mindir"]) if "mindir" in files else {}
        networks[name] = Exported(files, dict(network.inputs), network.outputs, dict(network.sample), tensors)
    inputs = read_strict(Input, description["input"], "input")
    for index, path in enumerate(job.golden):
        _say(f"golden outputs of {Path(path).name}")
        _record(cell, family, inputs, Path(path), work / f"golden-{index:03d}.npz")
    return Description(
        tasks=tuple(description["tasks"]),
        input=dict(description["input"]),
        head=dict(description["head"]),
        labels=names.names,
        category_ids=names.category_ids,
        networks=networks,
        mindspore=mindspore.__version__,
        compression=compression,
    )


def _compress(job: Job, family: Family, cell: Any, config: Any) -> Compression | None:
    if job.svd is None:
        return None
    from edgedet_converters import low_rank

    _say(f"compressing the head to ranks {', '.join(map(str, job.svd.ranks))}")
    return low_rank.compress(family, cell, lambda: family.networks(cell, config), family.describe(config), job.svd)


def _write(network: Network, kind: str, stem: Path) -> str:
    import mindspore

    from edgedet_converters.formats import FORMATS

    form = FORMATS[kind]
    inputs = [
        mindspore.Tensor(shape=list(shape), dtype=mindspore.float32)
        if None in shape
        else mindspore.Tensor(np.zeros(shape, np.float32))  # type: ignore[type-var]  # no None in it
        for shape in form.shapes(network)
    ]
    with form.rewritten(network.cell):
        mindspore.export(network.cell, *inputs, file_name=str(stem), file_format=kind.upper())
    return f"{stem.name}.{kind}"


def _tensor_names(network: Network, file: Path) -> dict[str, str]:
    names = mindir.inputs(file)
    if len(names) != len(network.inputs):
        raise ConversionError(
            f"mindir: expected the inputs {list(network.inputs)}, got {list(names)}; report this MindSpore version"
        )
    return dict(zip(network.inputs, names))


def _record(cell: Any, family: Family, inputs: Input, image: Path, out: Path) -> None:
    import cv2
    import mindspore

    picture = cv2.imread(str(image), cv2.IMREAD_COLOR)
    if picture is None:
        raise ConversionError(f"golden: expected a picture, got {image}; give a file that OpenCV can read")
    tensor, _ = to_tensor(np.asarray(picture, np.uint8), inputs)
    values = cell(mindspore.Tensor(tensor))
    values = values if isinstance(values, (tuple, list)) else (values,)
    np.savez_compressed(out, **{role: value.asnumpy() for role, value in zip(family.outputs, values)})


def _main(work: Path) -> int:
    data = json.loads((work / "job.json").read_text(encoding="utf-8"))
    try:
        described = export(read_strict(Job, data, "job.json"), work)
    except EdgedetError as error:
        fault = {"type": type(error).__name__, "message": str(error)}
        (work / "error.json").write_text(json.dumps(fault), encoding="utf-8")
        return 1
    (work / "description.json").write_text(json.dumps(dataclasses.asdict(described)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(_main(Path(sys.argv[1])))
