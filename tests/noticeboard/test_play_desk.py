"""Votes, thanks and the quiz at a real ledger: kept without anybody's name, taken only so often."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk import catalogue
from kiosk.core.config import BinRules, StationRules
from kiosk.core.effects import Item
from kiosk.core.errors import OperatorError
from kiosk.core.events import Event, Noted
from kiosk.core.memory import BinBook, Memory
from kiosk.core.station import Station
from kiosk.core.view import View
from kiosk.ledger import Ledger
from kiosk.ledger.reading import reading
from kiosk.noticeboard.play_desk import FILE, PlayDesk, QuizAct, ThanksAct, VoiceAct
from kiosk.noticeboard.playing import PlayTold
from kiosk.screen.texts.town import spoken

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))

from ledger_site import DAY_MS, Site

ROOT = Path(__file__).parents[2]
CATALOGUE = catalogue.load(ROOT / "config/catalogue.toml")
ITEMS = ("pet-bottle", "can-alu", "carton", "clothes")
TODAY = (date(2026, 12, 3) - date(1970, 1, 1)).days


class Hall:
    """A desk over a ledger; the loop's part is to append what is noted."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder / "data")
        self.site.clock.utc_ms = TODAY * DAY_MS
        self.town = folder / "town.toml"
        self.town.write_text((ROOT / "config/town.toml").read_text("utf-8"), "utf-8")
        self.ledger: Ledger = self.site.open()
        self.busy = False
        self.told: list[Any] = []
        self.checkins = 0
        self.desk = self.begin()

    def begin(self) -> PlayDesk:
        """The station starts."""
        desk = PlayDesk(
            self.town,
            self.site.folder,
            ITEMS,
            self.ledger,
            catalogue=lambda: CATALOGUE,
            today=lambda: self.site.clock.utc_ms // DAY_MS,
            follow=self.follow,
            post=lambda _: None,
            tell=lambda _, value: self.told.append(value),
            spoken=spoken(None),
        )
        desk.look()
        self.desk = desk
        self.somebody_came()
        return desk

    def follow(self, event: Event, _: float) -> Sequence[tuple[int, Item]]:
        assert isinstance(event, Noted)
        if self.busy:
            raise TimeoutError
        item = Item(event.draft)
        return [(seq, item) for seq in self.ledger.append([item])]

    def somebody_came(self, *, visits_open: int = 0) -> None:
        """Another card was seen; its visit is over, or still open."""
        self.checkins += 1
        self.desk.note(seen(self.checkins, visits_open))

    def vote(self, choice: int) -> None:
        self.somebody_came()
        taker(self.desk, VoiceAct)(VoiceAct("2026-12", choice))

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        with reading(self.site.folder) as db:
            rows = db.execute("SELECT body FROM ledger ORDER BY seq").fetchall()
            found = [json.loads(body) for (body,) in rows]
        return [body for body in found if body["kind"] == kind]


def seen(checkins: int, visits_open: int) -> View:
    rules = StationRules(bins=(BinRules("b1", "pet-bottle", None),))
    books = (BinBook(bin="b1", item="pet-bottle", bag="bag", gross_g=None),)
    view = Station(rules, Memory("v", books, same_boot=True)).view()
    return msgspec.structs.replace(view, checkins=checkins, visits_open=visits_open)


def taker(desk: PlayDesk, shape: type) -> Callable[[Any], Any]:
    return next(one.take for one in desk.takers() if one.shape is shape)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    made = Hall(tmp_path)
    with closing(made.ledger):
        yield made


def latest(hall: Hall) -> PlayTold:
    hall.desk.look()
    told = hall.told[-1]
    assert isinstance(told, PlayTold)
    return told


def test_four_answers_are_nobodys_business_and_five_are_told_together(hall: Hall) -> None:
    for choice in (0, 1, 1, 2):
        hall.vote(choice)
    question = latest(hall).question
    assert question is not None and question.counts is None
    assert hall.bodies("voice") == []
    assert (hall.site.folder / FILE).stat().st_mtime == 0
    hall.vote(1)
    question = latest(hall).question
    assert question is not None and question.counts == (1, 3, 1)
    (entry,) = hall.bodies("voice")
    assert set(entry) == {"seq", "at", "kind", "question", "batch", "counts"}
    hall.vote(0)
    question = latest(hall).question
    assert question is not None and question.counts == (1, 3, 1), "the sixth waits for four more"


