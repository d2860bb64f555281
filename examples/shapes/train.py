"""Trains the small SSD-MobileNetV2 that finds shapes, on a CPU, from scenes it draws itself.

    python examples/shapes/train.py

About half an hour on two cores. Writes ``shapes.ckpt`` here (``--output``), and on the way what it has so far.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

# On AVX-512 hosts MindSpore's convolutions crawl without this; it must be set before the import.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")

import numpy as np
from scenes import HERE, anchors, load_config, to_tensor, training_scene

VARIANCES = np.array([0.1, 0.1, 0.2, 0.2], np.float32)
IGNORED = -1


def match(table: np.ndarray, boxes: np.ndarray, class_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each anchor should answer for one scene.

    An anchor belongs to the thing it overlaps most when that IoU is 0.5 or more, and to the thing whose best anchor
    it is. Between 0.4 and 0.5 it is ignored.

    Args:
        table: (N, 4) anchors ``cy cx h w``, normalised.
        boxes: (M, 4) truth ``x1 y1 x2 y2``, normalised.
        class_ids: (M,).

    Returns:
        (N, 4) float32 deltas ``ty tx th tw`` and (N,) int32 targets: 0 background, 1 + class id, or ``IGNORED``.
    """
    deltas, targets = np.zeros(table.shape, np.float32), np.zeros(len(table), np.int32)
    if not len(boxes):
        return deltas, targets
    center, size = table[:, 1::-1], table[:, :1:-1]
    low = np.maximum((center - size / 2)[:, None], boxes[:, :2])
    high = np.minimum((center + size / 2)[:, None], boxes[:, 2:])
    overlap = np.clip(high - low, 0, None).prod(axis=2)
    extent = boxes[:, 2:] - boxes[:, :2]
    iou = overlap / (size.prod(axis=1)[:, None] + extent.prod(axis=1) - overlap)
    owner, best = iou.argmax(axis=1), iou.max(axis=1)
    for thing, anchor in enumerate(iou.argmax(axis=0)):
        owner[anchor], best[anchor] = thing, 1.0
    targets[best >= 0.4] = IGNORED
    mine = best >= 0.5
    targets[mine] = 1 + class_ids[owner[mine]]
    truth = np.concatenate([(boxes[:, :2] + boxes[:, 2:])[:, ::-1] / 2, extent[:, ::-1]], axis=1)[owner[mine]]
    deltas[mine, :2] = (truth[:, :2] - table[mine, :2]) / table[mine, 2:]
    deltas[mine, 2:] = np.log(truth[:, 2:] / table[mine, 2:])
    return deltas / VARIANCES, targets


