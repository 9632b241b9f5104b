"""A card held before a real video stream, through OpenCV, to the event that the rules get."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import numpy as np
import pytest
from hw_sim import cardprint
from hw_sim.cardprint import Pose
from hw_sim.mjpeg import CameraPeer

from drivers.camera import CameraReader
from drivers.frames import ALERT_MS, GLANCE_MS, FrameReader, MotionGate
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


def noise(seed: int) -> cardprint.Gray:
    return np.random.default_rng(seed).integers(90, 110, (480, 640)).astype(np.uint8)


def test_a_still_noisy_scene_does_not_wake_the_reader_and_a_hand_does() -> None:
    gate = MotionGate()
    assert not any(gate.alert(noise(frame), 100 * frame) for frame in range(50))
    hand = noise(51)
    hand[200:300, 200:300] = 170
    assert gate.alert(hand, 5_000)
    assert gate.alert(hand, 5_000 + ALERT_MS - 1)


def test_a_card_that_lay_there_before_the_start_is_found_by_a_glance() -> None:
    scene = np.full((480, 640), 100, np.uint8)
    laid = cardprint.lay(scene, cardprint.face(card(ONE)), Pose(320, 240, 300))
    reader = FrameReader()
    found = [reader.read(laid, t_ms) for t_ms in range(0, GLANCE_MS + 1, 100)]
    assert card(ONE).encode() in [code.text for codes in found for code in codes]
