"""Whatever a broker answers: its reason in a stable code, bytes that are no MQTT as such, never a hang.

The other end is a real TCP server that speaks MQTT's bytes by hand, for what no broker here can be made
to say.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from random import Random

import pytest

from sync.mqtt import Broker, Closed, Connection, Denied, MqttEvent, Opened, Taken
from sync.mqtt_reasons import FAILURE, reason

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
WAIT_S = 20.0
CONNACK = bytes.fromhex("2003000000")
Talk = Callable[[socket.socket], None]


def connack(value: int, properties: bytes = b"") -> bytes:
    body = bytes([0, value, len(properties)]) + properties
    return bytes([0x20, len(body)]) + body


def suback(packet: bytes, value: int) -> bytes:
    """To the SUBSCRIBE that ``packet`` is."""
    return bytes([0x90, 4]) + packet[2:4] + bytes([0, value])


class Peer:
    """Takes one connection after another and talks."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._talks: queue.Queue[Talk | None] = queue.Queue()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def hear(
        self, talk: Talk, topics: tuple[str, ...] = ("a/ack",)
    ) -> tuple[Connection, queue.Queue[MqttEvent]]:
        self._talks.put(talk)
        heard: queue.Queue[MqttEvent] = queue.Queue()
        broker = Broker("127.0.0.1", self.port)
        made = Connection(broker, lambda _, event: heard.put(event), client_id="x", topics=("a",))
        made.open()
        return made, heard

    def close(self) -> None:
        self._talks.put(None)
        self._thread.join(WAIT_S)
        self._listener.close()

    def _serve(self) -> None:
        while (talk := self._talks.get()) is not None:
            there, _ = self._listener.accept()
            there.settimeout(WAIT_S)
            with there:
                there.recv(1000)  # CONNECT
                talk(there)


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


def test_every_reason_of_a_connack_and_a_disconnect_comes_out_under_its_code(peer: Peer) -> None:
    """The standard's, and those that a later one may add."""
    for value in range(FAILURE, 0xA8):
        _, heard = peer.hear(lambda there, value=value: there.sendall(connack(value)))
        assert heard.get(timeout=WAIT_S) == Closed(*reason("connect", value)), value

        def leave(there: socket.socket, value: int = value) -> None:
            there.sendall(CONNACK)
            there.sendall(suback(there.recv(1000), 1) + bytes([0xE0, 2, value, 0]))

        _, heard = peer.hear(leave)
        assert isinstance(heard.get(timeout=WAIT_S), Opened)
        assert heard.get(timeout=WAIT_S) == Closed(*reason("disconnect", value)), value
    assert reason("disconnect", 0x8E)[0] == "taken_over"


def test_what_a_broker_adds_to_its_reason_is_told_too(peer: Peer) -> None:
    words = b"over there"
    added = bytes([0x1C, 0, len(words)]) + words  # Server Reference
    _, heard = peer.hear(lambda there: there.sendall(connack(0x9C, added)))
    closed = heard.get(timeout=WAIT_S)
    assert isinstance(closed, Closed)
    assert closed.code == "other_broker" and "over there" in closed.words


def test_every_reason_of_a_puback_and_a_suback_comes_out_under_its_code(peer: Peer) -> None:
    """Also those that the standard lists for other packets: mosquitto's PUBACK 0x95."""
    answers = [*range(FAILURE, 0xA3)]

    def talk(there: socket.socket) -> None:
        there.sendall(CONNACK)
        there.sendall(suback(there.recv(1000), 1))
        for value in answers:
            packet = there.recv(1000)
            assert packet[0] == 0x32
            there.sendall(bytes([0x40, 4]) + packet[5:7] + bytes([value, 0]))
        there.sendall(suback(there.recv(1000), 0x87))

    made, heard = peer.hear(talk)
    assert isinstance(heard.get(timeout=WAIT_S), Opened)
    for value in answers:
        mid = made.publish("t", b"x")
        assert heard.get(timeout=WAIT_S) == Taken(mid, *reason("publish", value)), value
    made.subscribe(("b",))
    assert heard.get(timeout=WAIT_S) == Denied(*reason("subscribe", 0x87))
    made.close()


def test_a_broker_without_qos_1_or_retained_messages_is_left(peer: Peer) -> None:
    for name, code in ((0x24, "no_qos1"), (0x25, "no_retain")):
        _, heard = peer.hear(lambda there, name=name: there.sendall(connack(0, bytes([name, 0]))))
        closed = heard.get(timeout=WAIT_S)
        assert isinstance(closed, Closed) and closed.code == code


def test_the_brokers_bounds_are_heard(peer: Peer) -> None:
    bounds = bytes.fromhex("210007" + "2700000400")  # Receive Maximum 7, Maximum Packet Size 1024

    def talk(there: socket.socket) -> None:
        there.sendall(connack(0, bounds))
        there.sendall(suback(there.recv(1000), 1))
        there.recv(1000)

    made, heard = peer.hear(talk)
    assert heard.get(timeout=WAIT_S) == Opened(7, 1024)
    assert made.fits("t", b"x" * 500) and not made.fits("t", b"x" * 1024)
    made.close()


def test_what_is_no_mqtt_ends_the_connection_and_nothing_else(peer: Peer) -> None:
    """Random bytes, torn packets and other protocols' greetings, before and after CONNACK."""
    random = Random(17)
    starts = [
        b"",
        CONNACK,
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"\x20\xff\xff\xff\xff",
    ]
    for number in range(60 * SIZE):
        noise = random.choice(starts) + random.randbytes(random.randrange(1, 60))

        def talk(there: socket.socket, noise: bytes = noise) -> None:
            there.sendall(noise)

        _, heard = peer.hear(talk)
        events = [heard.get(timeout=WAIT_S)]
        while not isinstance(events[-1], Closed):
            events.append(heard.get(timeout=WAIT_S))
        assert heard.empty(), (number, noise, events)
