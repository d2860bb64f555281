"""Checkpoints that behave like trained ones: any family, any size, seconds instead of days.

He-scaled weights, batch normalisation calibrated on the packaged photographs, and, for a detector, class logits of
which a few hundred per photograph pass the score threshold.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgedet.image import to_tensor
from edgedet.spec import HEADS, AnchorHead, Input
from edgedet.strict import read
from edgedet_converters import family as families
from edgedet_converters.convert import convert
from edgedet_converters.family import Family

PARAMS = Path(__file__).parents[1] / "data" / "params"
CONFIGS = Path(__file__).parents[1] / "data" / "configs"

# How many logits of a photograph are to pass the threshold, how many times as many may in a busier one, and at most
# what fraction.
_SURVIVORS = 1000
_BUSIER = 8
_FRACTION = 0.05
_LOGIT_STD = 2.0


def small_config(name: str) -> Any:
    """The config of a family's small twin, from ``tests/data/configs``."""
    path = CONFIGS / f"{name}.json"
    assert path.is_file(), f"{name}: expected its small config in tests/data/configs/{name}.json; add it"
    return read(families.find(name).config, json.loads(path.read_text(encoding="utf-8")), "config")


def sane_checkpoint(
    family: Family | str, config: Any, path: Path, *, seed: int = 0, training_extras: bool = False
) -> Path:
    """Writes a checkpoint under the published names, the family's prefix before them, and gives its path back.

    Args:
        family: or its name.
        config: an instance of the family's config.
        path: the file to write; ends in ``.ckpt``.
        seed: of the weights.
        training_extras: add what a training checkpoint also holds: the optimiser's state and the learning rates.
    """
    import mindspore

    if isinstance(family, str):
        family = families.find(family)
    rng = np.random.default_rng(seed)
    with graph_mode():
        cell = family.build(config)
        _draw_weights(cell, rng)
        described = family.describe(config)
        if described["head"]["type"] == "anchors":
            image = mindspore.Tensor(photographs(read(Input, described["input"], "input")))
            _calibrate(cell, image)
            _aim(cell, image, read(HEADS["anchors"], described["head"], "head"), config.num_classes)
    entries = [
        {"name": family.prefix + p.name, "data": p.data} for p in sorted(cell.get_parameters(), key=lambda p: p.name)
    ]
    if training_extras:
        entries += _extras(family, cell, rng)
    mindspore.save_checkpoint(entries, str(path))
    return path


def small_bundle(name: str, folder: Path) -> Path:
    """The bundle of a family's small twin, converted and verified; its checkpoint is one from training."""
    config = small_config(name)
    checkpoint = sane_checkpoint(name, config, folder / f"{name}.ckpt", training_extras=True)
    labels = folder / "labels.txt"
    labels.write_text("\n".join(f"class {i}" for i in range(config.num_classes)), encoding="utf-8")
    return convert(name, checkpoint, folder / name, config=CONFIGS / f"{name}.json", labels=labels)


@contextmanager
def graph_mode() -> Iterator[None]:
    """MindSpore's graph mode on the CPU: 2.10's other mode trips over NumPy 2, and is not what gets exported."""
    import mindspore

    before = mindspore.get_context("mode")
    mindspore.set_context(mode=mindspore.GRAPH_MODE, device_target="CPU")
    try:
        yield
    finally:
        mindspore.set_context(mode=before)


def photographs(inputs: Input) -> np.ndarray:
    """(3, 3, H, W) float32: the photographs that `convert` records when it is given none."""
    folder = resources.files("edgedet_converters").joinpath("data/golden")
    files = sorted(str(item) for item in folder.iterdir() if item.name.endswith(".jpg"))
    return np.concatenate([to_tensor(cv2.imread(file), inputs)[0] for file in files])


def _draw_weights(cell: Any, rng: np.random.Generator) -> None:
    from mindspore import nn

    for name, part in cell.cells_and_names():
        if isinstance(part, (nn.Conv2d, nn.Dense)):
            shape = part.weight.shape
            _set(part.weight, rng.normal(0, math.sqrt(2 / math.prod(shape[1:])), shape))
            if part.has_bias:
                _set(part.bias, rng.normal(0, 0.05, shape[:1]))
        elif isinstance(part, nn.BatchNorm2d):
            # ResNet's blocks end in bn3. Trained ones change little of what passes by them; where all of it is
            # changed, rounding errors grow from block to block.
            usual = 0.2 if name.endswith("bn3") else 1.0
            _set(part.gamma, rng.normal(usual, 0.1 * usual, part.gamma.shape))
            _set(part.beta, rng.normal(0, 0.1, part.beta.shape))


def _set(parameter: Any, values: np.ndarray) -> None:
    import mindspore

    parameter.set_data(mindspore.Tensor(np.ascontiguousarray(values, np.float32)))


def _calibrate(cell: Any, image: Any) -> None:
    """Makes the moving statistics those of these images."""
    from mindspore import nn

    norms = [part for _, part in cell.cells_and_names() if isinstance(part, nn.BatchNorm2d)]
    cell.set_train(True)
    cell(image)
    cell.set_train(False)
    for norm in norms:
        # One training step moved both by this share, from 0 and 1.
        mean = norm.moving_mean.asnumpy() / norm.momentum
        variance = 1 + (norm.moving_variance.asnumpy() - 1) / norm.momentum
        variance = np.maximum(variance, 0)
        _set(norm.moving_mean, mean)
        # A map of one cell has hardly any variance of its own: it takes half of its neighbours'.
        _set(norm.moving_variance, np.maximum((variance + variance.mean()) / 2, 1e-3))


