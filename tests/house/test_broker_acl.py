"""The broker's example settings, in a real mosquitto with real TLS: who may speak for whom.

``config/mosquitto.conf`` and ``config/mosquitto.acl`` run as they stand, but for ports, paths and
the place of the log. The stations come with certificates made here, as a city would make them.
"""

from __future__ import annotations

import datetime
import json
import queue
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

WAIT_S = 10.0
"""Longer than any answer takes; nothing is measured by it."""

NOT_AUTHORIZED = 135
EXAMPLE_PLUGIN = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"
RECEIVER_PASSWORD = "only-in-this-test"


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, as files."""

    cert: Path
    key: Path


class Authority:
    """The city's certificate authority for its stations and its broker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stations")])
        self.ca = self._write("ca", self._certificate("stations", self._key, ca=True), self._key)
        self.crl = folder / "ca.crl"
        self.crl.write_bytes(self._revoked_nobody().public_bytes(serialization.Encoding.PEM))

    def issue(self, common_name: str) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        file_name = re.sub(r"\W", "-", common_name)
        return self._write(file_name, self._certificate(common_name, key), key)

    def _revoked_nobody(self) -> x509.CertificateRevocationList:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(now - datetime.timedelta(days=1))
            .next_update(now + datetime.timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )

    def _certificate(
        self, common_name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool = False
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        return (
            x509.CertificateBuilder()
            .subject_name(self._name if ca else subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _write(
        self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> Issued:
        issued = Issued(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        issued.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        issued.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return issued


@dataclass(frozen=True)
class Broker:
    """A running broker: its TLS port, its local port, and who signs certificates."""

    tls_port: int
    plain_port: int
    authority: Authority


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert found is not None, f"{name} is missing: make install"
    return found


def plugin() -> Path:
    """Where this machine's Debian architecture has it."""
    (found,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    return found


def with_stations(example: str, *names: str) -> str:
    """The list of stations as an administrator fills it."""
    listed = json.loads(example)
    listed["clients"] = [{"username": name, "roles": [{"rolename": "station"}]} for name in names]
    return json.dumps(listed)


def settled(text: str, folder: Path, authority: Authority, tls: int, plain: int) -> str:
    """The example with this test's ports and paths; each line that is changed must be there."""
    server = authority.issue("localhost")
    for example, here in {
        "listener 8883": f"listener {tls} 127.0.0.1",
        "listener 1883 127.0.0.1": f"listener {plain} 127.0.0.1",
        "cafile   /etc/mosquitto/tls/stations-ca.crt": f"cafile {authority.ca.cert}",
        "crlfile  /etc/mosquitto/tls/stations-ca.crl": f"crlfile {authority.crl}",
        "certfile /etc/mosquitto/tls/broker.crt": f"certfile {server.cert}",
        "keyfile  /etc/mosquitto/tls/broker.key": f"keyfile {server.key}",
        "password_file /etc/mosquitto/passwords": f"password_file {folder / 'passwords'}",
        "acl_file /etc/mosquitto/kiosk.acl": f"acl_file {folder / 'kiosk.acl'}",
        f"plugin {EXAMPLE_PLUGIN}": f"plugin {plugin()}",
        "plugin_opt_config_file /etc/mosquitto/kiosk-stations.json": (
            f"plugin_opt_config_file {folder / 'kiosk-stations.json'}"
        ),
        "log_dest syslog": "log_dest stderr",
    }.items():
        assert text.count(f"\n{example}\n") == 1, example
        text = text.replace(f"\n{example}\n", f"\n{here}\n")
    return text


@pytest.fixture(scope="module")
def broker(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("broker")
    authority = Authority(folder)
    running = Broker(free_port(), free_port(), authority)
    example = (root / "config/mosquitto.conf").read_text(encoding="utf-8")
    (folder / "mosquitto.conf").write_text(
        # The broker drops root's rights to the user mosquitto, who cannot read this folder.
        settled(example, folder, authority, running.tls_port, running.plain_port) + "user root\n",
        encoding="utf-8",
    )
    shutil.copy(root / "config/mosquitto.acl", folder / "kiosk.acl")
    stations = (root / "config/mosquitto-stations.json").read_text(encoding="utf-8")
    (folder / "kiosk-stations.json").write_text(
        with_stations(stations, "demo/a", "demo/b"), encoding="utf-8"
    )
    subprocess.run(
        [
            *(program("mosquitto_passwd"), "-b", "-c"),
            *(folder / "passwords", "receiver", RECEIVER_PASSWORD),
        ],
        check=True,
        capture_output=True,
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program("mosquitto"), "-c", folder / "mosquitto.conf"], stdout=log, stderr=log
        )
        try:
            await_port(running.plain_port, process, folder / "log")
            yield running
        finally:
            process.terminate()
            process.wait(WAIT_S)


def await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        with socket.socket() as attempt:
            attempt.settimeout(0.1)
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    pytest.fail(f"no broker: {log.read_text(encoding='utf-8')}")


class Client:
    """One MQTT 5 client, blocking: each answer of the broker is waited for and returned."""

    def __init__(self, settle: Callable[[paho.Client], None], port: int) -> None:
        self._paho = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._answers: queue.Queue[list[ReasonCode]] = queue.Queue()
        self.messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
        settle(self._paho)

        def on_connect(
            _c: paho.Client,
            _u: object,
            _f: paho.ConnectFlags,
            code: ReasonCode,
            _p: Properties | None,
        ) -> None:
            self._answers.put([code])

        def on_publish(
            _c: paho.Client, _u: object, _m: int, code: ReasonCode, _p: Properties
        ) -> None:
            self._answers.put([code])

        def on_subscribe(
            _c: paho.Client, _u: object, _m: int, codes: list[ReasonCode], _p: Properties | None
        ) -> None:
            self._answers.put(codes)

        def on_message(_c: paho.Client, _u: object, message: paho.MQTTMessage) -> None:
            self.messages.put((message.topic, bytes(message.payload)))

        self._paho.on_connect = on_connect
        self._paho.on_publish = on_publish
        self._paho.on_subscribe = on_subscribe
        self._paho.on_message = on_message
        self._paho.connect("localhost", port)
        self._paho.loop_start()
        assert self._answer() == 0

    def _answer(self) -> int:
        (code,) = self._answers.get(timeout=WAIT_S)
        value: int = code.value
        return value

    def publish(self, topic: str) -> int:
        self._paho.publish(topic, b"{}", qos=1)
        return self._answer()

    def subscribe(self, topic: str) -> int:
        self._paho.subscribe(topic, qos=1)
        return self._answer()

    def close(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()


@pytest.fixture
def station_a(broker: Broker) -> Iterator[Client]:
    yield from connected(as_station("demo/a", broker), broker.tls_port)


@pytest.fixture
def station_b(broker: Broker) -> Iterator[Client]:
    yield from connected(as_station("demo/b", broker), broker.tls_port)


@pytest.fixture
def forgotten(broker: Broker) -> Iterator[Client]:
    """A station with a certificate that nobody added to the list."""
    yield from connected(as_station("demo/forgotten", broker), broker.tls_port)


@pytest.fixture
def receiver(broker: Broker) -> Iterator[Client]:
    def settle(client: paho.Client) -> None:
        client.username_pw_set("receiver", RECEIVER_PASSWORD)

    yield from connected(settle, broker.plain_port)


def as_station(name: str, broker: Broker) -> Callable[[paho.Client], None]:
    issued = broker.authority.issue(name)

    def settle(client: paho.Client) -> None:
        client.tls_set(
            ca_certs=str(broker.authority.ca.cert),
            certfile=str(issued.cert),
            keyfile=str(issued.key),
        )

    return settle


def connected(settle: Callable[[paho.Client], None], port: int) -> Iterator[Client]:
    client = Client(settle, port)
    try:
        yield client
    finally:
        client.close()


@pytest.mark.parametrize("topic", ["ledger", "state", "health", "reply"])
def test_a_station_speaks_for_itself_and_the_receiver_hears_it(
    station_a: Client, receiver: Client, topic: str
) -> None:
    assert receiver.subscribe(f"$share/receivers/kiosk/v1/+/+/{topic}") == 1
    assert station_a.publish(f"kiosk/v1/demo/a/{topic}") == 0
    assert receiver.messages.get(timeout=WAIT_S) == (f"kiosk/v1/demo/a/{topic}", b"{}")


@pytest.mark.parametrize("topic", ["ledger", "state", "health", "reply", "ack", "command"])
def test_a_station_that_speaks_for_another_is_told_not_authorized(
    station_a: Client, topic: str
) -> None:
    assert station_a.publish(f"kiosk/v1/demo/b/{topic}") == NOT_AUTHORIZED


@pytest.mark.parametrize(
    "topic", ["ack", "command", "closed/full", "closed/full/0", "allowed/delta", "points"]
)
def test_a_station_cannot_speak_for_the_city(station_a: Client, topic: str) -> None:
    assert station_a.publish(f"kiosk/v1/demo/a/{topic}") == NOT_AUTHORIZED


def test_a_citys_station_cannot_publish_its_tariff(station_a: Client) -> None:
    assert station_a.publish("kiosk/v1/demo/tariff") == NOT_AUTHORIZED


@pytest.mark.parametrize(
    "topic",
    ["ack", "command", "closed/full", "closed/full/0", "closed/delta", "allowed/full", "points"],
)
def test_what_the_city_says_reaches_its_station_and_no_other(
    station_a: Client, station_b: Client, receiver: Client, topic: str
) -> None:
    assert station_a.subscribe(f"kiosk/v1/demo/a/{topic}") == 1
    station_b.subscribe(f"kiosk/v1/+/+/{topic}")

    assert receiver.publish(f"kiosk/v1/demo/a/{topic}") == 0
    assert station_a.messages.get(timeout=WAIT_S) == (f"kiosk/v1/demo/a/{topic}", b"{}")

    # The one for B comes after the one that B must not get, on the same connection.
    assert receiver.publish(f"kiosk/v1/demo/b/{topic}") == 0
    assert station_b.messages.get(timeout=WAIT_S) == (f"kiosk/v1/demo/b/{topic}", b"{}")


@pytest.mark.parametrize("topic", ["catalogue", "tariff"])
def test_what_the_city_says_to_all_reaches_every_station(
    station_a: Client, station_b: Client, receiver: Client, topic: str
) -> None:
    for station in (station_a, station_b):
        assert station.subscribe(f"kiosk/v1/demo/{topic}") == 1
    assert receiver.publish(f"kiosk/v1/demo/{topic}") == 0
    for station in (station_a, station_b):
        assert station.messages.get(timeout=WAIT_S) == (f"kiosk/v1/demo/{topic}", b"{}")


def test_the_receiver_cannot_speak_for_a_station(receiver: Client) -> None:
    assert receiver.publish("kiosk/v1/demo/a/ledger") == NOT_AUTHORIZED


@pytest.mark.parametrize("group", ["receivers", "any-other"])
def test_a_station_cannot_take_batches_from_the_receivers(
    station_a: Client, station_b: Client, receiver: Client, group: str
) -> None:
    """The broker would pick it for every second batch, and drop those that it may not read."""
    shared = f"$share/{group}/kiosk/v1/+/+/ledger"
    assert receiver.subscribe(shared) == 1
    for topic in (shared, f"$share/{group}/kiosk/v1/demo/b/ledger", f"$share/{group}/#"):
        assert station_b.subscribe(topic) == NOT_AUTHORIZED
    for _ in range(6):
        assert station_a.publish("kiosk/v1/demo/a/ledger") == 0
    for _ in range(6):
        assert receiver.messages.get(timeout=WAIT_S) == ("kiosk/v1/demo/a/ledger", b"{}")


def test_what_mosquitto_conf_says_of_a_station_that_is_not_in_the_list_is_true(
    forgotten: Client, receiver: Client
) -> None:
    """Not refused, as the comment warns; all else holds for it like for any other."""
    assert forgotten.subscribe("$share/receivers/kiosk/v1/+/+/ledger") == 1
    assert forgotten.publish("kiosk/v1/demo/a/ledger") == NOT_AUTHORIZED
    assert receiver.subscribe("kiosk/v1/+/+/state") == 1
    assert forgotten.publish("kiosk/v1/demo/forgotten/state") == 0
    assert receiver.messages.get(timeout=WAIT_S) == ("kiosk/v1/demo/forgotten/state", b"{}")


def test_nobody_rules_the_broker_over_mqtt(station_a: Client, receiver: Client) -> None:
    """The plugin would take orders on this topic."""
    for client in (station_a, receiver):
        assert client.publish("$CONTROL/dynamic-security/v1") == NOT_AUTHORIZED


def test_nobody_comes_in_without_a_name(broker: Broker) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    answers: queue.Queue[ReasonCode] = queue.Queue()

    def on_connect(
        _c: paho.Client, _u: object, _f: paho.ConnectFlags, code: ReasonCode, _p: Properties | None
    ) -> None:
        answers.put(code)

    client.on_connect = on_connect
    client.connect("127.0.0.1", broker.plain_port)
    client.loop_start()
    try:
        assert answers.get(timeout=WAIT_S).value == NOT_AUTHORIZED
    finally:
        client.disconnect()
        client.loop_stop()
