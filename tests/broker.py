"""A real mosquitto on the loopback, which tests kill and start again, and a listener that misses nothing."""

from __future__ import annotations

import queue
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import peers

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
LONG_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """Keeps what it knows on the disk at once, so that a kill loses nothing that it has acknowledged."""

    def __init__(self, folder: Path, extra: str = "allow_anonymous true") -> None:
        if MOSQUITTO is None:
            peers.missing("mosquitto", "mosquitto")
        self.port = free_port()
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text(
            f"user root\nlistener {self.port} 127.0.0.1\npersistence true\npersistence_location {folder}/\n"
            f"autosave_on_changes true\nautosave_interval 1\nset_tcp_nodelay true\n{extra}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._conf)], stderr=subprocess.PIPE)
        assert self._process.stderr is not None
        for line in self._process.stderr:  # it says so when it listens
            if b"running" in line:
                return
        raise AssertionError(f"mosquitto did not start: {self._conf.read_text()}")

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()


class Listener:
    """A subscriber of everything, which the broker remembers while it is away."""

    def __init__(self, broker: Broker, **options: Any) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self._ready: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._got: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *rest: client.subscribe("#", qos=2)
        self._client.on_subscribe = lambda *rest: self._ready.put(None)
        self._client.on_message = lambda client, data, message: self._got.put((message.topic, message.payload.decode()))
        if "login" in options:
            self._client.username_pw_set(*options["login"])
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._ready.get(timeout=LONG_S)

    def next(self, topic: str) -> str:
        """The next message on the topic; those on others are passed over."""
        while True:
            got, message = self._got.get(timeout=LONG_S)
            if got == topic:
                return message

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
