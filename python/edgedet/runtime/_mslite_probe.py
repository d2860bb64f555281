"""Loads a model file in a process of its own, with limits, so that a file that kills its process kills no other.

This file is also what the child runs, as a script: it imports nothing of edgedet but the compiled module.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

# After so long, and with so much address space asked for, the child is ended.
SECONDS = 120.0
MEMORY_BYTES = 4 << 30
LOG_BYTES = 16 << 20
REFUSED = 3  # the child's exit code when the library said no, and lived


@dataclass(frozen=True)
class Verdict:
    """How loading went.

    Attributes:
        why: None, or what happened instead of success, for the middle of an error's sentence.
        log: the first error in the library's own log, or an empty text.
    """

    why: Union[str, None]
    log: str


def probe(core: str, library: str, model: Path, options: dict[str, Any]) -> Verdict:
    """Builds the network in a child process and, when its sizes are known, runs it once.

    Args:
        core: the file of the compiled module.
        library: the C library's file.
        model: the model file.
        options: those of the compiled module's ``MsliteModel``.
    """
    order: dict[str, Any] = {"core": core, "library": library, "model": os.fsencode(model).hex(), "options": options}
    order.update(memory=MEMORY_BYTES)
    return run_child([__file__], order)


def run_child(script: list[str], order: dict[str, Any]) -> Verdict:
    """Has Python run the script in a process of its own, with ``order`` and ``sys.path`` as JSON on its input.

    Args:
        script: Python's arguments: a file, or ``-c`` and code. It ends with code 0, or with `REFUSED` after a last line
            that says why; it limits its own log to `LOG_BYTES`.
        order: what to do.
    """
    if not sys.executable:
        return Verdict("no Python interpreter to try it in (sys.executable is empty)", "")
    with tempfile.TemporaryFile() as log:
        try:
            done = subprocess.run(
                [sys.executable, "-I", *script],
                input=json.dumps({**order, "path": sys.path}).encode(),
                stdout=log,
                stderr=log,
                timeout=SECONDS,
            )
            why = None if done.returncode == 0 else _ended(done.returncode)
        except subprocess.TimeoutExpired:
            why = f"no end within {SECONDS:g} s"
        log.seek(0)
        said = log.read().decode("utf-8", "replace")
    if why == _ended(REFUSED):
        why = said.rstrip().rpartition("\n")[2]
    return Verdict(why, first_error(said))


def _ended(code: int) -> str:
    how = f"by signal {-code}" if code < 0 else f"with code {code}"
    return f"the end of the process that tried it, {how}"


def first_error(said: str) -> str:
    """The text of the first error line of the library's log: those that follow only say that something failed."""
    for line in said.splitlines():
        if line.startswith(("[ERROR] ", "ERROR [")):
            # Before the text: whose log and when (in some builds neither), then `[file:line] function] `.
            found = re.match(r".*? ?\[[^\]]+:\d+\] .*?\] (.*)", line[:2000])
            return (found.group(1) if found else line.partition("] ")[2]).strip()[:300]
    return ""


def log_by_line() -> None:
    """Has C's stdout, where some builds log, written line by line: the process may end without warning."""
    try:
        import ctypes

        c = ctypes.CDLL(None)
        c.setvbuf(ctypes.c_void_p.in_dll(c, "stdout"), None, 1, ctypes.c_size_t(4096))  # 1 is _IOLBF
    except (ImportError, OSError, AttributeError, ValueError):
        return  # those lines may be lost


def _main() -> int:
    order = json.load(sys.stdin)
    _limit(order["memory"])
    log_by_line()
    sys.path[:] = order["path"]
    spec = importlib.util.spec_from_file_location("edgedet._core", order["core"])
    assert spec is not None and spec.loader is not None
    core: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(core)
    try:
        library = core.MsliteLibrary(order["library"])
        model = core.MsliteModel(library, bytes.fromhex(order["model"]), **order["options"])
        slot = model.borrow()
        if all(size >= 0 for _, shape, _, _ in model.inputs() for size in shape):
            for index in range(len(model.inputs())):
                slot.input(index)[...] = 0
            slot.predict()
        slot.release()
        model.close()
    except core.MsliteError as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return REFUSED
    return 0


def _limit(memory_bytes: int) -> None:
    import resource

    for kind, most in (
        (resource.RLIMIT_AS, min(memory_bytes, sys.maxsize)),
        (resource.RLIMIT_FSIZE, LOG_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        allowed = resource.getrlimit(kind)[1]
        value = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    sys.stdout = sys.stderr
    code = _main()
    sys.stderr.flush()
    os._exit(code)  # the library's own exit handlers are no part of the question
