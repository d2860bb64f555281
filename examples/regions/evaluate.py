"""Mean average precision at IoU 0.5 of a region detector, on scenes that nothing of it has ever seen.

    python examples/regions/evaluate.py models/shapes-svm --draw found.png

The bundle is one that ``edgedet train-regions`` wrote; see README.md. The table is at its own thresholds.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from regions import held_out_scene

import edgedet
from edgedet.camera.scene import LABELS
from edgedet.evaluate.voc import mean_average_precision

_SHOWN = 0.5  # what the picture shows scores more


def main() -> None:
    """Prints the table of the classes and their mean."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", help="the bundle's folder")
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--at-least", type=float, default=0.0, help="fail when the mean is below this")
    parser.add_argument("--draw", type=Path, help="a picture of the first twelve scenes and what was found in them")
    options = parser.parse_args()
    found, truth, drawn, shown = [], [], [], time.monotonic()
    with edgedet.load(options.bundle, task="detect") as model:
        # The bundle has the classes in the order of its annotations.
        number = np.array([LABELS.index(label) for label in model.labels])
        for index in range(options.scenes):
            image, boxes, class_ids = held_out_scene(index)
            things = model(image)
            found.append((things.boxes, things.scores, number[things.class_ids]))
            truth.append((boxes, class_ids))
            if len(drawn) < 12:
                drawn.append(things[things.scores > _SHOWN].draw(image))
            if time.monotonic() - shown > 2:
                shown = time.monotonic()
                print(f"{index + 1}/{options.scenes} scenes", file=sys.stderr)
    if options.draw:
        cv2.imwrite(
            str(options.draw), cv2.vconcat([cv2.hconcat(drawn[i : i + 3]) for i in range(0, len(drawn) - 2, 3)])
        )
    mean, per_class = mean_average_precision(found, truth, classes=len(LABELS))
    for class_id, (label, precision) in enumerate(zip(LABELS, per_class)):
        print(f"{label:10s} {sum((ids == class_id).sum() for _, ids in truth):5d} things   AP {precision:.3f}")
    print(f"{'mean':10s} {sum(len(ids) for _, ids in truth):5d} things  mAP {mean:.4f}   ({options.scenes} scenes)")
    if not mean >= options.at_least:
        sys.exit(f"mAP: expected at least {options.at_least}, got {mean:.4f}")


if __name__ == "__main__":
    main()
