"""``edgedet demo``: the packaged toy model on a scene drawn here, whose truth is therefore known."""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgedet import tasks
from edgedet.camera.scene import MovingScene
from edgedet.cli import options
from edgedet.cli.pictures import caught_stderr
from edgedet.cli.progress import Bar
from edgedet.detector import Detector
from edgedet.evaluate.voc import iou
from edgedet.results import Detections

HELP = "try the SDK: a toy model finds shapes in a scene drawn here, and a video shows how"
EXAMPLE = """
edgedet demo
edgedet demo --out found --frames 200 --seed 9
"""
SIZE_WH = (640, 480)
FPS = 25.0
# OpenCV brings its own Motion JPEG, so that the second can be written even where there is no FFmpeg.
CODECS = ((".mp4", b"mp4v"), (".avi", b"MJPG"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "--out", type=Path, default=Path("edgedet-demo"), metavar="DIR", help="where to write (%(default)s)"
    )
    parser.add_argument("--frames", type=options.positive, default=100, metavar="N", help="how many (%(default)s)")
    parser.add_argument("--seed", type=options.natural, default=7, metavar="N", help="of the scene (%(default)s)")
    options.add_json(parser)


@dataclass
class Tally:
    """What was there and what was found of each class, over all frames."""

    labels: tuple[str, ...]
    there: npt.NDArray[np.int64] = field(init=False)
    found: npt.NDArray[np.int64] = field(init=False)
    wrong: npt.NDArray[np.int64] = field(init=False)
    score: npt.NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.labels)
        self.there, self.found, self.wrong = (np.zeros(count, np.int64) for _ in range(3))
        self.score = np.zeros(count)

    def add(self, detections: Detections, boxes: npt.NDArray[np.float32], class_ids: npt.NDArray[np.int32]) -> int:
        """Enters one frame and its truth; gives the number of things found."""
        right = matches(detections, boxes, class_ids)
        np.add.at(self.there, class_ids, 1)
        np.add.at(self.found, detections.class_ids[right], 1)
        np.add.at(self.score, detections.class_ids[right], detections.scores[right])
        np.add.at(self.wrong, detections.class_ids[~right], 1)
        return int(right.sum())

    def rows(self) -> list[dict[str, Any]]:
        """A row for each class that was there or was believed to be."""
        return [
            {
                "label": label,
                "there": int(self.there[i]),
                "found": int(self.found[i]),
                "wrong": int(self.wrong[i]),
                "mean_score": float(self.score[i] / self.found[i]) if self.found[i] else None,
            }
            for i, label in enumerate(self.labels)
            if self.there[i] or self.wrong[i]
        ]


def matches(
    found: Detections, boxes: npt.NDArray[np.float32], class_ids: npt.NDArray[np.int32]
) -> npt.NDArray[np.bool_]:
    """(N,): which detections are right: IoU of half or more with a thing of the class that no better one has taken."""
    overlap = iou(found.boxes, boxes) * (found.class_ids[:, None] == class_ids)
    right = np.zeros(len(found), bool)
    for index in range(len(found) if len(boxes) else 0):  # they come best first
        thing = overlap[index].argmax()
        if overlap[index, thing] >= 0.5:
            right[index] = True
            overlap[:, thing] = 0
    return right


def run(args: argparse.Namespace) -> int:
    """Renders, detects, draws; the files appear under ``--out`` only when all is done."""
    if args.out.exists() and not args.out.is_dir():
        raise ValueError(f"--out: expected a folder, got the file {args.out}; choose another")
    with tasks.load("demo", task="detect") as model:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".edgedet-demo-", dir=args.out.parent) as folder:
            assert isinstance(model, Detector)
            report, files = _render(model, Path(folder), args)
            args.out.mkdir(exist_ok=True)
            for kind, file in files.items():
                report[kind] = str(file.replace(args.out / file.name))
    print(json.dumps(report, indent=1) if args.json else _text(report))
    return 0


def _render(model: Detector, folder: Path, args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Path]]:
    """The demo itself, into ``folder``: what there is to say, and the files by kind."""
    scene, tally, timings = MovingScene(args.seed, SIZE_WH), Tally(model.labels), []
    best, still = -1, np.zeros((0, 0, 3), np.uint8)
    model.warm_up()
    video, writer = _open_video(folder)
    with Bar("detecting in frames of a generated scene", args.frames, quiet=args.json) as bar:
        for index in range(args.frames):
            frame, boxes, class_ids = scene.frame(index)
            found = model(frame, score_threshold=options.DISPLAY_THRESHOLD)
            timings.append(model.timings)
            drawn = found.draw(frame)
            writer.write(drawn)
            right = tally.add(found, boxes, class_ids)
            if right > best:
                best, still = right, drawn
            bar.step()
    writer.release()
    picture = folder / "edgedet-demo.png"
    _check_written(video)
    if not cv2.imwrite(str(picture), still):
        raise OSError(f"{picture.name}: expected a written picture, got none; check the space on the disk")
    medians = dict(zip(timings[0]._fields, (1000 * np.median(timings, axis=0)).tolist()))
    report = {"model": model.spec.name, "frames": args.frames, "classes": tally.rows(), "median_ms": medians}
    return report, {"video": video, "picture": picture}


def _open_video(folder: Path) -> tuple[Path, Any]:
    for suffix, code in CODECS:
        path = folder / f"edgedet-demo{suffix}"
        with caught_stderr():
            writer = cv2.VideoWriter(str(path), int.from_bytes(code, "little"), FPS, SIZE_WH)
        if writer.isOpened():
            return path, writer
    raise OSError("video: expected an encoder for mp4v or MJPG, got neither; do pip install opencv-python")


def _check_written(video: Path) -> None:
    if not video.exists() or not video.stat().st_size:
        raise OSError(f"{video.name}: expected a written video, got none; check the space on the disk")


def _text(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [
        f"Toy model {report['model']}, for trying the SDK only, on {report['frames']} frames of a generated scene.",
        "There: things in all frames. Found: those that a box of their class overlaps by half. Wrong: all other boxes.",
        "",
        f"{'class':10} {'there':>6} {'found':>6} {'wrong':>6}  mean score",
    ]
    for row in report["classes"]:
        score = "-" if row["mean_score"] is None else f"{row['mean_score']:.2f}"
        lines.append(f"{row['label']:10} {row['there']:6} {row['found']:6} {row['wrong']:6}  {score:>10}")
    stages = ", ".join(f"{stage} {ms:.1f}" for stage, ms in report["median_ms"].items())
    lines += ["", f"median ms per frame: {stages}"]
    if not report["video"].endswith(CODECS[0][0]):
        lines.append("OpenCV has no encoder for MP4 here, so the video is Motion JPEG.")
    lines += [report["video"], report["picture"]]
    return "\n".join(lines)
