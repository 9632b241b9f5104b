"""What a machine without a clock can say of its entries' times, and what it must not."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hw_sim.time_worlds import World, world

from kiosk.core.timeline import (
    CLEARLY,
    MAX_IN_BOOT,
    Anchor,
    Interval,
    Settled,
    contradict_in_boot,
    follow,
    resolve,
    settle,
)

SEARCH = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
DAY_MS = 86_400_000
T_MS = 1_790_000_000_000
A, B, C, D = (letter * 32 for letter in "abcd")


def intervals(found: World) -> list[tuple[int, Interval]]:
    settled = settle(found.anchors)
    return [
        (one.true_ms, resolve(one.seq, one.boot, one.boot_ms, settled, recovered=one.recovered))
        for one in found.entries
    ]


def holds(true_ms: int, found: Interval) -> bool:
    after = found.from_ms is None or found.from_ms <= true_ms
    return after and (found.to_ms is None or true_ms <= found.to_ms)


@pytest.mark.parametrize("seed", range(40 * SEARCH))
def test_honest_servers_never_mislead(seed: int) -> None:
    """Wall clocks ten years off and stepping, servers late or never: the truth lies in every interval."""
    found = world(seed, boots=30, known_share=(seed % 5) / 4, recovered_share=0.1)
    settled = settle(found.anchors)
    assert all(one.believed for one in settled)
    assert all(holds(*each) for each in intervals(found))
    known = {one.boot for one in found.anchors}
    for entry, (_, interval) in zip(found.entries, intervals(found), strict=True):
        assert (interval.time == "exact") == (entry.boot in known)


@pytest.mark.parametrize("seed", range(40 * SEARCH))
def test_one_server_that_lies_misleads_about_its_own_boot_at_most(seed: int) -> None:
    """One boot's server is a day or ten years off; honest ones came before and after, often enough."""
    found = world(seed, boots=40, known_share=0.9)
    liar = found.anchors[len(found.anchors) // 2]
    off_ms = (1 if seed % 2 else -1) * (365 * DAY_MS if seed % 3 else 3650 * DAY_MS)
    anchors = [
        replace(one, utc_ms=one.utc_ms + off_ms) if one.boot == liar.boot else one
        for one in found.anchors
    ]
    settled = settle(anchors)
    assert {one.anchor.boot for one in settled if not one.believed} == {liar.boot}
    for entry in found.entries:
        interval = resolve(entry.seq, entry.boot, entry.boot_ms, settled)
        assert holds(entry.true_ms, interval), entry
        if entry.boot == liar.boot:
            assert interval.time == "bounded"


@pytest.mark.parametrize("seed", range(60 * SEARCH))
def test_who_is_misled_was_misled_by_a_lie_that_was_not_outvoted(seed: int) -> None:
    """Servers that lie at random, up to a third of them."""
    found = world(seed, boots=30, known_share=0.8, lie_share=0.1 + 0.1 * (seed % 3))
    settled = settle(found.anchors)
    believed_lies = [one.anchor for one in settled if one.believed and one.anchor.seq in found.lies]
    for entry, (true_ms, interval) in zip(found.entries, intervals(found), strict=True):
        if holds(true_ms, interval):
            continue
        if interval.time == "exact":
            assert entry.boot in found.lied
            assert any(one.boot == entry.boot for one in believed_lies)
        else:
            assert any(
                one.earliest_ms == interval.from_ms or one.latest_ms == interval.to_ms
                for one in believed_lies
            )
    for lie in believed_lies:
        own = _opponents(lie, found.anchors)
        for other in own:
            assert len(_opponents(other, found.anchors)) >= CLEARLY * len(own)


@pytest.mark.parametrize("seed", range(20 * SEARCH))
def test_two_that_are_believed_never_contradict(seed: int) -> None:
    found = world(seed, boots=25, known_share=0.9, lie_share=0.4)
    believed = [one.anchor for one in settle(found.anchors) if one.believed]
    for place, later in enumerate(believed):
        for earlier in believed[:place]:
            assert earlier.earliest_ms <= later.latest_ms
            assert earlier.boot != later.boot or not contradict_in_boot(earlier, later)


@pytest.mark.parametrize("seed", range(20 * SEARCH))
def test_following_one_by_one_is_settling_all(seed: int) -> None:
    """Where ``follow`` gives a place, it is the one that all together would have."""
    found = world(seed, boots=15, lie_share=0.2 * (seed % 2))
    for count in range(1, len(found.anchors) + 1):
        *before, new = found.anchors[:count]
        settled = settle(before)
        if not all(one.believed for one in settled):
            continue
        same_boot = [one for one in before if one.boot == new.boot]
        last = settled[-1] if settled else None
        followed = follow(last, same_boot, new)
        if followed is not None:
            assert [*settled[:-1], *settled[-1:], followed][-1] == settle([*before, new])[-1]
            assert settle([*before, new])[:-1] == [
                replace(one, before_ms=min(one.before_ms or 0, followed.before_ms or 0))
                for one in settled
            ]


def test_a_thousand_boots_resolve_as_few_do() -> None:
    found = world(7, boots=1_000, known_share=0.5)
    settled = settle(found.anchors)
    for entry in found.entries[::200]:
        interval = resolve(entry.seq, entry.boot, entry.boot_ms, settled)
        assert holds(entry.true_ms, interval)


# --- one thing each -----------------------------------------------------------------------------------


def test_two_anchors_of_one_boot_that_contradict_are_both_doubted() -> None:
    anchors = [
        Anchor(2, A, 10_000, T_MS, 50),
        Anchor(4, B, 10_000, T_MS + DAY_MS, 50),
        Anchor(6, B, 20_000, T_MS + 2 * DAY_MS, 50),
        Anchor(8, C, 10_000, T_MS + 5 * DAY_MS, 50),
    ]
    settled = settle(anchors)
    assert [one.believed for one in settled] == [True, False, False, True]
    assert resolve(5, B, 15_000, settled) == Interval("bounded", T_MS - 50, T_MS + 5 * DAY_MS + 50)


def test_where_it_is_one_against_one_neither_is_believed() -> None:
    anchors = [Anchor(2, A, 0, T_MS + DAY_MS, 50), Anchor(4, B, 0, T_MS, 50)]
    settled = settle(anchors)
    assert [one.believed for one in settled] == [False, False]
    assert resolve(3, C, 0, settled) == Interval("bounded", None, None)


def test_a_ten_year_lie_is_outvoted_by_the_third_honest_boot() -> None:
    lie = Anchor(2, A, 0, T_MS + 3650 * DAY_MS, 50)
    honest = [
        Anchor(4 + 2 * n, letter, 0, T_MS + n * DAY_MS, 50) for n, letter in enumerate((B, C, D))
    ]
    assert [one.believed for one in settle([lie, *honest[:2]])] == [False, False, False]
    assert [one.believed for one in settle([lie, *honest])] == [False, True, True, True]


def test_a_recovered_anchor_serves_its_boot_and_bounds_nothing() -> None:
    anchors = [
        Anchor(2, A, 1_000, T_MS - 7 * DAY_MS, 50, recovered=True),
        Anchor(9, B, 1_000, T_MS, 50),
    ]
    settled = settle(anchors)
    assert resolve(3, A, 2_000, settled, recovered=True) == Interval(
        "exact", T_MS - 7 * DAY_MS + 1_000 - 51, T_MS - 7 * DAY_MS + 1_000 + 51
    )
    assert resolve(4, C, 1_000, settled) == Interval("bounded", None, T_MS + 50)
    assert resolve(4, C, 1_000, settled, recovered=True) == Interval("bounded", None, T_MS + 50)
    assert resolve(10, C, 1_000, settled, recovered=True) == Interval("bounded", None, None)


def test_a_boot_that_says_its_time_without_end_is_looked_at_in_bounds() -> None:
    anchors = [Anchor(n, A, 1_000 * n, T_MS + 1_000 * n, 50) for n in range(1, MAX_IN_BOOT + 2)]
    assert all(one.believed for one in settle(anchors[:-1]))
    assert not any(one.believed for one in settle(anchors))


def test_nothing_is_known_without_anchors() -> None:
    assert settle([]) == []
    assert resolve(1, A, 5, []) == Interval("bounded", None, None)
    first = Anchor(2, A, 1_000, T_MS, 50)
    assert follow(None, [], first) == Settled(first, True, T_MS - 50, T_MS + 50)


def _opponents(one: Anchor, anchors: list[Anchor]) -> list[Anchor]:
    return [
        other
        for other in anchors
        if (other.seq < one.seq and other.earliest_ms > one.latest_ms)
        or (other.seq > one.seq and other.latest_ms < one.earliest_ms)
    ]
