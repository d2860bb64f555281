"""What is asked of a target: plain data, so that an order can wait in a file and be carried to another machine."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from edgedet.errors import BundleError, ConversionError
from edgedet.spec import HashedFile, Input
from edgedet.strict import read as read_strict
from edgedet_converters.exported import Description, Exported

# Best first: what a bundle offers unless told otherwise.
PRECISIONS = ("fp32", "fp16", "int8")
FILE = "order.json"


@dataclass(frozen=True)
class Options:
    """What a conversion may be told beyond its targets.

    Attributes:
        precisions: one variant of every target for each.
        calibration: pictures like those that the model will see; int8 takes the ranges of its numbers from them.
        socs: the Ascend chips to convert for.
        aipp: let the chip subtract the mean, divide by the deviation and swap the channels.
        batches: how many images at a time a converted model is to take, for Ascend.
        sizes: (width, height) of the images it is to take, for Ascend and networks of any size.
    """

    precisions: tuple[str, ...] = ("fp32",)
    calibration: tuple[Path, ...] = ()
    socs: tuple[str, ...] = ()
    aipp: bool = False
    batches: tuple[int, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if not self.precisions or not set(self.precisions) <= set(PRECISIONS):
            raise ConversionError(f"precision: expected of {', '.join(PRECISIONS)}, got {self.precisions}; correct it")


@dataclass(frozen=True)
class Order:
    """One variant to be made.

    Attributes:
        target: the name of who makes it.
        precision: one of `PRECISIONS`.
        networks: name -> its graph; the files are in the order's folder.
        input: ``model.json``'s ``input``.
        mindspore: the version that exported the graphs.
        pictures: how many pictures' tensors there are under ``calibration``.
        soc: the Ascend chip.
        aipp: see `Options`.
        batches: see `Options`.
        sizes: see `Options`.
        attempt: which of `Target.attempts`.
        files: what the order's folder held when it was set aside, with hashes.
    """

    target: str
    precision: str
    networks: dict[str, Exported]
    input: Input
    mindspore: str
    pictures: int = 0
    soc: Optional[str] = None
    aipp: bool = False
    batches: tuple[int, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()
    attempt: str = ""
    files: tuple[HashedFile, ...] = ()

    @property
    def name(self) -> str:
        """Of its folder; no other order of the same conversion has it."""
        return "-".join([self.target, *([self.soc] if self.soc else []), self.precision])

    def file(self, network: str, suffix: str) -> str:
        """What the network's file is called in the bundle: ``model.onnx``, ``model.int8.ms``."""
        parts = [network, *([self.soc] if self.soc else []), *([self.precision] if self.precision != "fp32" else [])]
        return ".".join([*parts, suffix])

    def save(self, folder: Path) -> None:
        """Writes it into its folder."""
        text = json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"
        (folder / FILE).write_text(text, encoding="utf-8")


def load(folder: Path) -> Order:
    """The order in a folder.

    Raises:
        ConversionError: there is none, or not one that `Order.save` wrote.
    """
    try:
        return read_strict(Order, json.loads((folder / FILE).read_text(encoding="utf-8")), FILE)
    except (OSError, ValueError) as error:  # BundleError is a ValueError
        why = str(error) if isinstance(error, (BundleError, OSError)) else f"no JSON: {error}"
        raise ConversionError(f"{folder / FILE}: expected an order, got {why}; convert the checkpoint again") from error


def orders(target: str, chips: bool, described: Description, options: Options) -> list[Order]:
    """The orders of one target: one for each precision, the most exact first, and for each chip if it has any."""
    return [
        Order(
            target=target,
            precision=precision,
            networks=dict(described.networks),
            input=read_strict(Input, described.input, "input"),
            mindspore=described.mindspore,
            pictures=len(options.calibration) if precision == "int8" else 0,
            soc=soc,
            aipp=options.aipp and chips,
            batches=options.batches if chips else (),
            sizes=options.sizes if chips else (),
        )
        for soc in (options.socs if chips else (None,))
        for precision in PRECISIONS
        if precision in options.precisions
    ]
