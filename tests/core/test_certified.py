"""Stories of verified indicators, told in their own bytes: which weighings are certified, and which not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest
from hw_sim.days import Day
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import indicator_ad, indicator_cas, indicator_dini, indicator_sma
from drivers.serial_scale import reading
from drivers.telegram import Codec, Frame
from kiosk.core import certified
from kiosk.core.config import ScaleRules
from kiosk.core.events import Moment

ANN = b"a" * 16
MIN_G = 400
Say = Callable[[int], bytes]
"""Grams to the bytes of a stable telegram."""


def standard(grams: int) -> bytes:
    return f"ST,GS,+{grams / 1000:08.3f}kg\r\n".encode()


def balance(grams: int) -> bytes:
    """A&D's balances leave the mode out: it may be a net weight as well."""
    return f"ST,+{grams:08.1f}  g\r\n".encode()


class Line:
    """A day whose first bin stands on a verified indicator, and its serial line."""

    def __init__(self, codec: Codec | None = None) -> None:
        self.day = Day(1)
        first, *others = self.day.rules.bins
        assert first.scale is not None
        scale = replace(
            first.scale,
            counts_per_gram=None,
            zeroes_itself=False,
            certified_until_day=self.day.days,
            certified_min_g=MIN_G,
        )
        self.day.rules = replace(
            self.day.rules, bins=(replace(first, scale=scale), *others), visit_idle_ms=600_000
        )
        self.day.restart()
        self.codec = indicator_ad.decoder() if codec is None else codec

    def hear(self, raw: bytes, *, after_ms: int = 100) -> None:
        """Bytes on the line, a tenth of a second after those before."""
        self.day.t_ms += after_ms
        for found in self.codec.feed(raw):
            if isinstance(found, Frame):
                self.day.post(reading("b0", found, self.day.t_ms))

    def stands(self, grams: int, say: Say = standard, *, telegrams: int = 25) -> None:
        for _ in range(telegrams):
            self.hear(say(grams))

    def modes(self) -> list[str]:
        return [w.mode for w in self.day.books.weighings]

    def seal(self) -> certified.Seal:
        day = self.day
        return certified.seal(
            day.station.bins["b0"], Moment(day.t_ms, day.t_ms, "synced", day.days)
        )


@pytest.fixture
def line() -> Line:
    line = Line()
    line.stands(2_000)
    line.day.card(ANN)
    line.stands(2_000)
    return line


def test_two_weights_that_say_gross_are_certified(line: Line) -> None:
    line.stands(2_500)
    assert line.modes() == ["certified"]
    assert line.day.station.view().estimate is False
    assert line.seal() == "valid"


def test_a_balance_that_does_not_say_gross_certifies_nothing() -> None:
    line = Line()
    line.stands(2_000, balance)
    line.day.card(ANN)
    line.stands(2_000, balance)
    line.stands(2_500, balance)
    assert line.modes() == ["estimate"]
    assert line.day.station.view().estimate is True
    assert line.seal() == "unsaid", "and the doctor says why"


@pytest.mark.parametrize(("before", "after"), [(standard, balance), (balance, standard)])
def test_one_weight_that_does_not_say_gross_is_enough_to_lose_it(before: Say, after: Say) -> None:
    line = Line()
    line.stands(2_000, before)
    line.day.card(ANN)
    line.stands(2_000, before)
    line.stands(2_500, after)
    assert line.modes() == ["estimate"]
    line.stands(3_000, after)
    line.stands(3_500, after)
    whole = "certified" if after is standard else "estimate"
    assert line.modes()[1:] == [whole, whole], "from the second one on both ends are alike"


def test_one_telegram_of_a_plateau_without_gross_is_enough_to_lose_it(line: Line) -> None:
    line.stands(2_500, telegrams=3)
    line.hear(balance(2_500))
    line.stands(2_500)
    assert line.modes() == ["estimate"]
    line.stands(3_000)
    assert line.modes() == ["estimate", "estimate"], "it was counted from that one"
    line.stands(3_500)
    assert line.modes()[2:] == ["certified"]


