"""A command's answer, in bounded time whatever the command does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Optional


def ask(command: Sequence[str], seconds: float) -> tuple[Optional[int], str]:
    """The exit code (None: not to be run, or no end in time) and the output of a command; errors, if it failed.

    No pipes, which its own children could keep open, and no waiting for one that a hung driver keeps from dying.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            child = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )
        except OSError as error:
            return None, error.strerror or str(error)
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                os.killpg(child.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(1)
            return None, f"no answer within {seconds:g} s"
        out.seek(0)
        err.seek(0)
        said, complained = (stream.read().decode("utf-8", "replace").strip() for stream in (out, err))
    return code, said if code == 0 else complained or said
