"""A camera's findings to an MQTT broker, for as long as the process runs.

    python examples/camera_to_mqtt.py models/ssd_mobilenet_v2 0 mqtt://broker/cameras/door

``0`` is the first camera of this machine; an RTSP address or a video will do as well. A broker that is away is looked
for again and again, and the newest thousand messages wait for it. Ctrl-C or SIGTERM ends it: ``cameras/door/status``
then says ``offline``.
"""

from __future__ import annotations

import logging
import sys

import edgedet
from edgedet.camera.pipeline import ModelCall, Pipeline


def main(bundle: str, camera: str, broker: str) -> None:
    """Runs until it is told to end."""
    logging.basicConfig(format="%(asctime)s %(message)s")  # lost cameras and brokers are reported there
    with edgedet.load(bundle) as model:
        model.warm_up()
        pipeline = Pipeline(camera, ModelCall(model, score_threshold=0.4), f"{broker}?qos=1&discovery=homeassistant")
        stats = pipeline.run()
    print(f"{stats.inferred} results at {stats.fps:.1f} per second, median age {1000 * stats.age_p50_s:.0f} ms")


if __name__ == "__main__":
    main(*sys.argv[1:])
