"""How the cost of each kernel grows with its input; every peer's answer asserted.

python -m benchmarks.growth            # measures: benchmarks/results/growth.json, and the plot; about a minute
python -m benchmarks.growth --draw     # the plot again, from the recorded figures
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import plot
from benchmarks.case import Case, Floor, Job, Peer
from benchmarks.machine import machine, single_threaded
from benchmarks.measure import measure_case
from benchmarks.peers import graphs, opencv, torchvision
from benchmarks.workloads import detect, nms, preprocess, spp
from edgedet import ops
from edgedet.image import to_tensor

RESULTS = Path(__file__).parent / "results" / "growth.json"
# A peer that took longer than this is not asked for more.
PATIENCE_S = 0.5
BUDGET_S = 0.3


def boxes(make: Callable[[int], tuple[np.ndarray, np.ndarray]]) -> Callable[[int], Case]:
    """Suppression of so many boxes."""

    def at(count: int) -> Case:
        arrays = make(count)
        peers = [
            Peer("OpenCV", lambda: opencv.nms(*arrays, nms.IOU), nms.SAME),
            Peer("torchvision", lambda: torchvision.nms(*arrays, nms.IOU), nms.SAME),
        ]
        return _case(lambda: ops.nms(*arrays, nms.IOU), peers)

    return at


def regions(count: int) -> Case:
    """Pooling of so many regions of one map."""
    features, cells = spp.arrays(count, 256, 43, 57)
    rois = spp.rois(cells)
    feed = {"features": features[None], "rois": rois}
    model = partial(graphs.max_roi_pool, features.shape, spp.LEVELS)
    peers = [
        Peer("ONNX Runtime", lambda: graphs.onnxruntime(model(), feed), lambda ours, theirs: spp.SAME(ours, *theirs)),
        Peer("torchvision", lambda: torchvision.roi_pool(features, rois, spp.LEVELS), spp.SAME),
    ]
    return _case(lambda: ops.spp_pool(features, cells), peers)


def threads(count: int) -> Case:
    """Pooling of 2000 regions by so many threads."""
    features, cells = spp.arrays(2_000, 256, 43, 57)
    return _case(lambda: ops.spp_pool(features, cells, threads=count), [])


def pixels(width: int) -> Case:
    """A picture of that width, 16:9, to 640 × 640."""
    image, size_wh = preprocess.picture(width, width * 9 // 16), (640, 640)
    rule = preprocess.rule(size_wh)
    tutorial = opencv.tutorial(image, size_wh, preprocess.MEAN, preprocess.STD)
    return _case(lambda: to_tensor(image, rule)[0], [Peer("OpenCV and NumPy", lambda: tutorial, preprocess.same)])


def classes(columns: int) -> Case:
    """Detections from the logits of so many classes."""
    deltas, logits, anchors = detect.raw_output(20_000, columns + 1, 50)
    feed = {"deltas": deltas, "logits": logits, "anchors": anchors}
    model = partial(graphs.detect, *logits.shape, detect.IMAGE_WH, detect.RULE)
    against = [
        Peer("ONNX Runtime", lambda: graphs.onnxruntime(model(), feed), detect.same_as_graph),
        Floor("reading once", lambda: logits.reshape(-1).max),
    ]
    return _case(lambda: ops.detect(deltas, logits, anchors, image_wh=detect.IMAGE_WH, **detect.RULE), against)


def _case(job: Job, against: Sequence[Peer | Floor]) -> Case:
    """The workloads assert our own answer; here the peers' must be the same."""
    return Case("", job, lambda _: None, against, budget_s=BUDGET_S)


COUNTS = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
# Title, axis, values, what to run at each.
PANELS: dict[str, tuple[str, tuple[int, ...], Callable[[int], Case]]] = {
    "nms, scattered": ("boxes", COUNTS, boxes(nms.scattered)),
    "nms, piled up": ("boxes", COUNTS, boxes(nms.piled)),
    "detect, 20 000 anchors": ("classes", (1, 3, 10, 30, 100, 300), classes),
    "spp_pool, 256 × 43 × 57": ("regions", (10, 30, 100, 300, 1_000, 3_000), regions),
    "spp_pool, 2000 regions": ("threads", (1, 2, 4, 8), threads),
    "preprocess to 640 × 640": ("width of the picture", (320, 640, 1280, 1920, 3840), pixels),
}


def measure() -> Iterator[tuple[str, dict[str, Any]]]:
    """Panel -> its axis, and for each program the points (value, milliseconds)."""
    cores = len(os.sched_getaffinity(0))
    for title, (axis, values, at) in PANELS.items():
        lines: dict[str, list[tuple[int, float]]] = {}
        tired: set[str] = set()
        for value in values:
            if axis == "threads" and value > cores:
                break
            case = at(value)
            rested = [rival for rival in case.against if rival.name not in tired]
            outcome = measure_case(replace(case, against=rested), timed=True)
            lines.setdefault("edgedet", []).append((value, outcome.ms))
            for against in outcome.against:
                if against.ms is not None:
                    lines.setdefault(against.name, []).append((value, against.ms))
                if against.ms is None or against.ms > PATIENCE_S * 1e3:
                    tired.add(against.name)
        yield title, {"axis": axis, "lines": lines}


def main() -> int:
    """Measures, unless only the plot is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draw", action="store_true", help="only draw the recorded figures")
    args = parser.parse_args()
    if not args.draw:
        single_threaded("benchmarks.growth")
        record()
    else:
        plot.draw(json.loads(RESULTS.read_text(encoding="utf-8")))
    return 0


def record() -> None:
    """Measures, writes benchmarks/results/growth.json, and draws."""
    panels = {}
    for title, panel in measure():
        print(f"{title}: {', '.join(panel['lines'])}", flush=True)
        panels[title] = panel
    data = {"machine": machine(), "panels": panels}
    RESULTS.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    plot.draw(data)


if __name__ == "__main__":
    sys.exit(main())
