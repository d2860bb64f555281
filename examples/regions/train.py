"""Trains the small SPPNet that names regions of scenes, on a CPU, from scenes it draws itself.

    python examples/regions/train.py

Two stages, those of the paper (He et al. 2015). First the whole network learns to name crops, at two sizes in turn
(section 2.3). Then the dense layers alone are tuned on regions pooled from the feature maps of whole scenes, with the
background as a class of its own (section 4.2). About half an hour on two cores. Writes ``regions.ckpt`` here
(``--output``).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

# On AVX-512 hosts MindSpore's convolutions crawl without this; it must be set before the import.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")

import cv2
import numpy as np
from regions import BACKGROUND, HERE, crop, load_config, sample_regions, training_scene

from edgedet import ops as kernels
from edgedet.heads import SppHead
from edgedet.spec import Input
from edgedet.strict import read

SIZES = (128, 96)
_DRAWN = 128
CONTEXT = 0.3


def scene_crops(index: int) -> tuple[np.ndarray, np.ndarray]:
    """Crops of one scene, (N, side, side, 3) uint8 RGB, and their targets (N,): as many backgrounds as a class has."""
    rng = np.random.default_rng((index, 1))
    image, boxes, class_ids = training_scene(index)
    regions, targets = sample_regions(rng, (image, boxes, class_ids), near=3, far=2)
    # Some of what is around a region: in a feature map of a whole scene it is seen too.
    regions = regions + rng.uniform(0, CONTEXT, (len(regions), 4)) * np.tile(regions[:, 2:] - regions[:, :2], 2) * (
        -1,
        -1,
        1,
        1,
    )
    height, width = image.shape[:2]
    regions = np.clip(regions, 0, (width, height, width, height))
    crops = [cv2.cvtColor(crop(image, region, _DRAWN), cv2.COLOR_BGR2RGB) for region in regions]
    return np.array(crops, np.uint8).reshape(-1, _DRAWN, _DRAWN, 3), targets


class Crops:
    """A pool of crops, served in batches; flips, turns and swapped colour channels make each one many."""

    def __init__(self, scenes: int, spec: Input, workers: int) -> None:
        with ProcessPoolExecutor(workers) as pool:
            drawn = list(pool.map(scene_crops, range(scenes), chunksize=50))
        self.images = np.concatenate([images for images, _ in drawn])
        self.targets = np.concatenate([targets for _, targets in drawn])
        self.spec = spec

    def batches(self, steps: int, batch: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """``steps`` batches: (B, 3, side, side) float32, the sides of ``SIZES`` in turn, and (B,) int32 targets."""
        rng = np.random.default_rng(seed)
        for step in range(steps):
            chosen, side = rng.integers(0, len(self.images), batch), SIZES[step % len(SIZES)]
            images = np.stack([self._vary(rng, self.images[index], side) for index in chosen])
            yield to_tensor(images, self.spec), self.targets[chosen]

    def _vary(self, rng: np.random.Generator, image: np.ndarray, side: int) -> np.ndarray:
        image = np.rot90(image, int(rng.integers(4)))[:: rng.choice([1, -1])][..., rng.permutation(3)]
        return image if side == _DRAWN else cv2.resize(np.ascontiguousarray(image), (side, side))


def to_tensor(images: np.ndarray, spec: Input) -> np.ndarray:
    """(B, H, W, 3) uint8 RGB -> (B, 3, H, W) float32, normalised."""
    mean, std = np.float32(spec.mean), np.float32(spec.std)
    return np.ascontiguousarray(((images - mean) / std).transpose(0, 3, 1, 2))


def make_step(cell: Any, rates: np.ndarray) -> Any:
    """The compiled training step of a cell that gives logits: (input, targets) -> loss, share that is right."""
    from mindspore import nn, ops

    entropy = nn.CrossEntropyLoss(label_smoothing=0.05)
    free = [p for p in cell.trainable_params() if not p.name.startswith("rewrite.")]
    decayed, plain = ([p for p in free if (p.ndim > 1) == is_weight] for is_weight in (True, False))
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}]
    optimizer = nn.AdamWeightDecay(groups, learning_rate=rates.tolist())

    class Step(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.optimizer = cell, optimizer
            self.gradient = ops.value_and_grad(self.loss, None, optimizer.parameters, has_aux=True)

        def loss(self, x, targets):
            logits = self.cell(x)
            right = ops.cast(ops.argmax(logits, 1) == targets, logits.dtype)
            return entropy(logits, targets), right.mean()

        def construct(self, x, targets):
            (loss, right), gradients = self.gradient(x, targets)
            return ops.depend((loss, right), self.optimizer(gradients))

    step = Step()
    step.set_train()
    return step


def make_logits(head: Any) -> Any:
    """The head's logits alone."""
    from mindspore import nn

    class Logits(nn.Cell):
        def __init__(self) -> None:
            super().__init__(auto_prefix=False)
            self.head = head

        def construct(self, pooled):
            return self.head(pooled)[2]

    return Logits()


def initialise(network: Any) -> None:
    """He et al.'s normal start, and zero biases."""
    from mindspore.common.initializer import HeNormal, initializer

    for parameter in network.get_parameters():
        kind = HeNormal(mode="fan_in") if parameter.ndim > 1 else "zeros"
        parameter.set_data(initializer(kind, parameter.shape, parameter.dtype))


def save(names: dict[str, Any], path: Path) -> None:
    """Writes the network's parameters under their published names, which have no prefix."""
    import mindspore

    mindspore.save_checkpoint([{"name": name, "data": value} for name, value in names.items()], str(path))