class Scenes:
    """A pool of drawn scenes, served in batches; flips and swapped colour channels make each one many."""

    def __init__(self, count: int, description: dict, batch: int, workers: int) -> None:
        self.batch, self.spec, self.table = batch, description["input"], anchors(description)
        draw = partial(training_scene, input_wh=tuple(self.spec["size_wh"]))
        with ProcessPoolExecutor(workers) as pool:
            drawn = list(pool.map(draw, range(count), chunksize=100))
        self.images = np.stack([image for image, _, _ in drawn])
        self.truth = [(boxes, class_ids) for _, boxes, class_ids in drawn]

    def batches(self, steps: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """``steps`` batches of images, deltas and targets, made one ahead in a thread."""
        rng = np.random.default_rng(seed)
        epochs = -(-steps * self.batch // len(self.images))
        order = np.concatenate([rng.permutation(len(self.images)) for _ in range(epochs)])
        with ThreadPoolExecutor(1) as ahead:
            following = ahead.submit(self._make, rng, order[: self.batch])
            for step in range(1, steps + 1):
                ready = following.result()
                following = ahead.submit(self._make, rng, order[step * self.batch :][: self.batch])
                yield ready

    def _make(self, rng: np.random.Generator, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        images, deltas, targets = [], [], []
        for index in chosen:
            image, (boxes, class_ids) = self.images[index], self.truth[index]
            for axis in (0, 1):
                if rng.random() < 0.5:
                    image, boxes = np.flip(image, 1 - axis), boxes.copy()
                    boxes[:, [axis, axis + 2]] = 1 - boxes[:, [axis + 2, axis]]
            images.append(image[..., rng.permutation(3)])
            for found, made in zip((deltas, targets), match(self.table, boxes, class_ids)):
                found.append(made)
        return to_tensor(np.array(images), self.spec) if images else None, np.array(deltas), np.array(targets)


def make_step(network, columns: int, rates: np.ndarray):
    """The compiled training step: (images, deltas, targets) -> loss of the boxes, loss of the classes."""
    from mindspore import Tensor, nn, ops

    class Loss(nn.Cell):
        """Smooth L1 on the deltas and cross entropy on the logits of the positives; focal loss on the background.

        Focal loss (Lin et al. 2017) keeps the many easy background anchors from drowning the rest. On the positives it
        would also forgive a half-hearted "star" on an arrow, and telling shapes apart is what has to be learnt here.
        """

        def __init__(self) -> None:
            super().__init__(auto_prefix=False)
            self.network = network

        def construct(self, image, wanted_deltas, targets):
            deltas, logits = self.network(image)
            positive = ops.cast(targets > 0, logits.dtype)
            count = ops.maximum(positive.sum(), Tensor(1.0))
            off = ops.abs(deltas - wanted_deltas)
            smooth = ops.select(off < 1, 0.5 * off * off, off - 0.5).sum(-1)
            wanted = ops.one_hot(ops.maximum(targets, 0), columns, Tensor(1.0), Tensor(0.0))
            right = ops.sigmoid(ops.select(wanted > 0, logits, -logits))
            focal = (0.75 - 0.5 * wanted) * ops.square(1 - right)
            mine = ops.expand_dims(positive, -1)
            weight = mine + (1 - mine) * focal
            entropy = -(weight * ops.log(right + 1e-7)).sum(-1) * ops.cast(targets >= 0, logits.dtype)
            return (smooth * positive).sum() / count, entropy.sum() / count

    class Step(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.loss = Loss()
            decayed = [p for p in network.trainable_params() if p.ndim > 1]
            plain = [p for p in network.trainable_params() if p.ndim == 1]
            groups = [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}]
            self.optimizer = nn.AdamWeightDecay(groups, learning_rate=rates.tolist())
            self.gradient = ops.value_and_grad(self.total, None, self.optimizer.parameters, has_aux=True)

        def total(self, image, deltas, targets):
            boxes, classes = self.loss(image, deltas, targets)
            return boxes + classes, boxes, classes

        def construct(self, image, deltas, targets):
            (_, boxes, classes), gradients = self.gradient(image, deltas, targets)
            return ops.depend((boxes, classes), self.optimizer(gradients))

    step = Step()
    step.set_train()
    return step


def set_prior(network, columns: int, prior: float = 0.01) -> None:
    """Starts every class at that probability and the background at its complement, so that early losses are sane."""
    from mindspore import Tensor

    for head in network.multi_box.multi_cls_layers:
        bias = head[3].bias
        table = np.full((bias.size // columns, columns), np.log(prior / (1 - prior)), np.float32)
        table[:, 0] *= -1
        bias.set_data(Tensor(table.reshape(-1)))


def save(network, path: Path) -> None:
    """Writes the network's parameters under their published names, that is with the prefix ``network.``."""
    import mindspore

    # Not by their own names: loss and optimizer have put theirs before them.
    named = network.parameters_and_names()
    mindspore.save_checkpoint([{"name": f"network.{name}", "data": value} for name, value in named], str(path))


def load(network, path: Path) -> None:
    """Reads what ``save`` wrote; anything missing or left over is an error."""
    import mindspore

    saved = mindspore.load_checkpoint(str(path))
    parameters = dict(network.parameters_and_names())
    if saved.keys() != {f"network.{name}" for name in parameters}:
        raise SystemExit(f"{path}: expected the parameters of config.json's network, got others")
    for name, parameter in parameters.items():
        parameter.set_data(saved[f"network.{name}"])


def cosine(steps: int, peak: float, warm_up: int) -> np.ndarray:
    """(steps,) learning rates: a linear rise, then half a cosine down to a hundredth."""
    step = np.arange(steps)
    fall = 0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * (step - warm_up) / max(steps - warm_up, 1)))
    return (peak * np.where(step < warm_up, (step + 1) / warm_up, fall)).astype(np.float32)


def main() -> None:
    """Draws, trains, saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=HERE / "shapes.ckpt")
    parser.add_argument("--steps", type=int, default=4800)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--scenes", type=int, default=12000, help="size of the pool; 110 kB of memory each")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", type=Path, help="checkpoint to start from")
    options = parser.parse_args()
    train(options)


def train(options: argparse.Namespace) -> None:
    """The whole run."""
    began = time.monotonic()
    config = load_config()
    import mindspore

    from edgedet_converters.family import find

    mindspore.set_context(mode=mindspore.GRAPH_MODE)
    mindspore.set_seed(options.seed)
    family = find("ssd_mobilenet_v2")
    config = family.config(**config)
    scenes = Scenes(options.scenes, dict(family.describe(config)), options.batch, os.cpu_count() or 1)
    print(f"{options.scenes} scenes drawn in {time.monotonic() - began:.0f} s", flush=True)
    network, columns = family.build(config), 1 + config.num_classes
    set_prior(network, columns)
    if options.resume:
        load(network, options.resume)
    step = make_step(network, columns, cosine(options.steps, options.rate, min(200, options.steps // 10 + 1)))
    began = time.monotonic()
    for number, arrays in enumerate(scenes.batches(options.steps, options.seed), start=1):
        boxes, classes = step(*(mindspore.Tensor(array) for array in arrays))
        if number % 50 == 0 or number == 1:
            pace = (time.monotonic() - began) / number
            losses = f"boxes {float(boxes.asnumpy()):.3f}  classes {float(classes.asnumpy()):.3f}"
            print(f"step {number:5d}/{options.steps}  {losses}  {pace:.2f} s/step", flush=True)
        if number % 200 == 0 or number == options.steps:
            save(network, options.output)


if __name__ == "__main__":
    main()
