"""What a machine has and lacks for running bundles: facts, each found on its own, so that none can hide another.

`examine` gathers them; the command ``edgedet doctor`` prints them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Union

from edgedet.diagnose import ascend, clock, machine, runtimes, software, variants
from edgedet.diagnose.facts import Fact, Report, guarded

__all__ = ["Fact", "Report", "examine"]


def examine(bundle: Optional[Union[str, Path]] = None, root: Path = Path("/")) -> Report:
    """Looks at this machine and, if one is given, at what of a bundle can run on it.

    Args:
        bundle: a bundle's folder, or ``demo``.
        root: where the machine's files are; the tests have boards of their own.
    """
    sections: dict[str, list[Fact]] = {
        "software": software.facts(),
        "machine": [*machine.facts(root), *clock.facts(root)],
        "runtimes": runtimes.facts(),
    }
    release = next((fact.data.get("version") for fact in sections["runtimes"] if fact.name == "mslite_wheel"), None)
    sections["ascend"] = ascend.facts(root, release)
    able = any(fact.state == "ok" for fact in sections["runtimes"])
    if bundle is not None:
        sections["bundle"] = guarded("bundle", lambda: variants.facts(bundle, sections["runtimes"]))
        able = able and any(fact.state == "ok" for fact in sections["bundle"] if fact.name != "auto")
    return Report(sections, able)
