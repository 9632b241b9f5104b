"""Words of a city in any order, at any hour: what counts never goes back."""

from __future__ import annotations

import itertools
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core.events import Moment
from kiosk.core.schedule import MAX_WAITING, Schedule, Term

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))


def at(utc_ms: int, *, synced: bool = True) -> Moment:
    return Moment(0, utc_ms, "synced" if synced else "unsynced", 0)


def term(version: int, effective_ms: int, signed_ms: int = 0, digest: str = "") -> Term:
    return Term(version, effective_ms, signed_ms, digest or f"{version}")


def counting(schedule: Schedule, now: Moment) -> Schedule:
    for version in schedule.due(now)[:1]:
        schedule = schedule.begun(version)
    return schedule


_terms = st.lists(
    st.builds(term, st.integers(1, 6), st.integers(0, 20), st.integers(0, 20)), max_size=12
)


@settings(derandomize=True, max_examples=200 * SIZE, deadline=None)
@given(_terms, st.lists(st.tuples(st.integers(0, 25), st.booleans()), max_size=12))
def test_what_is_in_force_never_goes_back_and_a_version_is_one_content(
    terms: list[Term], moments: list[tuple[int, bool]]
) -> None:
    schedule, seen = Schedule(), list[int]()
    digests: dict[int, Term] = {}
    for one, moment in itertools.zip_longest(terms, moments):
        if one is not None and schedule.refusal(one) is None:
            schedule = schedule.take(one)
        if moment is not None:
            schedule = counting(schedule, at(moment[0], synced=moment[1]))
        assert list(schedule.terms) == sorted(schedule.terms, key=lambda each: each.version)
        assert len(schedule.waiting()) <= MAX_WAITING
        assert [t.effective_ms for t in schedule.waiting()] == sorted(
            {t.effective_ms for t in schedule.waiting()}
        ), "none waits that will never count"
        here = schedule.term(schedule.in_force)
        if here is not None:
            seen.append(here.version)
            known = digests.setdefault(here.version, here)
            assert (known.effective_ms, known.digest) == (here.effective_ms, here.digest)
    assert seen == sorted(seen)


@settings(derandomize=True, max_examples=100 * SIZE, deadline=None)
@given(st.permutations([term(1, 0), term(2, 10), term(3, 20), term(4, 15)]), st.integers(0, 30))
def test_in_whatever_order_words_come_the_same_counts(terms: list[Term], now_ms: int) -> None:
    schedule = Schedule()
    for one in terms:
        if schedule.refusal(one) is None:
            schedule = schedule.take(one)
    schedule = counting(schedule, at(now_ms))
    assert schedule.in_force == (4 if now_ms >= 15 else 2 if now_ms >= 10 else 1)


def test_without_a_clock_only_what_the_city_signed_later_brings_a_word_into_force() -> None:
    schedule = Schedule().take(term(1, 0, 0)).begun(1).take(term(2, 10, 5))
    assert schedule.due(at(10**15, synced=False)) == ()
    assert schedule.due(at(9)) == () and schedule.due(at(10)) == (2,)
    told = schedule.take(term(3, 30, 12))
    assert told.due(at(0, synced=False)) == (2,), "the city signed the third after the second began"


def test_a_higher_version_that_is_effective_no_later_takes_a_waiting_ones_place() -> None:
    schedule = Schedule().take(term(1, 0)).begun(1).take(term(2, 20)).take(term(3, 20))
    assert [one.version for one in schedule.waiting()] == [3]
    assert schedule.refusal(term(2, 20)) == "old"
    assert schedule.refusal(term(3, 21)) == "conflict"
    assert schedule.refusal(term(3, 20, digest="other")) == "conflict"
    assert schedule.refusal(term(1, 0)) is None, "the one in force, said again"
