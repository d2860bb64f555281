"""The command ``edgedet``: one file of this folder per subcommand.

A module here that has a ``HELP`` is a command; it also has ``EXAMPLE``, ``add_arguments(parser)`` and
``run(args) -> exit code``. Nothing names the commands: adding one is adding its file.

Exit codes: 0 fine; 1 the work was done, but the answer is no or a part of it failed; 2 wrong use or an error.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from typing import Optional, Protocol, cast

from edgedet import __version__
from edgedet.errors import EdgedetError, VerificationError

# As every Unix program that a signal ends: 128 and the signal's number.
INTERRUPTED, BROKEN_PIPE = 130, 141
_DEBUG_HELP = "show where an error came from"


class Command(Protocol):
    """What a command's module holds."""

    HELP: str
    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Does the work; gives the exit code."""


def commands() -> dict[str, Command]:
    """All commands by name."""
    modules = {info.name: importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)}
    return {
        name.replace("_", "-"): cast(Command, module)
        for name, module in sorted(modules.items())
        if hasattr(module, "HELP")
    }


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="edgedet",
        description="Run MindSpore-trained vision models on small boards.",
        epilog="edgedet COMMAND --help explains a command; start with: edgedet demo",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"edgedet {__version__}")
    parser.add_argument("--debug", action="store_true", help=_DEBUG_HELP)
    parser.set_defaults(run=None)
    subparsers = parser.add_subparsers(metavar="COMMAND", title="commands", dest="command")
    for name, command in commands().items():
        sub = subparsers.add_parser(
            name,
            help=command.HELP,
            description=command.HELP[0].upper() + command.HELP[1:] + ".",
            epilog=f"example:\n{_indented(command.EXAMPLE)}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(sub)
        # SUPPRESS: given before the command's name it counts as well.
        sub.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=_DEBUG_HELP)
        sub.set_defaults(run=command.run)
    return parser


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command line ``argv`` (None: the process's own) and gives the exit code.

    Like every argparse program it raises SystemExit for ``--help``, ``--version`` and a line it does not understand.
    """
    parser = make_parser()
    args = parser.parse_args(argv)
    if args.run is None:
        parser.print_help()
        return 0
    try:
        code = int(args.run(args))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough; Python's own flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    except Exception as error:
        return _report(error, args)
    return code


def _report(error: Exception, args: argparse.Namespace) -> int:
    """Says what went wrong, in one line if it is no fault of ours, and gives the exit code."""
    expected = isinstance(error, (EdgedetError, ValueError, OSError))
    # A bug shows its traceback too, but never the exit code 1, which is an answer.
    if args.debug or not expected:
        traceback.print_exc()
    if expected:
        print(f"edgedet {args.command}: {sentence(error)}", file=sys.stderr)
    return 1 if isinstance(error, VerificationError) else 2


def sentence(error: Exception) -> str:
    """An error's message for people; in one line, but for a verdict's table."""
    if isinstance(error, VerificationError):
        return str(error)
    if isinstance(error, OSError) and not isinstance(error, EdgedetError) and error.filename is not None:
        return f"{error.filename}: expected a usable path, got {error.strerror}; correct the path or its permissions"
    return " ".join(str(error).split())