def test_below_min_a_weight_is_an_estimate_and_shown_as_one(line: Line) -> None:
    line.stands(2_000 + MIN_G - 20)
    assert line.modes() == ["estimate"]
    assert line.day.station.view().estimate is True


def test_what_was_carried_counts_from_the_weight_that_it_began_at() -> None:
    line = Line()
    line.stands(2_000, balance)
    line.day.card(ANN)
    line.stands(2_000, balance)
    line.stands(2_010, balance)  # too little: carried, and so is where it began
    line.stands(2_500)
    assert line.modes() == ["estimate"]


def test_what_only_comes_back_leaves_a_weight_that_no_telegram_said() -> None:
    line = Line()
    line.stands(0)
    line.day.card(ANN)
    line.stands(0)
    line.stands(2_000)
    line.day.run(700_000)  # Ann's visit is over
    line.stands(2_000)
    line.stands(1_000)
    line.stands(1_000, telegrams=80)
    line.day.card(ANN)
    line.stands(1_000)
    line.stands(2_600)  # a kilogram comes back, and 600 g with it
    first, last = line.day.books.weighings
    assert (first.mode, first.net_g) == ("certified", 2_000)
    assert (last.mode, last.net_g) == ("estimate", 600), "counted from 2,000 g, which was reckoned"


def test_after_a_start_the_first_weight_said_is_where_certified_begins(line: Line) -> None:
    line.day.restart()
    line.stands(2_500)
    line.stands(3_000)
    assert line.modes() == ["certified"]


@pytest.mark.parametrize(
    ("codec", "says", "does_not"),
    [
        (indicator_dini.decoder, b"01ST,GS,%8.2f,kg\r\n", None),
        (indicator_cas.decoder, b"ST,GS,%8.2fkg\r\n", None),
        (indicator_sma.decoder, b"\n 1G  %10.2fkg \r", None),
        (indicator_ad.decoder, b"ST,GS,+%08.2fkg\r\n", b"ST,+%08.0f  g\r\n"),
    ],
    ids=["dini", "cas", "sma", "ad"],
)
def test_every_protocol_that_can_say_gross_is_believed_when_it_does(
    codec: Callable[[], Codec], says: bytes, does_not: bytes | None
) -> None:
    line = Line(codec())
    line.stands(2_000, lambda grams: says % (grams / 1000))
    line.day.card(ANN)
    line.stands(2_000, lambda grams: says % (grams / 1000))
    line.stands(2_500, lambda grams: says % (grams / 1000))
    assert line.modes() == ["certified"]
    if does_not is not None:
        form = does_not
        line.stands(3_000, lambda grams: form % grams)
        assert line.modes() == ["certified", "estimate"]


Form = Literal["says", "says not", "once not"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["says", "says not", "once not"]), min_size=2, max_size=8))
def test_certified_is_exactly_what_both_ends_said(forms: list[Form]) -> None:
    line, grams, told = Line(), 0, []
    for number, form in enumerate(forms):
        if form == "once not":
            line.stands(grams, telegrams=2)
            line.hear(balance(grams))
        line.stands(grams, balance if form == "says not" else standard)
        told.append(form == "says")
        if number == 0:
            line.day.card(ANN)
        grams += 500
    both = [before and after for before, after in pairwise(told)]
    assert line.modes() == ["certified" if each else "estimate" for each in both]


def test_a_scale_made_of_counts_is_never_certified() -> None:
    day = Day(1)
    first, *others = day.rules.bins
    assert isinstance(first.scale, ScaleRules)
    sealed = replace(first.scale, certified_until_day=day.days + 100)
    day.rules = replace(day.rules, bins=(replace(first, scale=sealed), *others))
    day.restart()
    day.run(4_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 3_000)
    day.run(6_000)
    assert [w.mode for w in day.books.weighings] == ["estimate"]
