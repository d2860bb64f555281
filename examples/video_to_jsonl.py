"""What is in a video, as JSON Lines, and the same video with boxes.

    python examples/video_to_jsonl.py models/ssd_mobilenet_v2 street.mp4 found.jsonl [street-found.mp4]

A file is read as fast as the model can go, and no frame is left out. What a line holds is described in
`edgedet.camera.sinks.jsonl`.
"""

from __future__ import annotations

import sys

import edgedet
from edgedet.camera.pipeline import ModelCall, Pipeline


def main(bundle: str, video: str, lines: str, drawn: str | None = None) -> None:
    """Every frame of ``video`` through the bundle's model."""
    sinks = [f"jsonl:{lines}"]
    if drawn is not None:
        sinks.append(f"video:{drawn}")
    with edgedet.load(bundle) as model:
        stats = Pipeline(video, ModelCall(model, score_threshold=0.4), sinks).run()
    print(f"{stats.inferred} frames in {stats.elapsed_s:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
