"""A camera on a live page, and a word in the terminal whenever something new comes into the picture.

    python examples/camera_to_page.py models/ssd_mobilenet_v2 0 127.0.0.1:8080

``0`` is the first camera of this machine. On an address that others can reach, such as 0.0.0.0:8080, the page asks for
the token that is printed. Ctrl-C or SIGTERM ends it.
"""

from __future__ import annotations

import sys

import edgedet
from edgedet.camera.pipeline import Pipeline, Result
from edgedet.camera.preview import Preview
from edgedet.camera.preview.address import parse_address


class Announcer:
    """Says which classes have appeared since the frame before."""

    def __init__(self) -> None:
        self.before: set[str] = set()

    def __call__(self, result: Result) -> None:
        """A callable is a sink: it has a thread of its own, and the camera never waits for it."""
        now = {thing.label for thing in result.detections if thing.score > 0.5}
        for label in sorted(now - self.before):
            print(f"{label}, {1000 * result.age_s:.0f} ms after it was seen", flush=True)
        self.before = now


def main(bundle: str, camera: str, address: str) -> None:
    """Runs until it is told to end."""
    page = Preview(*parse_address(address))
    print(f"open {page.url}", flush=True)
    with edgedet.load(bundle) as model:
        Pipeline(camera, model, [page, Announcer()]).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
