"""Replay ``golden/`` on this machine: does the bundle still give its checkpoint's answers?"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgedet.bundle import Bundle
from edgedet.errors import BundleError
from edgedet.evaluate.agreement import Agreement, Limits, RawAgreement, compare_raw
from edgedet.evaluate.golden import TASKS, task_of
from edgedet.model import Model
from edgedet.spec import Golden, Variant
from edgedet.tasks import load

# fp32: another order of summation, nothing more (docs/families.md: up to 9e-5 of a tensor's range between MindSpore
# and ONNX Runtime). fp16: 11 bits of mantissa through a hundred layers. int8: what leaves a detector worth using. A
# class out of place pushes another: fp16 lets one pair of neighbours change places.
LIMITS = {
    "fp32": Limits(max_rel=1e-3, cosine=0.99999, max_fraction=1e-3, max_score=2e-3, unmatched=0.005, misplaced=0),
    "fp16": Limits(max_rel=3e-2, cosine=0.999, max_fraction=1e-2, max_score=2e-2, unmatched=0.03, misplaced=2),
    "int8": Limits(max_rel=0.25, cosine=0.98, max_fraction=5e-2, max_score=0.15, unmatched=0.15, misplaced=4),
}


@dataclass(frozen=True)
class Replay:
    """One golden input, replayed by a task: how well the raw tensors agree, and the final result."""

    task: str
    image: str
    raw: tuple[RawAgreement, ...]
    result: Agreement

    def parts(self) -> tuple[Agreement, ...]:
        """All that was compared."""
        return (*self.raw, self.result)


@dataclass(frozen=True)
class Verdict:
    """What `verify` found.

    Attributes:
        bundle: the bundle's name.
        variant: the target of the variant that ran.
        runtime: the runtime that ran it.
        precision: of the variant; decides the limits.
        replays: one for each golden input and each task of the bundle.
        reasons: a sentence for each limit that was passed; none: the bundle is good.
    """

    bundle: str
    variant: str
    runtime: str
    precision: str
    replays: tuple[Replay, ...]
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every limit holds."""
        return not self.reasons

    def to_dict(self) -> dict[str, Any]:
        """Plain Python, ready for ``json.dumps``."""
        return {**dataclasses.asdict(self), "passed": self.passed}

    def table(self) -> str:
        """The measurements as text, one line for each tensor and each result."""
        lines = [f"{self.bundle}: {self.variant} {self.precision} on {self.runtime}"]
        for replay in self.replays:
            lines.append(f"  {replay.image} ({replay.task})")
            lines += [f"    {part.row()}" for part in replay.parts()]
        lines += [f"  FAILED: {reason}" for reason in self.reasons] or ["  passed"]
        return "\n".join(lines)


def verify(bundle: Bundle, *, device: str = "auto", runtime: str = "auto", threads: int | None = None) -> Verdict:
    """Replays every golden input of a bundle and compares with what its checkpoint gave.

    Every file's hash is checked first. Of several variants the one that `edgedet.load` would choose is replayed; for
    another give ``bundle.only(target=…, precision=…)``.

    Raises:
        BundleError: the bundle is damaged, or holds no golden data.
        RuntimeUnavailable: nothing here can run it.
    """
    for file in bundle.files():
        bundle.check(file)
    if not bundle.spec.golden:
        raise BundleError(f"{bundle.spec.name}: expected golden data, got none; convert the checkpoint again")
    task_of(bundle.spec)
    replays: list[Replay] = []
    for task in bundle.spec.tasks:
        if task in TASKS:
            with load(bundle, task=task, device=device, runtime=runtime, threads=threads) as model:
                variant = _checked(model.choice.variant)
                replays += (_replay(bundle, task, model, golden) for golden in bundle.spec.golden)
    limits = LIMITS[variant.precision]
    reasons = tuple(
        f"{replay.image} ({replay.task}): {fault}"
        for replay in replays
        for part in replay.parts()
        for fault in part.faults(limits)
    )
    return Verdict(bundle.spec.name, variant.target, variant.runtime, variant.precision, tuple(replays), reasons)


def _checked(variant: Variant) -> Variant:
    if variant.precision not in LIMITS:
        raise BundleError(
            f"model.json: variants.precision: expected one of {', '.join(LIMITS)}, got {variant.precision!r}; "
            "update edgedet"
        )
    return variant


def _replay(bundle: Bundle, task: str, model: Model, golden: Golden) -> Replay:
    picture = cv2.imread(str(bundle.check(golden.image)), cv2.IMREAD_COLOR)
    if picture is None:
        raise BundleError(f"{golden.image.file}: expected a picture, got none; copy the bundle again")
    image: npt.NDArray[np.uint8] = np.asarray(picture, np.uint8)
    expected, found = bundle.expected(golden), model.raw(image)
    missing = sorted(set(found) - set(expected))
    if missing:
        raise BundleError(f"{golden.expected.file}: expected {missing}, got none; convert the checkpoint again")
    raw = tuple(compare_raw(role, values, expected[role]) for role, values in found.items())
    return Replay(task, golden.image.file, raw, TASKS[task].compare(bundle.spec, found, expected, image))
