"""``mqtt://HOST/TOPIC`` results as JSON to an MQTT broker, ``mqtts://`` over TLS; needs the extra ``[mqtt]``.

A message is what a line of the sink ``jsonl`` is. ``TOPIC/status`` holds ``online`` or ``offline``, retained; the
broker itself says ``offline`` when the connection is lost (last will). A broker that is away is looked for with growing
waits, and the newest ``buffer`` messages wait for it; older ones are dropped and counted as ``offline``. As many may be
on their way. What was on its way with ``qos=0`` when the connection was lost, or is still there ``FLUSH_S`` after the
end, counts as ``unsent``.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from edgedet.camera.result import Result
from edgedet.camera.sinks import values
from edgedet.camera.sinks.base import Sink
from edgedet.camera.sinks.discovery import announcements
from edgedet.camera.sinks.jsonl import plain

SCHEMES = ("mqtt", "mqtts")
GRAMMAR = """\
  mqtt://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC, mqtts://...
                                    JSON to a broker (mqtts: TLS); ?qos=0|1|2  retain=yes|no
                                    buffer=1000 (messages while offline)  client_id=NAME  keepalive=30
                                    ca=FILE cert=FILE key=FILE (of mqtts)
                                    discovery=homeassistant (prefix for Home Assistant); the password can be in
                                    EDGEDET_MQTT_PASSWORD instead"""
OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "qos": values.whole(0, 2),
    "retain": values.yes,
    "buffer": values.whole(1, 10**6),
    "client_id": str,
    "keepalive": values.whole(5, 3600),
    "ca": Path,
    "cert": Path,
    "key": Path,
    "discovery": str,
}
FLUSH_S = 3.0
_LONGEST_WAIT_S = 60
_TOPIC = re.compile(r"[^+#\0]+")
_LOG = logging.getLogger("edgedet.camera")


def open(scheme: str, address: str, options: Mapping[str, Any]) -> Sink:
    """See `edgedet.camera.sinks`."""
    url = urlsplit(f"{scheme}:{address}")
    topic = unquote(url.path.strip("/"))
    try:
        port = url.port or (8883 if scheme == "mqtts" else 1883)
    except ValueError:
        port = 0
    if not (url.hostname and port and _TOPIC.fullmatch(topic)):
        raise ValueError(f"{scheme}: expected //HOST:PORT/TOPIC without + or #, got {_masked(address)!r}; correct it")
    login = None if url.username is None else (unquote(url.username), unquote(url.password or ""))
    return Mqtt(url.hostname, topic, port=port, tls=scheme == "mqtts", login=login, **options)


def _masked(address: str) -> str:
    return re.sub(r"//[^@/]*@", "//***@", address)


class Mqtt(Sink):
    """Publishes each result; never waits for the broker."""

    def __init__(
        self,
        host: str,
        topic: str,
        *,
        port: int = 1883,
        tls: bool = False,
        login: tuple[str, str] | None = None,
        qos: int = 0,
        retain: bool = False,
        buffer: int = 1000,
        client_id: str = "",
        keepalive: int = 30,
        ca: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        discovery: str | None = None,
    ) -> None:
        """Nothing is connected yet.

        Args:
            host: of the broker.
            topic: where results go; its ``/status`` says whether this is online.
            port: of the broker.
            tls: whether to encrypt, and check the broker's certificate.
            login: user and password; an empty password is looked for in ``EDGEDET_MQTT_PASSWORD``.
            qos: 0 (at most once), 1 (at least once) or 2 (exactly once).
            retain: whether the broker keeps the last result for those who come later.
            buffer: how many messages may wait while the broker is away.
            client_id: unique at the broker; empty: made up.
            keepalive: seconds after which the broker may think that this is gone.
            ca: certificates that the broker's is checked with; None: the system's.
            cert: this client's certificate, where the broker wants one.
            key: its key.
            discovery: Home Assistant's discovery prefix; None: nothing is announced.
        """
        self.name = f"{'mqtts' if tls else 'mqtt'}://{host}:{port}/{topic}"
        self._host, self._port, self._topic, self._keepalive = host, port, topic, keepalive
        self._qos, self._retain, self._client_id, self._login = qos, retain, client_id, login
        self._tls = (ca, cert, key) if tls else None
        self._announced = [] if discovery is None else announcements(discovery, topic)
        self._status_qos = max(1, qos)  # that of the results where it can be: brokers keep the order within one only
        self._client: Any = None
        self._waiting: deque[str] = deque()
        self._sent: deque[Any] = deque()
        self._buffer = buffer
        self._pumping = threading.Lock()
        self._connected = False
        self._arrived = threading.Event()
        self._problem: str | None = None
        self._lost: Counter[str] = Counter()

    def open(self) -> None:
        """Begins to look for the broker; it need not be there yet.

        Raises:
            ImportError: paho-mqtt is not installed.
            OSError: a certificate can't be read.
        """
        client = self._make_client()
        client.will_set(f"{self._topic}/status", "offline", qos=1, retain=True)
        client.reconnect_delay_set(1, _LONGEST_WAIT_S)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        if self._login is not None:
            user, password = self._login
            client.username_pw_set(user, password or os.environ.get("EDGEDET_MQTT_PASSWORD") or None)
        if self._tls is not None:
            ca, cert, key = (None if path is None else str(path) for path in self._tls)
            client.tls_set(ca_certs=ca, certfile=cert, keyfile=key)
        self._client = client
        self._arrived.clear()
        client.connect_async(self._host, self._port, self._keepalive)
        client.loop_start()

    def _make_client(self) -> Any:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise ImportError(f"{self.name}: expected paho-mqtt 2, got none; do pip install 'edgedet[mqtt]'") from error
        made_up = f"edgedet-{socket.gethostname()[:32]}-{os.urandom(3).hex()}"
        client = Client(CallbackAPIVersion.VERSION2, client_id=self._client_id or made_up)
        client.max_queued_messages_set(0)  # bounded here, where what is dropped is counted
        return client

    def write(self, result: Result) -> None:
        """Hands the result to the broker, or keeps it until the broker is there."""
        message = json.dumps(result.to_dict(), allow_nan=False, default=plain)
        with self._pumping:
            if len(self._waiting) >= self._buffer:
                self._waiting.popleft()
                self._lost["offline"] += 1
            self._waiting.append(message)
            self._pump()

    def _pump(self) -> None:
        """Hands over what waits, as long as the broker is there and takes it."""
        while self._sent and self._has_gone(self._sent[0]):
            self._sent.popleft()
        while self._connected and self._waiting and len(self._sent) < self._buffer:
            info = self._client.publish(self._topic, self._waiting[0], self._qos, self._retain)
            if info.rc and not self._qos:  # the connection has just been lost
                return
            self._waiting.popleft()
            self._sent.append(info)

    def _has_gone(self, info: Any, timeout_s: float = 0.0) -> bool:
        try:
            if timeout_s > 0:
                info.wait_for_publish(timeout_s)
            return bool(info.is_published())
        except (RuntimeError, ValueError):  # paho's way to say that it was lost with the connection
            self._lost["unsent"] += 1
            return True

    def close(self) -> None:
        """Sends what waits, for at most `FLUSH_S`, says ``offline`` and disconnects."""
        client = self._client
        if client is None:
            return
        deadline = time.monotonic() + FLUSH_S
        if self._waiting:
            self._arrived.wait(FLUSH_S)
        while time.monotonic() < deadline:
            with self._pumping:
                self._pump()
            if not self._sent or not self._has_gone(self._sent[0], deadline - time.monotonic()):
                break
            self._sent.popleft()
        if self._connected:
            self._has_gone(client.publish(f"{self._topic}/status", "offline", self._status_qos, True), 1.0)
        with self._pumping:
            self._lost["unsent"] += len(self._waiting) + len(self._sent)
            self._waiting.clear()
            self._sent.clear()
            self._client, self._connected = None, False
        client.disconnect()
        client.loop_stop()

    @property
    def problem(self) -> str | None:
        """Why the broker is not there; None if it is."""
        return self._problem

    @property
    def lost(self) -> Mapping[str, int]:
        """Messages that waited too long (``offline``), or were on their way when the connection broke (``unsent``)."""
        return dict(+self._lost)

    # What follows runs on paho's thread.

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._trouble(str(reason))
            return
        if self._problem is not None:
            _LOG.warning("sink %s: the broker is there", self.name)
        self._problem, self._connected = None, True
        self._arrived.set()
        client.publish(f"{self._topic}/status", "online", self._status_qos, True)
        for topic, message in self._announced:
            client.publish(topic, message, 1, True)
        if self._pumping.acquire(timeout=1.0):
            try:
                self._pump()
            finally:
                self._pumping.release()

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        was_connected, self._connected = self._connected, False
        self._arrived.clear()
        if reason.is_failure and was_connected:  # else the refusal has been reported
            # MQTT has no word for a connection that broke.
            self._trouble("a lost connection" if reason == "Unspecified error" else str(reason))

    def _on_connect_fail(self, client: Any, userdata: Any) -> None:
        self._trouble("no connection")

    def _trouble(self, said: str) -> None:
        """Reports the first of several."""
        if self._problem is None:
            _LOG.warning("sink %s: expected a broker, got %s; check it, messages wait", self.name, said)
        self._problem = f"{self.name}: expected a broker, got {said}; check that it runs and the login"
