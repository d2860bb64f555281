"""What a target is: exported graphs in, a variant's files out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgedet.spec import ModelFile, Variant
from edgedet_converters.order import Options, Order


def _allow(options: Options) -> None:
    """For targets that refuse nothing."""


def _nothing(order: Order, folder: Path) -> None:
    """For targets that need nothing but the export."""


def _here(order: Order, folder: Path) -> str | None:
    """For targets whose tools come with edgedet."""
    return None


def _once(order: Order) -> tuple[str, ...]:
    return ("",)


@dataclass(frozen=True)
class Target:
    """A kind of model file that devices run; every module of this package holds one as ``TARGET``.

    Every order has a folder of its own, with the exported graphs, the pictures' tensors under ``calibration``, and what
    `prepare` adds. Everything the target runs is run there, so that the folder may be carried to another machine.

    Attributes:
        name: the module's name, and the variant's ``target``.
        format: what the export must write for it: ``onnx`` or ``mindir``.
        precisions: what it can be asked for, of `edgedet_converters.order.PRECISIONS`.
        convert: (order, its folder, bundle folder) -> the variant, its files written into the bundle folder. Raises
            `ConversionError`.
        check: refuses, with a `ConversionError`, what it can't do, before the slow part begins.
        prepare: (order, its folder) writes all that conversion needs besides the tool: config files and the script.
        missing: (order, its folder) -> why this machine can't convert and what would mend it, or None: also where the
            script has been run already.
        attempts: the values of `Order.attempt` to try in turn until one is verified.
        chips: whether it compiles for one chip, so that ``--soc`` must name some.
    """

    name: str
    format: str
    precisions: tuple[str, ...]
    convert: Callable[[Order, Path, Path], Variant]
    check: Callable[[Options], None] = _allow
    prepare: Callable[[Order, Path], None] = _nothing
    missing: Callable[[Order, Path], str | None] = _here
    attempts: Callable[[Order], tuple[str, ...]] = _once
    chips: bool = False


def variant_of(order: Order, runtime: str, precision: str, files: dict[str, ModelFile], **made_by: str) -> Variant:
    """The variant that came of an order."""
    producer = {"mindspore": order.mindspore, **made_by}
    return Variant(order.target, precision, runtime, files, producer, order.soc, order.aipp)


def by_place(roles: tuple[str, ...]) -> dict[str, str]:
    """Role -> tensor, for runtimes that make up their names for the tensors when they load the file."""
    return {role: f"#{place}" for place, role in enumerate(roles)}
