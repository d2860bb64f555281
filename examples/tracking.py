"""Tracks things through a video and draws their paths, with ByteTrack and supervision's annotators.

pip install supervision trackers
python examples/tracking.py models/ssd_mobilenet_v2 street.mp4 tracked.mp4
"""

from __future__ import annotations

import sys

import cv2
import supervision
from trackers import ByteTrackTracker  # supervision has no trackers of its own any more

import edgedet
from edgedet.camera.pipeline import ModelCall, Pipeline


def main(bundle: str, video: str, tracked: str) -> None:
    """Every frame of ``video`` through the bundle's model and the tracker, drawn into ``tracked``."""
    tracker = ByteTrackTracker()
    boxes, labels, traces = supervision.BoxAnnotator(), supervision.LabelAnnotator(), supervision.TraceAnnotator()
    writer, things = None, set()
    with edgedet.load(bundle) as model:
        for result in Pipeline(video, ModelCall(model, score_threshold=0.4), policy="lossless"):
            found = tracker.update(result.detections.to_supervision())
            found = found[found.tracker_id >= 0]  # -1: not seen for long enough
            things.update(found.tracker_id.tolist())
            names = [f"{number} {name}" for number, name in zip(found.tracker_id, found.data["class_name"])]
            picture = boxes.annotate(result.picture.copy(), found)
            picture = labels.annotate(traces.annotate(picture, found), found, labels=names)
            if writer is None:
                writer = cv2.VideoWriter(tracked, cv2.VideoWriter.fourcc(*"mp4v"), 25, result.image_wh)
            writer.write(picture)
    if writer is not None:
        writer.release()
    print(f"{len(things)} things tracked, drawn in {tracked}")


if __name__ == "__main__":
    main(*sys.argv[1:])
