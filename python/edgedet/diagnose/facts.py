"""What a fact is, and how to find one out without being taken down by it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional, Union

from edgedet.runtime._child import ask

#: ``ok``; ``none``: not there, and nothing asked for it; ``missing``: not there, and here is how to get it; ``wrong``:
#: there, but of no use as it is.
STATES = ("ok", "none", "missing", "wrong")
MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Fact:
    """One line of the report.

    Attributes:
        name: what it is about.
        state: one of `STATES`.
        text: for people.
        cure: the one command that mends it.
        data: for programs.
    """

    name: str
    state: str
    text: str
    cure: Optional[str] = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """All facts by section, and whether something can run here: any runtime or, with a bundle, a variant of it."""

    sections: dict[str, list[Fact]]
    able: bool

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"able": self.able, **{name: [asdict(fact) for fact in facts] for name, facts in self.sections.items()}}


def guarded(name: str, find: Callable[[], Union[Fact, list[Fact], None]]) -> list[Fact]:
    """What ``find`` finds; if it fails, that is the fact."""
    try:
        found = find()
    except Exception as error:  # a file that is not as it should be, a library that is broken: never the end
        why = " ".join(str(error).split()) or type(error).__name__
        return [Fact(name, "wrong", why)]
    return found if isinstance(found, list) else [found] if found else []


def sentence(name: str, state: str, why: str, **data: Any) -> Fact:
    """A fact of an error's sentence (*what: expected …, got …; do …*)."""
    text, found, cure = why.rpartition("; ")
    return Fact(name, state, text, cure.removeprefix("do "), data) if found else Fact(name, state, why, None, data)


def read(path: Path) -> Optional[str]:
    """The beginning of a file's text without what is not printable, or None."""
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    return "".join(c for c in text if c.isprintable() or c in "\n\t").strip()


_IMPORT = """
import importlib, json, sys
name, path = json.loads(sys.argv[1])
sys.path[:] = path
package = importlib.import_module(name)
print("\\n" + json.dumps([str(getattr(package, "__version__", "") or ""), getattr(package, "__file__", None)]))
"""


def imported(package: str, seconds: float = 60.0) -> tuple[Optional[str], Optional[str], Optional[str]]:
    """A package's version and path, or why it does not import; in a process of its own, which it may take down."""
    code, said = ask([sys.executable, "-I", "-c", _IMPORT, json.dumps([package, sys.path])], seconds)
    last = said.rpartition("\n")[2]
    if code == 0:
        version, path = json.loads(last)
        return version or None, str(Path(path).parent) if path else None, None
    ended = last if code is None or code > 0 else f"the end of its process by signal {-code}"
    return None, None, ended or f"exit code {code}"