def test_a_power_cut_between_any_two_writes_counts_nobody_twice(hall: Hall) -> None:
    for choice in (0, 0, 1, 1):
        hall.vote(choice)
    kept = (hall.site.folder / FILE).read_bytes()
    hall.vote(2)
    (hall.site.folder / FILE).write_bytes(kept.replace(b"[2,2,0]", b"[2,2,1]"))
    hall.begin()  # the entry was written, the file not
    hall.vote(2)
    assert [body["counts"] for body in hall.bodies("voice")] == [[2, 2, 1]]
    question = latest(hall).question
    assert question is not None and question.counts == (2, 2, 1)


def test_what_the_ledger_does_not_take_now_it_takes_with_the_next_answer(hall: Hall) -> None:
    for _ in range(4):
        hall.vote(0)
    hall.busy = True
    hall.vote(1)
    assert hall.bodies("voice") == []
    hall.busy = False
    hall.vote(1)
    assert [body["counts"] for body in hall.bodies("voice")] == [[4, 2, 0]]


def test_a_damaged_file_loses_four_answers_at_most(hall: Hall) -> None:
    draw = random.Random(5)
    for _ in range(20):
        (hall.site.folder / FILE).write_bytes(draw.randbytes(draw.randint(0, 60)))
        hall.vote(0)
    assert hall.bodies("voice") == []


def test_one_finger_is_taken_once_and_nobody_votes_over_a_visit(hall: Hall) -> None:
    vote = taker(hall.desk, VoiceAct)
    vote(VoiceAct("2026-12", 0))
    with pytest.raises(OperatorError) as refused:
        vote(VoiceAct("2026-12", 0))
    assert refused.value.code == "play_rest"
    hall.somebody_came(visits_open=1)
    with pytest.raises(OperatorError) as refused:
        vote(VoiceAct("2026-12", 0))
    assert refused.value.code == "play_visit"


@pytest.mark.parametrize("asked", [VoiceAct("2026-11", 0), VoiceAct("2026-12", 3)])
def test_what_is_not_asked_is_not_answered(hall: Hall, asked: VoiceAct) -> None:
    with pytest.raises(OperatorError) as refused:
        taker(hall.desk, VoiceAct)(asked)
    assert refused.value.code == "play_gone"


def test_thanks_are_counted_by_day_and_week_and_go_after_a_month(hall: Hall) -> None:
    def thank(sentence: str) -> None:
        hall.somebody_came()
        taker(hall.desk, ThanksAct)(ThanksAct(sentence))

    thank("bag")
    thank("clean")
    hall.site.clock.utc_ms += DAY_MS  # Friday
    thank("talk")
    thanks = latest(hall).thanks
    assert thanks is not None and (thanks.today, thanks.week) == (1, 3)
    hall.site.clock.utc_ms += 3 * DAY_MS  # Monday
    thanks = latest(hall).thanks
    assert thanks is not None and (thanks.today, thanks.week) == (0, 0)
    hall.site.clock.utc_ms += 40 * DAY_MS
    thank("bag")
    with reading(hall.site.folder) as db:
        days = db.execute("SELECT day FROM said WHERE what = 'thanked'").fetchall()
    assert len(days) == 1
    with pytest.raises(OperatorError):
        thank("nobody-wrote-this")


def test_thanks_of_an_unknown_day_count_for_none(hall: Hall) -> None:
    hall.site.clock.clock = "unsynced"
    taker(hall.desk, ThanksAct)(ThanksAct("bag"))
    thanks = latest(hall).thanks
    assert thanks is not None and (thanks.today, thanks.week) == (0, 0)
    assert len(hall.bodies("thanked")) == 1


def test_the_quiz_asks_after_this_stations_items_and_writes_nothing(hall: Hall) -> None:
    before = hall.ledger.head
    questions = taker(hall.desk, QuizAct)(QuizAct())["questions"]
    assert questions
    for one in questions:
        if one.kind == "bin":
            assert {answer.picture for answer in one.answers} <= set(ITEMS)
    assert hall.ledger.head == before


def test_a_default_town_asks_nothing(hall: Hall) -> None:
    hall.town.write_text('[[notice]]\nja = "休み"\n', "utf-8")
    assert latest(hall) == PlayTold()
    for shape, asked in ((QuizAct, QuizAct()), (ThanksAct, ThanksAct("bag"))):
        with pytest.raises(OperatorError) as refused:
            taker(hall.desk, shape)(asked)
        assert refused.value.code == "play_gone"
