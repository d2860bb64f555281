"""Draws annotated pictures, as people make them with an annotation tool: PNGs and COCO's JSON.

    python examples/regions/draw.py --out scenes

They are scenes that the network was not trained with, and that ``evaluate.py`` does not use either.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
from regions import drawn_scene

from edgedet.camera.scene import LABELS


def main() -> None:
    """Writes ``000000.png`` and so on, and ``boxes.json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="a folder, made if need be")
    parser.add_argument("--scenes", type=int, default=400)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    categories = [{"id": number, "name": label} for number, label in enumerate(LABELS, start=1)]
    images, annotations = [], []
    for index in range(options.scenes):
        image, boxes, class_ids = drawn_scene(index)
        name, (height, width) = f"{index:06d}.png", image.shape[:2]
        cv2.imwrite(str(options.out / name), image)
        images.append({"id": index, "file_name": name, "width": width, "height": height})
        for (x1, y1, x2, y2), class_id in zip(boxes.tolist(), class_ids.tolist()):
            box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1), "iscrowd": 0}
            row = {"id": len(annotations) + 1, "image_id": index, "category_id": class_id + 1}
            annotations.append({**row, **box})
    coco = {"images": images, "categories": categories, "annotations": annotations}
    (options.out / "boxes.json").write_text(json.dumps(coco), encoding="utf-8")
    print(f"{len(images)} pictures with {len(annotations)} things in {options.out}")


if __name__ == "__main__":
    main()
