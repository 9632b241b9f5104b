"""A card held before a real video stream, through OpenCV, to the event that the rules get."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hw_sim.mjpeg import CameraPeer, Reel
from hw_sim.sensor import jpeg

from drivers import camera
from drivers.camera import CameraReader
from kiosk.core.cards import CardBody, CardDesk, day_of, issue, pseudonym
from kiosk.core.events import CardSeen, DeviceBack, DeviceLost, Event

CARD_KEY = bytes(range(32))
PSEUDONYM_KEY = bytes(range(32, 64))
DESK = CardDesk({1: CARD_KEY}, PSEUDONYM_KEY)
TODAY = day_of(2026, 11, 24)
ONE, TWO = bytes(range(10)), bytes(range(10, 20))
LONG_S = 15.0
"""How long a test waits before it calls something absent that should have come."""


def card(random_id: bytes, last_day: int = TODAY) -> str:
    return issue(CardBody(1, last_day, random_id), CARD_KEY).decode()


def name_of(random_id: bytes) -> bytes:
    return pseudonym(PSEUDONYM_KEY, "qr", random_id)


class Bench:
    """A camera on the network, its reader and what it posted."""

    def __init__(self) -> None:
        self.camera = CameraPeer(0, seed=3)
        self.inbox: queue.Queue[Event] = queue.Queue()
        self.reader = CameraReader("reader:qr", self.camera.url, DESK, lambda: TODAY)

    def next(self) -> Event:
        return self.inbox.get(timeout=LONG_S)

    def lost(self) -> str:
        event = self.next()
        assert isinstance(event, DeviceLost)
        assert event.device == "reader:qr"
        return event.code


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    made.reader.start(made.inbox.put)
    yield made
    made.reader.stop()
    made.camera.stop()


def test_a_frozen_camera_is_told_once_and_is_back_when_its_picture_moves(bench: Bench) -> None:
    bench.camera.show(card(ONE), 60)
    assert isinstance(bench.next(), CardSeen)
    bench.camera.freeze()
    assert bench.lost() == "camera_frozen"
    bench.reader.rest(1.0)
    assert bench.inbox.empty()
    bench.camera.freeze(False)
    assert isinstance(bench.next(), DeviceBack)


def test_a_station_that_dies_leaves_the_camera_to_the_next(bench: Bench) -> None:
    bench.camera.show(card(ONE), 60)
    assert isinstance(bench.next(), CardSeen)
    bench.reader.stop()
    again = CameraReader("reader:qr", bench.camera.url, DESK, lambda: TODAY)
    again.start(bench.inbox.put)
    assert isinstance(bench.next(), CardSeen)
    again.stop()
    again.stop()


def test_a_lens_that_is_covered_is_a_hint_and_no_failure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera, "DARK_MS", 300)
    bench.camera.show(card(ONE), 60)
    assert isinstance(bench.next(), CardSeen)
    assert bench.reader.hint is None
    bench.camera.play(Reel([], [jpeg(np.full((480, 640), 6, np.uint8))], 20))
    until(lambda: bench.reader.hint == "dark")
    assert bench.inbox.empty(), "a hall is dark at night, and its camera works"
    bench.camera.show(card(TWO), 60)
    assert isinstance(bench.next(), CardSeen)
    until(lambda: bench.reader.hint is None)


def test_a_cable_that_garbles_every_picture_is_told(bench: Bench) -> None:
    bench.camera.show(card(ONE), 60)
    assert isinstance(bench.next(), CardSeen)
    noise = [np.random.default_rng(seed).bytes(5_000) for seed in range(5)]
    bench.camera.play(Reel([], noise, 20))
    assert bench.lost() == "camera_garbled"
    bench.camera.show(card(TWO), 60)
    assert isinstance(bench.next(), DeviceBack)
    assert isinstance(bench.next(), CardSeen)


def test_a_pi_camera_without_its_library_says_what_to_install() -> None:
    reader = CameraReader("reader:qr", "csi:0", DESK, lambda: TODAY)
    inbox: queue.Queue[Event] = queue.Queue()
    reader.start(inbox.put)
    event = inbox.get(timeout=LONG_S)
    reader.stop()
    assert isinstance(event, DeviceLost)
    assert event.code == "camera_library"
    assert "picamera2" in event.detail


def until(seen: Callable[[], bool]) -> None:
    """Waits for it."""
    for _ in range(int(LONG_S / 0.05)):
        if seen():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never came")
