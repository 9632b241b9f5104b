"""One contract for every card reader, on its own wire: what a resident and a caretaker may rely on.

What a reader cannot do by its nature is left out here and named in docs/readers.md.
"""

from __future__ import annotations

import importlib.util
import logging
import queue
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from driver_site import LONG_S
from hw_sim import pcsc_peer
from hw_sim.days import Day
from reader_site import AWAY_S, RIGS, CameraRig, Pn532Rig, Rig, SerialScannerRig, Shown

from kiosk.core.events import CardRefused, CardSeen, DeviceBack, DeviceLost, Event

PCSC = pytest.mark.skipif(
    not pcsc_peer.is_there() or importlib.util.find_spec("smartcard") is None,
    reason="needs pcscd, vsmartcard-vpcd and requirements/readers.lock",
)


class Field:
    """A rig, its inbox and what came."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.inbox: queue.Queue[Event] = queue.Queue()

    def start(self) -> None:
        self.rig.reader.start(self.inbox.put)

    def next(self) -> Event:
        return self.inbox.get(timeout=LONG_S)

    def sees(self, *cards: Shown) -> None:
        """Just these cards, each once, in any order, and nothing else meanwhile."""
        found = [self.next() for _ in cards]
        assert all(isinstance(event, CardSeen) for event in found), found
        assert sorted(event.pseudonym for event in found if isinstance(event, CardSeen)) == sorted(
            card.pseudonym for card in cards
        )
        assert {event.by for event in found if isinstance(event, CardSeen)} == {cards[0].by}

    def quiet(self, seconds: float) -> None:
        """Nothing is said for so long."""
        self.rig.reader.rest(seconds)
        assert self.inbox.empty(), self.inbox.get_nowait()

    def lost(self) -> str:
        event = self.next()
        assert isinstance(event, DeviceLost), event
        assert event.device == "reader:r" and event.detail.endswith(".")
        return event.code

    def back(self) -> None:
        event = self.next()
        assert isinstance(event, DeviceBack), event


def fields(*, hangs: bool = False, many: bool = False) -> list[object]:
    """The readers that the contract's clause is for."""
    return [
        pytest.param(rig, id=name, marks=[PCSC] if name == "pcsc" else [])
        for name, rig in RIGS.items()
        if (rig.hangs or not hangs) and (rig.many or not many)
    ]


@pytest.fixture
def field(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Field]:
    made = Field(request.param(tmp_path))
    yield made
    made.rig.reader.stop()
    ended = made.rig.reader.name not in {thread.name for thread in threading.enumerate()}
    made.rig.unplug()
    assert ended, "stop() waits STOP_S for the thread's end"


@pytest.mark.parametrize("field", fields(), indirect=True)
def test_held_still_is_one_reading_and_held_again_another(field: Field) -> None:
    one, two = field.rig.cards
    field.rig.plug()
    field.start()
    field.rig.show(one)
    field.sees(one)
    field.quiet(AWAY_S)
    field.rig.show(two)
    field.sees(two)
    field.rig.show()
    field.quiet(AWAY_S)
    field.rig.show(two)
    field.sees(two)


@pytest.mark.parametrize("field", fields(many=True), indirect=True)
def test_two_cards_at_once_are_each_read_once(field: Field) -> None:
    field.rig.plug()
    field.start()
    field.rig.show(*field.rig.cards)
    field.sees(*field.rig.cards)
    field.quiet(AWAY_S)


@pytest.mark.parametrize("field", fields(), indirect=True)
def test_what_is_no_card_of_ours_is_refused_with_its_reason_and_kept_nowhere(
    field: Field, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    field.rig.plug()
    field.start()
    told = []
    for bad in field.rig.bad:
        field.rig.show(bad)
        event = field.next()
        assert isinstance(event, CardRefused)
        assert (event.by, event.reason) == (bad.by, bad.reason)
        told.append(event)
    field.rig.show(field.rig.cards[0])
    event = field.next()
    assert isinstance(event, CardSeen)
    said = f"{told} {event} {field.rig.reader!r} {vars(field.rig.reader)} {caplog.text}"
    for shown in (*field.rig.bad, field.rig.cards[0]):
        for form in (repr(shown.token)[2:-1], shown.token.hex(), shown.token.hex(" "), "LIBRARY"):
            assert form not in said


@pytest.mark.parametrize("field", fields(), indirect=True)
def test_absent_at_the_start_unplugged_and_plugged_in_again(field: Field) -> None:
    one, two = field.rig.cards
    field.start()
    missing = field.lost()
    field.rig.plug()
    field.back()
    field.rig.show(one)
    field.sees(one)
    field.rig.unplug()
    assert field.lost() == missing
    field.rig.plug()
    field.back()
    field.rig.show(two)
    field.sees(two)
    field.quiet(0.3)


@pytest.mark.parametrize("field", fields(hangs=True), indirect=True)
def test_a_reader_that_hangs_is_told_once_and_works_again_after_a_reset(field: Field) -> None:
    one, two = field.rig.cards
    field.rig.plug()
    field.start()
    field.rig.show(one)
    field.sees(one)
    field.rig.hang(True)
    assert field.lost().endswith("_silent")
    field.rig.show(two)
    field.rig.hang(False)
    field.back()
    field.sees(two)


@pytest.mark.parametrize("field", fields(hangs=True), indirect=True)
def test_a_reader_that_hangs_is_stopped_in_time(field: Field) -> None:
    field.rig.plug()
    field.start()
    field.rig.show(field.rig.cards[0])
    field.sees(field.rig.cards[0])
    field.rig.hang(True)
    field.rig.reader.stop()
    field.rig.reader.stop()


def test_the_same_card_at_two_readers_at_once_is_one_check_in(tmp_path: Path) -> None:
    """A card swept past a camera and a scanner module beside it, and an NFC card in another hand."""
    camera, scanner, nfc = (
        Field(made(tmp_path)) for made in (CameraRig, SerialScannerRig, Pn532Rig)
    )
    (card, _), (other, _) = camera.rig.cards, nfc.rig.cards
    day = Day(1)
    day.run(4_000)
    for field, shown in ((camera, card), (scanner, card), (nfc, other)):
        field.rig.plug()
        field.start()
        field.rig.show(shown)
    for field in (camera, scanner, nfc):
        event = field.next()
        assert isinstance(event, CardSeen)
        day.post(replace(event, t_ms=day.t_ms))
    for field in (camera, scanner, nfc):
        field.rig.reader.stop()
        field.rig.unplug()
    assert day.books.checkins == [card.pseudonym, other.pseudonym]


def test_the_page_says_of_every_reader_what_it_is_held_to() -> None:
    page = (Path(__file__).parents[2] / "docs/quality.md").read_text(encoding="utf-8")
    table = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    rows = {row[0].strip("`"): row[1:] for row in table}
    assert list(rows) == list(RIGS)
    for name, rig in RIGS.items():
        assert rows[name][1].startswith("done" if rig.many else "exempt"), name
        assert rows[name][4].startswith("done" if rig.hangs else "exempt"), name
