"""Chips that prove themselves, held to a reader on a real line."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hw_sim.ntag424 import FileChip, Ntag424
from hw_sim.pn532_peer import Pn532Peer, Tag

from drivers.pn532_pump import Pn532Reader
from kiosk.cards.ciphers import LibraryCiphers
from kiosk.cards.counters import CounterFile
from kiosk.core.cards import CardDesk, day_of, pseudonym
from kiosk.core.cards.sun import Sun, SunKey, Template
from kiosk.core.events import CardRefused, CardSeen, DeviceLost, Event

META, FILE = bytes(range(16)), bytes(range(16, 32))
PSEUDONYM_KEY = bytes(range(32, 64))
UID, OTHER = bytes.fromhex("04de5f1eacc040"), bytes.fromhex("04a1b2c3d4e580")
ADDRESS = "https://town.example/c?picc_data={picc}&cmac={mac}"
ATS = bytes.fromhex("067777710280")
TODAY, LAST_DAY = day_of(2026, 11, 24), day_of(2027, 3, 31)
LONG_S = 20.0


def chip(uid: bytes = UID) -> Ntag424:
    return Ntag424(uid, ADDRESS, meta_key=META, file_key=FILE)


def card(own: FileChip, uid: bytes = UID, *, random: bool = False) -> Tag:
    return Tag(uid, sak=0x20, ats=ATS, random=random, chip=own)


class Bench:
    """A reader with the town's keys, its peer and what it posted."""

    def __init__(self, folder: Path) -> None:
        self.today = TODAY
        self.counters = CounterFile(folder / "counters.db")
        keys = (SunKey(FILE, META, last_day=LAST_DAY),)
        template = Template("?picc_data={picc}&cmac={mac}")
        sun = Sun(keys, template, LibraryCiphers(), self.counters)
        self.peer = Pn532Peer(folder / "nfc")
        self.inbox: queue.Queue[Event] = queue.Queue()
        desk = CardDesk({}, PSEUDONYM_KEY, sun=sun)
        self.reader = Pn532Reader("reader:nfc", self.peer.path, desk, lambda: self.today)

    def show(self, tag: Tag) -> Event:
        """Lay a card down, as after another that has been away for long enough."""
        self.peer.place(tag)
        return self.inbox.get(timeout=LONG_S)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    with closing(made.counters):
        made.reader.start(made.inbox.put)
        yield made
        made.reader.stop()
        made.peer.stop()


def why(event: Event) -> str:
    assert isinstance(event, CardRefused)
    assert event.by == "nfc"
    return event.reason


def test_a_chip_proves_itself_once_while_it_is_held(bench: Bench) -> None:
    own = chip()
    event = bench.show(card(own))
    assert isinstance(event, CardSeen)
    assert event.proves
    assert event.pseudonym == pseudonym(PSEUDONYM_KEY, "sun", UID)
    assert isinstance(bench.show(card(chip(OTHER), OTHER)), CardSeen)
    assert own.counter == 1
    assert bench.inbox.empty()


def test_two_chips_that_hide_their_numbers_are_two_people(bench: Bench) -> None:
    first = bench.show(card(chip(), random=True))
    second = bench.show(card(chip(OTHER), random=True))
    assert isinstance(first, CardSeen) and isinstance(second, CardSeen)
    assert first.pseudonym == pseudonym(PSEUDONYM_KEY, "sun", UID)
    assert second.pseudonym == pseudonym(PSEUDONYM_KEY, "sun", OTHER)
    assert bench.inbox.empty()


def test_a_recorded_message_is_a_replay_and_an_older_one_a_copy(bench: Bench) -> None:
    own = chip(OTHER)
    old, new = own.url(), own.url()
    assert isinstance(bench.show(card(FileChip(new), random=True)), CardSeen)
    assert why(bench.show(card(FileChip(new), OTHER))) == "replayed"
    bench.counters.count(pseudonym(PSEUDONYM_KEY, "sun", UID), 9)
    assert why(bench.show(card(chip()))) == "copied"
    assert old != new


def test_a_forged_tag_is_refused_and_its_number_does_not_count_instead(bench: Bench) -> None:
    forged = Ntag424(UID, ADDRESS, meta_key=META, file_key=bytes(16))
    assert why(bench.show(card(forged))) == "forged"
    assert why(bench.show(card(FileChip(chip().url()), OTHER))) == "forged"
    assert isinstance(bench.show(Tag(bytes.fromhex("04000000000001"), sak=0)), CardSeen)


def test_a_chip_past_its_keys_last_day_is_expired(bench: Bench) -> None:
    bench.today = LAST_DAY + 1
    assert why(bench.show(card(chip()))) == "expired"


def test_one_message_spoilt_on_its_way_costs_a_look_and_no_word(bench: Bench) -> None:
    own = chip()
    spoilt: list[bytes] = []

    def spoil(answer: bytes) -> bytes:
        if spoilt or len(answer) < 50:
            return answer
        spoilt.append(answer)
        return answer[:60] + bytes((answer[60] ^ 1,)) + answer[61:]

    own.spoil = spoil
    assert isinstance(bench.show(card(own)), CardSeen)
    assert spoilt


@pytest.mark.parametrize("steps", range(3))
def test_a_chip_that_breaks_off_is_unread_and_the_reader_stays_well(
    bench: Bench, steps: int
) -> None:
    own = chip()
    power = own.power

    def short_of_breath() -> None:
        power()
        own.steps = steps

    own.power = short_of_breath  # type: ignore[method-assign]
    assert why(bench.show(card(own))) == "unread"
    assert isinstance(bench.show(Tag(bytes.fromhex("04000000000001"), sak=0)), CardSeen)


def test_a_telephone_is_kindly_refused_and_a_foreign_chip_identifies(bench: Bench) -> None:
    assert why(bench.show(Tag(b"", sak=0x20, ats=ATS, random=True))) == "random"
    nameless = bench.show(Tag(OTHER, sak=0x20, ats=ATS))
    assert isinstance(nameless, CardSeen) and not nameless.proves
    poster = bench.show(card(FileChip(b"https://shop.example/"), UID))
    assert isinstance(poster, CardSeen) and not poster.proves
    assert poster.pseudonym == pseudonym(PSEUDONYM_KEY, "nfc", UID)


def test_where_counters_cannot_be_kept_the_reader_is_lost_and_no_card_counts(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    bench = Bench(folder)
    bench.counters._path = tmp_path / "gone" / "counters.db"
    bench.reader.start(bench.inbox.put)
    event = bench.show(card(chip()))
    assert isinstance(event, DeviceLost)
    assert event.code == "card_counters"
    bench.reader.stop()
    bench.peer.stop()