def _aim(cell: Any, image: Any, head: AnchorHead, classes: int) -> None:
    """Scales and shifts every channel of the last class layers until its share of the logits passes the threshold.

    With a bias, the shift is the bias; without, every weight shifts, and the logits by so many times the sum of the
    layer's inputs, which are positive.
    """
    layers = _class_layers(cell, head.columns(classes))
    rows = _rows(head, len(layers))
    logits = cell(image)[1].asnumpy()
    before = [layer.weight.asnumpy() for layer in layers]
    sums = np.ones((*logits.shape[:2], 1), np.float32)
    if not layers[0].has_bias:
        for layer, weight in zip(layers, before):
            _set(layer.weight, np.ones_like(weight))
        sums = cell(image)[1].asnumpy()[..., :1]
    for layer, weight, level in zip(layers, before, rows):
        anchors = weight.shape[0] // logits.shape[2]
        table = logits[:, level].reshape(len(image), -1, weight.shape[0])
        shift = sums[:, level].reshape(len(image), -1, anchors)[..., :1]
        spread = (table - table.mean((0, 1)) / shift.mean() * shift).std((0, 1))
        # A level of one cell hardly spreads over three photographs; blown up, it would be noise.
        scale = _LOGIT_STD / np.maximum(spread, np.sqrt(np.square(table).mean()) / 2)
        wanted = min(_SURVIVORS / len(layers) / weight.shape[0], _FRACTION * table.shape[1])
        change = _shifts(table * scale, shift, head.score_threshold, wanted)
        if layer.has_bias:
            _set(layer.bias, layer.bias.asnumpy() * scale - change)
            change = np.zeros_like(change)
        _set(layer.weight, weight * scale[:, None, None, None] - change[:, None, None, None])


def _shifts(table: np.ndarray, shift: np.ndarray, score: float, wanted: float) -> np.ndarray:
    """How far each column must go down (in units of ``shift``) for the wanted number to pass in one of the images.

    Args:
        table: (images, cells, columns) logits.
        shift: (images, cells, 1), positive.
        score: the threshold.
        wanted: may be a fraction: then only so many columns pass anything.
    """
    images, cells, columns = table.shape
    passes_until = np.sort((table - math.log(score / (1 - score))) / shift, axis=1)[:, ::-1]
    every = np.sort(passes_until.reshape(-1, columns), axis=0)[::-1]
    column, counts = np.arange(columns), np.diff(np.floor(wanted * np.arange(columns + 1)).astype(int))
    typical = passes_until[:, np.maximum(counts - 1, 0), column]
    above = np.stack([(every >= line).sum(0) for line in typical])
    above = above[_shares(above, counts > 0), column]
    above = np.minimum(above, np.minimum(_BUSIER * counts, images * cells - 1))
    # Halfway between two logits: none may be so near the threshold that rounding decides.
    upper = np.where(above > 0, every[np.maximum(above - 1, 0), column], every[0] + _LOGIT_STD / shift.mean())
    return (upper + every[above, column]) / 2


def _shares(cost: np.ndarray, live: np.ndarray) -> np.ndarray:
    """(columns,): which image decides for which column, so that a busy photograph doesn't get all of the boxes.

    Every image gets an equal share of the ``live`` columns, and of those left the ones with the least ``cost`` (images,
    columns); the image that pays most chooses first.
    """
    shares, left = np.zeros(cost.shape[1], int), np.flatnonzero(live)
    each = -(-len(left) // len(cost))
    for image in np.argsort(-cost[:, live].sum(1)):
        left = left[np.argsort(cost[image, left], kind="stable")]
        shares[left[:each]], left = image, left[each:]
    return shares


def _class_layers(cell: Any, columns: int) -> list[Any]:
    """The convolutions that end in logits: last of their parent, in the class branch, not normalised afterwards."""
    from mindspore import nn

    found = []
    for name, parent in cell.cells_and_names():
        layers = [child for child in parent.cells() if isinstance(child, (nn.Conv2d, nn.BatchNorm2d))]
        last = layers[-1] if layers else None
        if "cls" in name and isinstance(last, nn.Conv2d) and last.out_channels % columns == 0:
            found.append(last)
    assert found, "expected class layers whose names contain cls; teach this function the new family's"
    return found


def _rows(head: AnchorHead, layers: int) -> list[slice]:
    """The anchors of each class layer: those of its level, or of all levels when they share one layer."""
    if layers == 1:
        return [slice(0, head.count)]
    assert layers == len(head.levels)
    ends = np.cumsum([level.count for level in head.levels])
    return [slice(int(end) - level.count, int(end)) for level, end in zip(head.levels, ends)]


def _extras(family: Family, cell: Any, rng: np.random.Generator) -> list[dict[str, Any]]:
    import mindspore

    extras = []
    for parameter in cell.get_parameters():
        if parameter.requires_grad:
            moments = rng.normal(0, 1e-3, parameter.shape).astype(np.float32)
            extras.append({"name": f"moments.{family.prefix}{parameter.name}", "data": mindspore.Tensor(moments)})
    published = json.loads((PARAMS / f"{family.name}.json").read_text(encoding="utf-8"))["training_extra"]
    for name, shape in published.items():
        if not name.startswith("moments."):
            kind = np.int32 if name == "global_step" else np.float32
            extras.append({"name": name, "data": mindspore.Tensor(np.full(shape, 1, kind))})
    return extras
