"""MindSpore Lite's converter: where it is, how it is called, and what of its success may be believed.

It leaves operations out that it doesn't know, and reports success; it ends with 0 and has written nothing. So success
is: exit code 0, the marker, no line about an unknown operation, and a file that is what was asked for.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from edgedet.errors import ConversionError
from edgedet_converters import child, mindir

#: An hour: post-training quantisation runs the network on every picture, and on some hosts slowly.
TIMEOUT_S = 3600.0
MARKER = "CONVERT RESULT SUCCESS:0"
_DROPPED = re.compile(r"can not find MSOpsRegistry for op: *(\S+)")
_HOME = "MSLITE_HOME"
CURE = (
    f"do set {_HOME} to the folder of MindSpore Lite's package for this machine, or put its converter_lite on the PATH"
)
SCRIPT = "convert.sh"


@dataclass(frozen=True)
class Call:
    """One call of the converter.

    Attributes:
        arguments: as the command line takes them (``--name=value``), in order.
        output: the file that must be there afterwards.
        log: the file that takes what the converter prints.
    """

    arguments: tuple[str, ...]
    output: str
    log: str


@dataclass(frozen=True)
class Tool:
    """The converter on this machine: how a command line begins, and the variables it needs."""

    command: tuple[str, ...]
    environment: dict[str, str]


def find() -> Tool | None:
    """The converter under ``MSLITE_HOME``, else on the PATH, else in the Python package mindspore_lite."""
    home = os.environ.get(_HOME)
    places = [Path(home, *parts) for parts in (("tools/converter/converter",), ())] if home else []
    for place in places:
        if os.access(place / "converter_lite", os.X_OK):
            return _program(place / "converter_lite")
    on_path = shutil.which("converter_lite")
    if on_path is not None:
        return _program(Path(on_path))
    return _package()


def _program(file: Path) -> Tool:
    # The package keeps its libraries beside the program's folder and expects them on the loader's path.
    tools = file.resolve().parents[1]
    libraries = [tools / "lib", *(place / "runtime" / "lib" for place in list(tools.parents)[1:2])]
    given = os.environ.get("LD_LIBRARY_PATH")
    path = [str(place) for place in libraries if place.is_dir()] + ([given] if given else [])
    return Tool((str(file),), {"LD_LIBRARY_PATH": os.pathsep.join(path)} if path else {})


def _package() -> Tool | None:
    try:
        found = importlib.util.find_spec("mindspore_lite")  # looks, and imports nothing
    except (ImportError, ValueError):
        return None
    if found is None or not found.submodule_search_locations:
        return None
    # A process of its own: MindSpore and MindSpore Lite can't share one.
    return Tool((sys.executable, "-m", "edgedet_converters.mslite_package"), {})


def missing() -> str | None:
    """Why nothing can be converted here, or None."""
    if find() is None:
        return f"converter_lite: expected MindSpore Lite's converter, got none; {CURE}"
    return None


def run(calls: list[Call], folder: Path, *, timeout_s: float = TIMEOUT_S) -> None:
    """Makes the calls in ``folder``; one whose output the script has made there already is only checked.

    Raises:
        ConversionError: there is no converter, or one of the calls can't be believed; the next run makes it again.
    """
    for call in calls:
        output, log = folder / call.output, folder / call.log
        try:
            if not (output.is_file() and log.is_file()):
                tool = find()
                if tool is None:
                    raise ConversionError(str(missing()))
                output.unlink(missing_ok=True)
                command = [*tool.command, *call.arguments]
                child.run(command, folder, log, timeout_s=timeout_s, environment=tool.environment)
            check(call, folder)
        except ConversionError:
            output.unlink(missing_ok=True)
            raise


def done(calls: list[Call], folder: Path) -> bool:
    """Whether the script has been run: then the converter is no longer needed."""
    return all((folder / call.output).is_file() and (folder / call.log).is_file() for call in calls)


def check(call: Call, folder: Path) -> None:
    """Whether the call's success may be believed, as far as its log and the mere file tell.

    Raises:
        ConversionError: it may not.
    """
    said = child.read_log(folder / call.log)
    dropped = sorted(set(_DROPPED.findall(said)))
    if dropped:
        cures = [f"{name} ({mindir.instead(name)})" if mindir.instead(name) else name for name in dropped]
        raise ConversionError(
            f"converter_lite: expected every operation to be kept, got {', '.join(cures)} left out of {call.output} "
            "without an error; write the network with other operations, or take a newer MindSpore Lite"
        )
    if MARKER not in said:
        raise ConversionError(f"converter_lite: expected {MARKER!r}, got none; last lines: {child.last_lines(said)}")
    output = folder / call.output
    if not output.is_file() or output.stat().st_size == 0:
        raise ConversionError(
            f"converter_lite: expected the file {call.output}, got none although it reports success; last lines: "
            f"{child.last_lines(said)}"
        )


def take(folder: Path, output: str, target: Path) -> Path:
    """Copies a converted file (the converter makes it 0400) with the permissions of any other file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / output, target)
    return target


def script(calls: list[Call]) -> str:
    """A shell script that makes the calls on a machine that has the converter, wherever its folder lies there."""
    lines = [
        "#!/bin/sh",
        "# Converts the networks in this folder with MindSpore Lite's converter_lite; needs nothing of edgedet.",
        "# Afterwards, with or without the converter: edgedet convert --resume <the bundle's folder>",
        "set -eu",
        'cd "$(dirname "$0")"',
        f'if [ -n "${{{_HOME}:-}}" ]; then',
        f'  PATH="${_HOME}/tools/converter/converter:$PATH"',
        f'  LD_LIBRARY_PATH="${_HOME}/tools/converter/lib:${_HOME}/runtime/lib:${{LD_LIBRARY_PATH:-}}"',
        "  export PATH LD_LIBRARY_PATH",
        "fi",
    ]
    for call in calls:
        command = " \\\n  ".join(["converter_lite", *map(shlex.quote, call.arguments)])
        log = shlex.quote(call.log)
        lines += ["", f"{command} \\\n  >{log} 2>&1 || {{ cat {log}; exit 1; }}", f"tail -n 1 {log}"]
    return "\n".join(lines) + "\n"


def write_script(calls: list[Call], folder: Path) -> None:
    """Puts the `script` into the folder."""
    file = folder / SCRIPT
    file.write_text(script(calls), encoding="utf-8")
    file.chmod(0o755)


def config(sections: dict[str, dict[str, str]]) -> str:
    """The text of a config file."""
    return "\n".join(
        "".join([f"[{name}]\n", *(f"{key}={value}\n" for key, value in keys.items())])
        for name, keys in sections.items()
    )
