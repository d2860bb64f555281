"""Orders for the tests of the targets, and the goldens of what the converters are told.

``python tests/converters/configs.py`` writes the goldens anew, into ``tests/data/converter_configs``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgedet.spec import Input
from edgedet_converters import ascend, converter_lite
from edgedet_converters.exported import Exported
from edgedet_converters.order import Order
from edgedet_converters.targets import ascend as ascend_target
from edgedet_converters.targets import mslite as mslite_target
from edgedet_converters.targets import om as om_target

GOLDEN = Path(__file__).parents[1] / "data" / "converter_configs"
CHIPS = ("Ascend310", "Ascend310P3", "Ascend310B4")
DETECTOR = {
    "model": Exported(
        {"mindir": "model.mindir", "onnx": "model.onnx"},
        {"image": (1, 3, 320, 320)},
        ("deltas", "logits"),
        tensors={"image": "image"},
    )
}
SPP = {
    "trunk": Exported(
        {"mindir": "trunk.mindir", "onnx": "trunk.onnx"},
        {"image": (1, 3, None, None)},
        ("features",),
        sample={"image": (1, 3, 224, 224)},
        tensors={"image": "image"},
    ),
    "head": Exported(
        {"mindir": "head.mindir", "onnx": "head.onnx"},
        {"pooled": (None, 12800)},
        ("fc1", "fc2", "logits"),
        sample={"pooled": (64, 12800)},
        tensors={"pooled": "pooled"},
    ),
}
IMAGE = Input((320, 320), "rgb", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), "stretch")


def order(target: str, precision: str = "fp32", networks: Any = None, **options: Any) -> Order:
    """An order for a detector, unless other networks are given."""
    return Order(target, precision, dict(networks or DETECTOR), IMAGE, "2.10.0", **options)


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of every golden."""
    for precision, pictures in (("fp32", 0), ("fp16", 0), ("int8", 0), ("int8", 50)):
        asked = order("mslite", precision, SPP, pictures=pictures)
        stem = f"mslite-{precision}" + ("-calibrated" if pictures else "")
        yield f"{stem}.sh", converter_lite.script(mslite_target.calls(asked))
        for name in SPP:
            text = mslite_target.quant_config(asked, name)
            if text is not None:
                yield f"{stem}.{name}.cfg", text
    for chip in CHIPS:
        for precision in ("fp32", "fp16"):
            asked = order("ascend", precision, soc=chip)
            yield f"ascend-{chip}-{precision}.cfg", ascend_target.config(asked, "model")
            yield f"om-{chip}-{precision}.sh", om_target.script(order("om", precision, soc=chip))
    yield from _shapes()


def _shapes() -> Iterator[tuple[str, str]]:
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "plain": (DETECTOR, {}),
        "batches": (DETECTOR, {"batches": (4, 1, 2)}),
        "aipp": (DETECTOR, {"aipp": True}),
        "spp": (SPP, {}),
        "spp-batches": (SPP, {"batches": (1, 64)}),
        "spp-sizes": (SPP, {"sizes": ((640, 480), (224, 224))}),
    }
    for kind, (networks, options) in kinds.items():
        asked = order("ascend", networks=networks, soc="Ascend310", **options)
        yield f"ascend-{kind}.sh", converter_lite.script(ascend_target.calls(asked))
        yield f"om-{kind}.sh", om_target.script(order("om", networks=networks, soc="Ascend310", **options))
        for name in networks:
            yield f"ascend-{kind}.{name}.cfg", ascend_target.config(asked, name)
            if ascend.takes_pixels(asked, name):
                yield f"ascend-{kind}.{name}.aipp.cfg", ascend.aipp(asked, name)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.iterdir():
        old.unlink()
    for name, text in texts():
        (GOLDEN / name).write_text(text, encoding="utf-8")
