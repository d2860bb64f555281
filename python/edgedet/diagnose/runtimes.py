"""Each runtime: version and path, or why not and the command that mends it."""

from __future__ import annotations

from functools import partial

from edgedet import runtime as known
from edgedet.diagnose.facts import Fact, guarded, imported, sentence


def facts() -> list[Fact]:
    """One fact for each runtime that edgedet knows."""
    return [fact for name in known.names() for fact in guarded(name, partial(describe, name))]


def describe(name: str) -> Fact:
    """What there is of one runtime; loads it in a process of its own."""
    runtime = known.find(name)
    why = runtime.missing()
    if why:
        return sentence(name, "missing", why.removeprefix(f"{name}: "))
    here = runtime.present()
    version, path = here.version, here.path
    if here.package:
        version, path, broken = imported(here.package)
        if broken:
            return Fact(name, "wrong", f"{here.package} is there but does not import: {broken}", here.cure)
    runs = {target: kind.device for target, kind in runtime.targets.items() if not kind.missing(None)}
    text = f"{version or 'version unknown'}, {path or 'path unknown'}; runs " + (
        ", ".join(f"{target} on {device}" for target, device in runs.items()) or "nothing here"
    )
    data = {"version": version, "path": path, "runs": runs, "maker": here.maker}
    return Fact(name, "ok" if runs else "wrong", text, None, data)
