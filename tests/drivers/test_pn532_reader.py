"""An NFC reader on a real line, with the chip's bytes at its other end."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest
from hw_sim.pn532_peer import Pn532Peer, Tag

from drivers.pn532_pump import Pn532Reader
from kiosk.core.cards import CardDesk
from kiosk.core.events import CardRefused, CardSeen, DeviceBack, DeviceLost, Event

PSEUDONYM_KEY = bytes(range(32, 64))
DESK = CardDesk({1: bytes(32)}, PSEUDONYM_KEY)
NTAG = Tag(bytes.fromhex("04a1b2c3d4e580"), sak=0x00)
FELICA = Tag(bytes.fromhex("01120312b50ac826"), kind="felica")
LONG_S = 10.0
"""How long a test waits before it calls something absent that should have come."""


class Bench:
    """A reader, its peer and what it posted."""

    def __init__(self, folder: Path) -> None:
        self.peer = Pn532Peer(folder / "nfc")
        self.inbox: queue.Queue[Event] = queue.Queue()
        self.reader = Pn532Reader("reader:nfc", self.peer.path, DESK)

    def next(self) -> Event:
        return self.inbox.get(timeout=LONG_S)

    def seen(self) -> CardSeen:
        event = self.next()
        assert isinstance(event, CardSeen)
        return event


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.reader.start(made.inbox.put)
    yield made
    made.reader.stop()
    made.peer.stop()


def test_a_telephone_with_random_numbers_is_refused_once(bench: Bench) -> None:
    bench.peer.place(Tag(b"", random=True))
    event = bench.next()
    assert isinstance(event, CardRefused)
    assert event.reason == "random"
    bench.peer.place(NTAG)
    assert isinstance(bench.next(), CardSeen)


def test_a_my_number_card_is_refused_once(bench: Bench) -> None:
    bench.peer.place(Tag(b"", kind="b"))
    event = bench.next()
    assert isinstance(event, CardRefused)
    assert (event.by, event.reason) == ("nfc", "unknown")
    bench.peer.place(FELICA)
    assert isinstance(bench.next(), CardSeen)


def test_a_few_garbled_answers_lose_neither_the_reader_nor_the_card(bench: Bench) -> None:
    bench.peer.garble(2)
    bench.peer.place(NTAG)
    bench.seen()


def test_a_chip_that_answers_nonsense_is_lost_as_garbled(bench: Bench) -> None:
    bench.peer.place(NTAG)
    bench.seen()
    bench.peer.garble(1_000_000)
    lost = bench.next()
    assert isinstance(lost, DeviceLost)
    assert lost.code == "nfc_garbled"
    bench.peer.garble(0)
    assert isinstance(bench.next(), DeviceBack)
