"""What Home Assistant wants to be told of, so that a camera appears there by itself."""

from __future__ import annotations

import json
import re
from typing import Any

from edgedet._core import __version__

_SENSORS: dict[str, dict[str, Any]] = {
    "found": {
        "name": "Things found",
        "value_template": "{{ value_json.detections | count }}",
        "state_class": "measurement",
        "icon": "mdi:cctv",
    },
    "age": {
        "name": "Frame age",
        "value_template": "{{ (value_json.age_s * 1000) | round(1) }}",
        "unit_of_measurement": "ms",
        "state_class": "measurement",
        "entity_category": "diagnostic",
    },
}


def announcements(prefix: str, topic: str) -> list[tuple[str, str]]:
    """Topics under ``prefix`` and the messages for them, of sensors that read the results at ``topic``."""
    node = re.sub(r"[^\w-]+", "_", topic, flags=re.ASCII)
    device = {
        "identifiers": [f"edgedet_{node}"],
        "name": topic,
        "manufacturer": "edgedet",
        "sw_version": __version__,
    }
    messages = []
    for key, sensor in _SENSORS.items():
        config = {
            **sensor,
            "unique_id": f"edgedet_{node}_{key}",
            "state_topic": topic,
            "availability_topic": f"{topic}/status",
            "device": device,
        }
        messages.append((f"{prefix}/sensor/edgedet_{node}/{key}/config", json.dumps(config)))
    return messages
