"""Two cameras, one model: each gets every second turn, however fast the other is.

python examples/two_cameras.py models/ssd_mobilenet_v2 0 rtsp://192.168.1.20/stream
"""

from __future__ import annotations

import sys
from collections import Counter

import edgedet
from edgedet.camera.pipeline import ModelCall, Pipeline


def main(bundle: str, *cameras: str) -> None:
    """Prints what each camera sees, and at the end how much of it."""
    seen: Counter[tuple[str, str]] = Counter()
    with edgedet.load(bundle) as model, Pipeline(list(cameras), ModelCall(model, score_threshold=0.4)) as pipeline:
        for result in pipeline:
            for found in result.detections:
                seen[result.frame.source, found.label] += 1
                print(f"{result.frame.source} {result.frame.index}: {found.label} {found.score:.2f}")
        for source in pipeline.stats().sources:
            things = ", ".join(f"{count} {label}" for (name, label), count in seen.items() if name == source.name)
            print(f"{source.name}: {source.captured} frames, {things or 'nothing found'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
