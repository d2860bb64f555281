"""``converter_lite``'s command line in terms of the Python package mindspore_lite; run as a child process.

Only what edgedet itself passes is understood.
"""

from __future__ import annotations

import configparser
import sys
from pathlib import Path
from typing import Any

from edgedet_converters.converter_lite import MARKER


def convert(arguments: list[str]) -> None:
    """Converts; whatever goes wrong is the package's own exception."""
    import mindspore_lite

    given = dict(argument.lstrip("-").split("=", 1) for argument in arguments)
    converter: Any = mindspore_lite.Converter()
    converter.save_type = getattr(mindspore_lite.ModelType, given["saveType"])
    converter.optimize = given["optimize"]
    if given.get("fp16") == "on":
        converter.weight_fp16 = True
    if "inputDataFormat" in given:
        converter.input_format = getattr(mindspore_lite.Format, given["inputDataFormat"])
    if "inputShape" in given:
        name, shape = given["inputShape"].rsplit(":", 1)
        converter.input_shape = {name: [int(size) for size in shape.split(",")]}
    if "configFile" in given:
        for section, keys in _read(given["configFile"]).items():
            converter.set_config_info(section, keys)
    framework = getattr(mindspore_lite.FmkType, given["fmk"])
    converter.convert(fmk_type=framework, model_file=given["modelFile"], output_file=given["outputFile"])


def _read(file: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(delimiters="=", interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # keys keep their capitals
    parser.read_string(Path(file).read_text(encoding="utf-8"))
    return {name: dict(parser[name]) for name in parser.sections()}


if __name__ == "__main__":
    convert(sys.argv[1:])
    # The package raises where the program would say so.
    print(MARKER, flush=True)
