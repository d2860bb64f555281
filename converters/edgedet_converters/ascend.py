"""What both roads to an Ascend chip share: shapes, the chip's own preprocessing, and what a network can't be given."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from edgedet.errors import ConversionError
from edgedet_converters.order import Options, Order

#: 310, 310P and 310B by the names that CANN has for them.
CHIPS = ("Ascend310", "Ascend310P1", "Ascend310P3", "Ascend310B1", "Ascend310B4")
_MAX_BUCKETS = 100
_MAX_BATCH = 2048


def check(options: Options) -> None:
    """Refuses what no network can be compiled for.

    Raises:
        ConversionError: no chip or an unknown one, batches and sizes at once, or numbers that the chips don't take.
    """
    if not options.socs or not set(options.socs) <= set(CHIPS):
        got = ", ".join(options.socs) or "none"
        raise ConversionError(f"soc: expected of {', '.join(CHIPS)}, got {got}; give --soc with the device's chip")
    if options.batches and options.sizes:
        raise ConversionError("batch: expected batches or sizes, got both; Ascend takes one of them in a model")
    if not all(1 <= batch <= _MAX_BATCH for batch in options.batches):
        raise ConversionError(f"batch: expected numbers of 1 to {_MAX_BATCH}, got {options.batches}; correct --batch")
    if max(len(options.batches), len(options.sizes)) > _MAX_BUCKETS:
        raise ConversionError(f"batch: expected up to {_MAX_BUCKETS} batches or sizes, got more; leave some out")


def shapes(order: Order, name: str) -> dict[str, tuple[tuple[int, ...], ...]]:
    """The shapes that each input of a network is compiled for: a compiled model takes no others.

    Raises:
        ConversionError: sizes are asked for, and the network takes one only.
    """
    network = order.networks[name]
    found: dict[str, tuple[tuple[int, ...], ...]] = {}
    for role, shape in network.inputs.items():
        whole = network.whole(role)
        if role == "image" and order.sizes:
            if None not in shape[2:]:
                raise ConversionError(f"sizes: expected a network of any size, got one of {shape}; leave --sizes out")
            batch, channels = whole[:2]
            found[role] = tuple((batch, channels, height, width) for width, height in sorted(set(order.sizes)))
        else:
            # A free number of rows: the fewest, and as many as were exported.
            usual = {1, whole[0]} if shape[0] is None else {whole[0]}
            batches = sorted(set(order.batches) or usual)
            found[role] = tuple((batch, *whole[1:]) for batch in batches)
    return found


def open_axes(buckets: tuple[tuple[int, ...], ...]) -> list[int]:
    """The axes in which several shapes differ; for images of several sizes always both of theirs."""
    differ = [axis for axis, sizes in enumerate(zip(*buckets)) if len(set(sizes)) > 1]
    return [2, 3] if len(buckets[0]) == 4 and differ != [0] else differ


def takes_pixels(order: Order, name: str) -> bool:
    """Whether the network's image is normalised on the chip.

    Raises:
        ConversionError: that is asked for, and the network is but one of several: their task normalises itself.
    """
    if order.aipp and len(order.networks) > 1:
        raise ConversionError(
            f"aipp: expected one network from image to answer, got {', '.join(order.networks)}; leave --aipp out"
        )
    return order.aipp


def aipp(order: Order, name: str) -> str:
    """The chip's preprocessing of BGR pixels as OpenCV gives them: the bundle's channel order, mean and deviation."""
    spec = order.input
    buckets = shapes(order, name)["image"]
    keys: list[tuple[str, object]] = [
        ("aipp_mode", "static"),
        ("related_input_rank", 0),
        ("input_format", "RGB888_U8"),
        ("csc_switch", "false"),
        ("rbuv_swap_switch", "true" if spec.color == "rgb" else "false"),
    ]
    if open_axes(buckets) != [2, 3] or len(buckets) == 1:
        keys += [("src_image_size_w", buckets[0][3]), ("src_image_size_h", buckets[0][2])]
    # mean_chn takes whole numbers only; min_chn, subtracted likewise, takes any. Both act after the swap.
    for channel, (mean, std) in enumerate(zip(spec.mean, spec.std)):
        keys += [(f"mean_chn_{channel}", 0), (f"min_chn_{channel}", f"{mean:.8g}")]
        keys.append((f"var_reci_chn_{channel}", f"{1 / std:.8g}"))
    return "aipp_op {\n" + "".join(f"  {key}: {value}\n" for key, value in keys) + "}\n"


def write_aipp(order: Order, folder: Path) -> None:
    """Writes the preprocessing of every network whose image is normalised on the chip."""
    for name in order.networks:
        if takes_pixels(order, name):
            (folder / f"{name}.aipp.cfg").write_text(aipp(order, name), encoding="utf-8")


def keep_configs(order: Order, name: str, folder: Path, out: Path) -> None:
    """Copies the config files into the bundle: they say what the compiled model is."""
    for file in (f"{name}.cfg", f"{name}.aipp.cfg"):
        if (folder / file).is_file():
            target = out / "config" / order.name / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / file, target)


def cann_missing() -> str | None:
    """Why nothing can be compiled here for want of CANN, or None."""
    homes = ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME", "ASCEND_OPP_PATH")
    if any(os.environ.get(home) for home in homes):
        return None
    return "CANN: expected Ascend's toolkit, got none of its variables; do source its set_env.sh"
