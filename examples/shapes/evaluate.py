"""Mean average precision at IoU 0.5 of the shapes model, on scenes it has never seen.

    python examples/shapes/evaluate.py                        # shapes.ckpt, run by MindSpore
    python examples/shapes/evaluate.py --bundle build/shapes  # a bundle, run by whatever runtime is present

Both at the thresholds of the bundle: score 0.1, IoU 0.6.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

# On AVX-512 hosts MindSpore's convolutions crawl without this; it must be set before the import.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")

from scenes import HERE, anchors, held_out_scene, load_config, stretch, to_tensor
from train import load

from edgedet.camera.scene import LABELS, Image
from edgedet.evaluate.voc import Found, mean_average_precision

Detect = Callable[[Image], Found]


def open_checkpoint(path: Path) -> Detect:
    """A detector of MindSpore's forward pass and the device half's post-processing."""
    import mindspore

    from edgedet import ops
    from edgedet_converters.family import find

    mindspore.set_context(mode=mindspore.GRAPH_MODE)
    family = find("ssd_mobilenet_v2")
    config = family.config(**load_config())
    network = family.build(config)
    load(network, path)
    network.set_train(False)
    description = family.describe(config)
    head, table = description["head"], anchors(description)
    shared = ("score_threshold", "iou_threshold", "variances", "activation", "background")
    options = {name: head[name] for name in (*shared, "max_per_class", "max_detections", "plus_one")}

    def detect(image: Image) -> Found:
        tensor = to_tensor(stretch(image, config.input_wh)[None], description["input"])
        deltas, logits = (output.asnumpy()[0] for output in network(mindspore.Tensor(tensor)))
        return ops.detect(deltas, logits, table, image_wh=image.shape[1::-1], **options)

    return detect


def open_bundle(path: str) -> Detect:
    """A detector of the bundle, as a user opens it."""
    import edgedet

    model = edgedet.load(path)

    def detect(image: Image) -> Found:
        found = model(image)
        return found.boxes, found.scores, found.class_ids

    return detect


def main() -> None:
    """Prints the table of the classes and their mean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=HERE / "shapes.ckpt")
    parser.add_argument("--bundle", help="a bundle's folder, or demo; instead of the checkpoint")
    parser.add_argument("--scenes", type=int, default=500)
    parser.add_argument("--at-least", type=float, default=0.0, help="fail when the mean is below this")
    options = parser.parse_args()
    detect = open_bundle(options.bundle) if options.bundle else open_checkpoint(options.checkpoint)
    found, truth, shown = [], [], time.monotonic()
    for index in range(options.scenes):
        image, boxes, class_ids = held_out_scene(index)
        found.append(detect(image))
        truth.append((boxes, class_ids))
        if time.monotonic() - shown > 2:
            shown = time.monotonic()
            print(f"{index + 1}/{options.scenes} scenes", file=sys.stderr)
    mean, per_class = mean_average_precision(found, truth, classes=len(LABELS))
    for class_id, (label, precision) in enumerate(zip(LABELS, per_class)):
        print(f"{label:10s} {sum((ids == class_id).sum() for _, ids in truth):5d} things   AP {precision:.3f}")
    print(f"{'mean':10s} {sum(len(ids) for _, ids in truth):5d} things  mAP {mean:.4f}   ({options.scenes} scenes)")
    if not mean >= options.at_least:
        sys.exit(f"mAP: expected at least {options.at_least}, got {mean:.4f}")


if __name__ == "__main__":
    main()