def cosine(steps: int, peak: float) -> np.ndarray:
    """(steps,) learning rates: a linear rise, then half a cosine down to a hundredth."""
    step, warm_up = np.arange(steps), min(100, steps // 10 + 1)
    fall = 0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * (step - warm_up) / max(steps - warm_up, 1)))
    return (peak * np.where(step < warm_up, (step + 1) / warm_up, fall)).astype(np.float32)


def run(step: Any, batches: Iterator[tuple[np.ndarray, np.ndarray]], steps: int, name: str) -> Iterator[int]:
    """Takes the steps and prints how it goes; yields every 200th number, and the last, for saving."""
    import mindspore

    began, losses, shares = time.monotonic(), [], []
    for number, arrays in enumerate(batches, start=1):
        loss, right = step(*(mindspore.Tensor(array) for array in arrays))
        losses.append(float(loss.asnumpy()))
        shares.append(float(right.asnumpy()))
        if number % 50 == 0 or number == 1:
            pace = (time.monotonic() - began) / number
            means = f"loss {np.mean(losses[-50:]):.3f}  right {np.mean(shares[-50:]):.3f}"
            print(f"{name} {number:5d}/{steps}  {means}  {pace:.2f} s/step", flush=True)
        if number % 200 == 0 or number == steps:
            yield number


def pooled_rows(trunk: Any, head: SppHead, spec: Input, scenes: range) -> tuple[np.ndarray, np.ndarray]:
    """Rows pooled from the maps of whole scenes, (R, pooled) float16, and their targets (R,)."""
    import mindspore

    rows, wanted = [], []
    for index in scenes:
        rng = np.random.default_rng((index, 2))
        image, boxes, class_ids = training_scene(index)
        regions, targets = sample_regions(rng, (image, boxes, class_ids), near=6, far=24)
        keep = np.flatnonzero((targets != BACKGROUND) | (rng.random(len(targets)) < 0.7))
        zoom = head.shorter_side / min(image.shape[:2])
        size_wh = tuple(round(side * zoom) for side in image.shape[1::-1])
        tensor = to_tensor(cv2.cvtColor(cv2.resize(image, size_wh), cv2.COLOR_BGR2RGB)[None], spec)
        features = trunk(mindspore.Tensor(tensor)).asnumpy()[0]
        grid = head.grid(size_wh)
        cells = kernels.project_regions(regions[keep] * np.float32(zoom), **grid._asdict())
        rows.append(kernels.spp_pool(features, cells, head.levels).astype(np.float16))
        wanted.append(targets[keep])
        if index % 200 == 0:
            print(f"pooled {index}/{len(scenes)} scenes", flush=True)
    return np.concatenate(rows), np.concatenate(wanted)


def row_batches(rows: np.ndarray, targets: np.ndarray, steps: int, batch: int, seed: int) -> Iterator[Any]:
    """``steps`` batches, a quarter of each background (section 4.2 has 25 % positives; here things are plenty)."""
    rng = np.random.default_rng(seed)
    back, front = np.flatnonzero(targets == BACKGROUND), np.flatnonzero(targets != BACKGROUND)
    for _ in range(steps):
        chosen = np.concatenate([rng.choice(back, batch // 2), rng.choice(front, batch // 2)])
        yield rows[chosen].astype(np.float32), targets[chosen]


def main() -> None:
    """Draws, trains, tunes, saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=HERE / "regions.ckpt")
    parser.add_argument("--steps", type=int, default=2400, help="of the first stage; 0 with --resume tunes alone")
    parser.add_argument("--tuning-steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--scenes", type=int, default=2500, help="drawn for the first stage; 1 MB of memory each")
    parser.add_argument("--tuning-scenes", type=int, default=1200)
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", type=Path, help="checkpoint to start from")
    train(parser.parse_args())


def train(options: argparse.Namespace) -> None:
    """The whole run."""
    import mindspore

    from edgedet_converters import checkpoint
    from edgedet_converters.family import find
    from edgedet_converters.formats import FORMATS

    mindspore.set_context(mode=mindspore.GRAPH_MODE)
    mindspore.set_seed(options.seed)
    family = find("sppnet")
    config = family.config(**load_config())
    description = family.describe(config)
    spec, head = read(Input, description["input"], "input"), read(SppHead, description["head"], "head")
    network = family.build(config)
    # Taken now: loss and optimizer will put theirs before the names.
    names = dict(network.parameters_dict())
    initialise(network)
    if options.resume:
        checkpoint.load(options.resume, family, network)
    if options.steps:
        crops = Crops(options.scenes, spec, os.cpu_count() or 1)
        print(f"{len(crops.images)} crops of {options.scenes} scenes", flush=True)
        # MindSpore's own LRN takes most of a step's time on a CPU; what ONNX gets in its place is as exact.
        with FORMATS["onnx"].rewritten(network):
            step = make_step(network, cosine(options.steps, options.rate))
            for _ in run(step, crops.batches(options.steps, options.batch, options.seed), options.steps, "crops"):
                save(names, options.output)
    if options.tuning_steps:
        network.set_train(False)
        rows, targets = pooled_rows(network.trunk, head, spec, range(options.tuning_scenes))
        print(f"{len(rows)} regions, {np.mean(targets == BACKGROUND):.2f} of them background", flush=True)
        step = make_step(make_logits(network.head), cosine(options.tuning_steps, options.rate / 2))
        batches = row_batches(rows, targets, options.tuning_steps, 256, options.seed)
        for _ in run(step, batches, options.tuning_steps, "regions"):
            save(names, options.output)


if __name__ == "__main__":
    main()
