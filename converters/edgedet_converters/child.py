"""Runs somebody else's program: with an end, without leftovers, and with its last words."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgedet.errors import ConversionError

_LAST = 12
MAX_LOG_BYTES = 64 << 20


def run(
    command: Sequence[str], folder: Path, log: Path, *, timeout_s: float, environment: Mapping[str, str] | None = None
) -> str:
    """Runs a program in ``folder``, everything that it prints going to the file ``log``.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        log: the file to write.
        timeout_s: after so long it is killed, with all of its children.
        environment: variables to set beside this process's own.

    Returns:
        What it printed, the log's end if it is very long.

    Raises:
        ConversionError: it can't be started, takes too long, or its exit code is not 0; tells its last lines.
    """
    name = Path(command[0]).name
    with log.open("wb") as stream:
        try:
            child = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # a group of its own, to be ended as a whole
            )
        except OSError as error:
            why = f"{error.strerror} ({command[0]})"
            raise ConversionError(f"{name}: expected a program that runs, got {why}; install it again") from error
        try:
            code = child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ConversionError(
                f"{name}: expected to end within {timeout_s:g} s, got no end; last lines: {last_lines(read_log(log))}"
            ) from None
        finally:
            _end(child)
    said = read_log(log)
    if code != 0:
        raise ConversionError(f"{name}: expected exit code 0, got {code}; last lines: {last_lines(said)}")
    return said


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the program and whatever it has started and left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def read_log(log: Path) -> str:
    """A log's text; of a very long one the end."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - MAX_LOG_BYTES))
        return stream.read().decode("utf-8", "replace")


def last_lines(said: str) -> str:
    """The last lines, for a message."""
    lines = [line.strip()[:300] for line in said.splitlines() if line.strip()]
    return " | ".join(lines[-_LAST:]) or "none"
