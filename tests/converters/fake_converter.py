"""A stand-in for MindSpore Lite's ``converter_lite`` and for ``atc``, with the faults that the real ones have.

``FAKE_CONVERTER`` chooses: ``dropped`` leaves an operation out and reports success, ``no_file`` and ``empty`` report
success and write nothing, ``no_marker`` says nothing, ``garbage`` writes another file, ``fails``, ``crashes``,
``hangs`` (with a child of its own), ``renamed`` has an output less. The ``<model>.edges`` beside a graph tell its own.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from ms_writer import write_ms

NAMES = ("converter_lite", "atc")


def install(folder: Path) -> Path:
    """Puts both programs into a folder that can be put on the PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" {name} "$@"\n')
        program.chmod(0o755)
    return folder


def write_edges(folder: Path, model: str, inputs: dict[str, list[int]], outputs: dict[str, list[int]]) -> None:
    """Tells the stand-in what a graph has."""
    (folder / f"{model}.edges").write_text(json.dumps({"inputs": inputs, "outputs": outputs}))


def main(arguments: list[str]) -> int:
    name, *rest = arguments
    given = dict(argument[2:].split("=", 1) for argument in rest)
    fault = os.environ.get("FAKE_CONVERTER", "")
    if fault == "hangs":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        time.sleep(60)
    if fault == "crashes":
        os.abort()
    if fault == "fails":
        print("[ERROR] CONVERTER(1,2,converter_lite): parse model failed", file=sys.stderr)
        print("CONVERT RESULT FAILED:-1, Common error code.")
        return 1
    if name == "atc":
        Path(given["output"] + ".om").write_bytes(b"IMOD" + json.dumps(given).encode())
        print("ATC run success, welcome to the next use.")
        return 0
    output = Path(given["outputFile"] + (".ms" if given["saveType"] == "MINDIR_LITE" else ".mindir"))
    if fault == "dropped":
        print("[WARNING] LITE(1,2,converter_lite): anf_utils.cc:38] can not find MSOpsRegistry for op: Muls")
    if fault == "empty":
        output.touch()
    elif fault == "garbage":
        output.write_bytes(b"nothing that MindSpore Lite has written")
    elif fault != "no_file":
        _write(output, given, fault)
        output.chmod(stat.S_IRUSR)
    if fault != "no_marker":
        print("CONVERT RESULT SUCCESS:0")
    return 0


def _write(output: Path, given: dict[str, str], fault: str) -> None:
    model = Path(given["modelFile"])
    assert model.is_file(), model
    config = given.get("configFile")
    assert config is None or Path(config).is_file(), config
    if output.suffix == ".mindir":
        output.write_bytes(b"compiled " + Path(given["configFile"]).read_bytes() + model.read_bytes()[:100])
        return
    edges = json.loads(Path(f"{model.stem}.edges").read_text()) if Path(f"{model.stem}.edges").is_file() else _SHAPES
    inputs = [(name, _channels_last(shape), 1) for name, shape in edges["inputs"].items()]
    outputs = [(name, shape, 0) for name, shape in edges["outputs"].items()]
    write_ms(output, inputs, outputs[1:] if fault == "renamed" else outputs)


def _channels_last(shape: list[int]) -> list[int]:
    return [shape[i] for i in (0, 2, 3, 1)] if len(shape) == 4 else shape


_SHAPES = {"inputs": {"image": [1, 3, 160, 160]}, "outputs": {"Concat-1": [1, 10, 4], "Concat-2": [1, 10, 9]}}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
