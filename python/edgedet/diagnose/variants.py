"""A bundle's variants: which can run here, which one ``auto`` picks, and why."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Optional, Union

from edgedet import runtime as runtimes
from edgedet.bundle import Bundle
from edgedet.diagnose.facts import Fact, guarded, sentence
from edgedet.errors import BundleError
from edgedet.spec import Variant


def facts(path: Union[str, Path], found: list[Fact]) -> list[Fact]:
    """A fact for each variant, named by target and precision, and one for the choice.

    Args:
        path: the bundle's folder, or ``demo``.
        found: the facts of the runtimes.
    """
    try:
        bundle = Bundle.open(path)
    except BundleError as error:
        return [sentence("bundle", "wrong", " ".join(str(error).split()))]
    here = {fact.name: fact for fact in found}
    told = []
    for variant in bundle.spec.variants:
        alone = replace(bundle, spec=replace(bundle.spec, variants=(variant,)))
        told += guarded(_name(variant), partial(_variant, alone, here))
    return [*told, *guarded("auto", lambda: _choice(bundle, told))]


def _name(variant: Variant) -> str:
    return f"{variant.target} {variant.precision}" + (f" {variant.soc}" if variant.soc else "")


def _variant(alone: Bundle, here: dict[str, Fact]) -> Fact:
    """The verdict on the only variant of this bundle."""
    (variant,) = alone.spec.variants
    data = {"target": variant.target, "precision": variant.precision, "runtime": variant.runtime}
    able, unable = alone.choices()
    if not able:
        return sentence(_name(variant), "missing", "; ".join(unable), **data)
    runtime = here.get(variant.runtime)
    if runtime is not None and runtime.state != "ok":
        return Fact(_name(variant), "wrong", f"its runtime {variant.runtime} is broken, see above", runtime.cure, data)
    for file in variant.files.values():
        try:
            alone.check(file)
        except BundleError as error:
            return sentence(_name(variant), "wrong", str(error), **data)
    text = f"runs on {able[0].device} with {variant.runtime}"
    made = runtime and _newer(variant, runtime)
    if made and runtime:
        cure = f"install {runtime.data['maker']} {made} or newer, or convert with {runtime.data['version']}"
        text += f", perhaps: made by version {made}, newer than {runtime.data['version']} here"
        return Fact(_name(variant), "ok", text, cure, data)
    return Fact(_name(variant), "ok", text, None, data)


def _newer(variant: Variant, runtime: Fact) -> Optional[str]:
    """The version of what made the variant, if the runtime is older; the library itself only warns of it."""
    made, here = variant.producer.get(str(runtime.data.get("maker"))), runtime.data.get("version")
    return made if made and here and _numbers(made) > _numbers(here) else None


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


def _choice(bundle: Bundle, told: list[Fact]) -> Fact:
    able, _ = bundle.choices()
    if not able:
        return Fact("auto", "missing", "none of the variants can run here; each says above what it lacks")
    best = able[0]
    fact = next(fact for fact in told if fact.name == _name(best.variant))
    data = {"target": best.variant.target, "precision": best.variant.precision, "device": best.device}
    order = sorted((kind.rank, target) for n in runtimes.names() for target, kind in runtimes.find(n).targets.items())
    why = f"the first that can run here of {', '.join(target for _, target in order)}"
    why = "the only one that can run here" if len(able) == 1 else why
    text = f"picks {_name(best.variant)} on {best.device}: {why}"
    if fact.state == "ok":
        return Fact("auto", "ok", text, None, data)
    return Fact("auto", "wrong", f"{text}; it will fail, see above", fact.cure, data)
