"""One model finds, another names: a detector's boxes as the regions of a classifier that knows more kinds of things.

    python examples/cascade.py models/ssd_mobilenet_v2 models/sppnet street.jpg --out named.jpg

The classifier's trunk goes over the picture once, however many things the detector finds.
"""

from __future__ import annotations

import argparse

import cv2

import edgedet


def main() -> None:
    """Prints what the detector takes each thing for and what the classifier does, and draws the latter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("detector", help="a bundle that finds, such as ssd_mobilenet_v2; demo: the packaged toy")
    parser.add_argument("classifier", help="a bundle that names regions, such as sppnet")
    parser.add_argument("picture")
    parser.add_argument("--out", default="named.jpg", help="where to draw (%(default)s)")
    args = parser.parse_args()

    image = cv2.imread(args.picture)
    if image is None:
        raise SystemExit(f"{args.picture}: expected a picture, got none that OpenCV can read; correct the path")
    with edgedet.load(args.detector, task="detect") as finder, edgedet.load(args.classifier, task="regions") as namer:
        found = finder(image, score_threshold=0.4)
        named = namer(image, found.boxes, flip=True)
    for thing, name in zip(found, named):
        print(f"{thing.label} {thing.score:.2f} → {name.label} {name.score:.2f}")
    cv2.imwrite(args.out, named.to_detections(score_threshold=0.2).draw(image))


if __name__ == "__main__":
    main()
