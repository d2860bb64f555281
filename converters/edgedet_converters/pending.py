"""Variants that wait for a tool: a folder in the bundle for each, with all that the tool needs, and how they are ended.

``model.json`` lists what is finished. A bundle of which nothing is finished has none, and so is no bundle yet; its
description waits in ``pending/model.json``, with variants that have no files.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from edgedet import spec as specs
from edgedet.bundle import Bundle, sha256
from edgedet.errors import BundleError, ConversionError, VerificationError
from edgedet.evaluate.verify import verify
from edgedet.spec import HashedFile, Spec, Variant
from edgedet_converters import order as orders
from edgedet_converters import targets
from edgedet_converters.order import Order

FOLDER = "pending"


@dataclass(frozen=True)
class Waiting:
    """A variant that isn't finished: its folder, and what is missing here."""

    order: Order
    folder: Path
    why: str


def waiting(bundle: Path) -> list[Waiting]:
    """What is still to be done in a bundle's folder.

    Raises:
        ConversionError: a folder there is not one that was set aside.
    """
    found = []
    for folder in _folders(bundle):
        order = orders.load(folder)
        why = targets.find(order.target).missing(order, folder)
        found.append(Waiting(order, folder, why or "nothing: do edgedet convert --resume"))
    return found


def _folders(bundle: Path) -> list[Path]:
    place = bundle / FOLDER
    return sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def set_aside(order: Order, folder: Path, bundle: Path) -> None:
    """Moves an order's folder, prepared, into the bundle."""
    kept = [file for network in order.networks.values() for file in network.files.values()]
    hashes = tuple(HashedFile(file, sha256(folder / file)) for file in kept if (folder / file).is_file())
    target = bundle / FOLDER / order.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(folder, target)
    dataclasses.replace(order, files=hashes).save(target)


def planned(order: Order) -> Variant:
    """The place of a variant that isn't finished."""
    return Variant(order.target, order.precision, "", {}, {}, order.soc, order.aipp)


def finish(order: Order, folder: Path, bundle: Path, spec: Spec, progress: Callable[[str], None]) -> Variant:
    """Converts, and verifies where the result's runtime is present; tries the target's attempts in turn.

    Args:
        order: what is to be made.
        folder: its folder.
        bundle: the bundle's folder, with its golden inputs; it gets the variant's files.
        spec: the bundle's description; its variants don't matter.
        progress: called with a sentence at the start of every step.

    Raises:
        ConversionError: the conversion failed; none of its files is left in the bundle.
        VerificationError: no attempt gives the checkpoint's answers within the limits of its precision.
    """
    target = targets.find(order.target)
    before = set(bundle.rglob("*"))
    verdicts = []
    try:
        for attempt in target.attempts(order):
            progress(f"converting for {order.name}" + (f", {attempt}" if attempt else ""))
            variant = target.convert(dataclasses.replace(order, attempt=attempt), folder, bundle)
            alone = Bundle(bundle, dataclasses.replace(spec, variants=(variant,)))
            able, unable = alone.choices()
            if not able:
                progress(f"{order.name} is not verified: {'; '.join(unable)}; do edgedet verify on the device")
                return variant
            progress(f"verifying {order.name}")
            verdict = verify(alone)
            if verdict.passed:
                return variant
            verdicts.append(verdict)
    except BaseException:
        _remove(set(bundle.rglob("*")) - before)
        raise
    _remove(set(bundle.rglob("*")) - before)
    last = verdicts[-1]
    raise VerificationError(
        f"{spec.name}: expected the checkpoint's own answers from {order.name}, got others: {'; '.join(last.reasons)}; "
        f"nothing was written\n{last.table()}"
    )


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_file():
            path.unlink()


def write_spec(spec: Spec, bundle: Path) -> None:
    """Writes ``model.json`` with the finished variants; if there is none, the description goes to ``pending``."""
    ready = tuple(variant for variant in spec.variants if variant.files)
    place = bundle / "model.json" if ready else bundle / FOLDER / "model.json"
    text = dataclasses.replace(spec, variants=ready or spec.variants).to_json()
    draft = place.with_suffix(".json.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(place)


def resume(bundle: Path, *, progress: Callable[[str], None]) -> list[Waiting]:
    """Finishes what waits in a bundle's folder, as far as this machine has the tools.

    Returns:
        What still waits.

    Raises:
        ConversionError: nothing waits there, what waits is damaged, or a conversion failed.
        VerificationError: a converted model gives other answers than its checkpoint.
    """
    if not _folders(bundle):
        raise ConversionError(f"{bundle}: expected a conversion that isn't finished, got none; see edgedet info")
    spec = _read_spec(bundle)
    left = []
    for item in waiting(bundle):
        why = targets.find(item.order.target).missing(item.order, item.folder)
        if why is not None:
            left.append(item)
            continue
        _check_files(item)
        variant = finish(item.order, item.folder, bundle, spec, progress)
        spec = dataclasses.replace(spec, variants=_placed(variant, spec.variants))
        write_spec(spec, bundle)
        shutil.rmtree(item.folder)
    if not left:
        shutil.rmtree(bundle / FOLDER)
    return left


def _read_spec(bundle: Path) -> Spec:
    for place in (bundle / "model.json", bundle / FOLDER / "model.json"):
        if place.is_file():
            return specs.parse(place.read_text(encoding="utf-8"))
    raise BundleError(
        f"{bundle}: expected model.json or {FOLDER}/model.json, got neither; convert the checkpoint again"
    )


def _placed(variant: Variant, others: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """The variants with this one among them, in place of the one of its kind or, by its precision, in its order."""

    def kind(other: Variant) -> tuple[object, ...]:
        return other.target, tuple(sorted(file.file for file in other.files.values())), other.soc

    kept = [other for other in others if other.files and kind(other) != kind(variant)]
    return tuple(sorted([*kept, variant], key=lambda item: orders.PRECISIONS.index(item.precision)))


def _check_files(item: Waiting) -> None:
    for file in item.order.files:
        path = item.folder / file.file
        if not path.is_file() or sha256(path) != file.sha256:
            raise ConversionError(f"{path}: expected the exported graph, got none or another; copy the folder again")
