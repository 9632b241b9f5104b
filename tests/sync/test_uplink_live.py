"""What is written now does not wait behind what was written before: rules, event by event."""

from __future__ import annotations

import itertools

from test_uplink_rules import BATCH, Rig

from sync import ahead
from sync.ahead import AT_ONCE, BEHIND, MOST, PACE_MS
from sync.messages import AckError
from sync.on_way import FULL_BYTES, LEAST, QUEUE_MS, OnWay
from sync.on_way import MOST as WAY_MOST
from sync.uplink_events import Fetch, LedgerMoved, Puback
from sync.uplink_pace import ACK_TIMEOUT_MS, GAP_REPEAT_MS, WINDOW

LONG = 100 * BEHIND


def drop(rig: Rig, count: int = 1) -> list[int]:
    """``count`` more entries; the last seqs of what was published for it."""
    before = len(rig.published)
    rig.head += count
    rig.tell(LedgerMoved(rig.head, rig.rules.watermark, 1))
    return rig.published[before:]


def take_all(rig: Rig) -> None:
    for _ in range(WINDOW + MOST):
        rig.tell(Puback())


def test_an_entry_overtakes_a_long_backlog_and_goes_again_in_its_order() -> None:
    rig = Rig(head=LONG)
    take_all(rig)
    assert drop(rig) == [LONG + 1]
    assert drop(rig, 2) == [LONG + 3]
    assert rig.rules.sent == BATCH * WINDOW, "the backlog's own place has not moved"
    while rig.rules.sent < rig.head:
        rig.ack(rig.rules.sent)
        take_all(rig)
    assert rig.published.count(LONG + 3) == 2


def test_only_what_is_new_overtakes_and_each_once() -> None:
    rig = Rig(head=LONG)
    take_all(rig)
    fetched = [each for each in rig.did if isinstance(each, Fetch) and each.ahead]
    assert fetched == []
    drop(rig)
    rig.ack(BATCH)
    take_all(rig)
    (only,) = (each for each in rig.did if isinstance(each, Fetch) and each.ahead)
    assert only == Fetch(LONG, ahead.ENTRIES, ahead=True)


def test_nothing_overtakes_a_backlog_that_is_gone_in_a_moment() -> None:
    rig = Rig(head=BATCH * WINDOW + BEHIND - 1)
    take_all(rig)
    assert drop(rig) == []


def test_a_day_of_draining_fills_the_citys_places_ever_more_slowly() -> None:
    rig = Rig(head=LONG)
    take_all(rig)
    times_ms: list[int] = []
    for _ in range(20_000):
        rig.now_ms += 4_000
        rig.ack(rig.rules.watermark)  # the city lives, and comes no further
        drop(rig)
        take_all(rig)
        times_ms += [rig.now_ms] * (sum(seq > LONG for seq in rig.published) - len(times_ms))
    assert AT_ONCE + 10 < len(times_ms) <= MOST
    waits_ms = [later - before for before, later in itertools.pairwise(times_ms)]
    assert waits_ms[: AT_ONCE - 1] == [4_000] * (AT_ONCE - 1)
    assert all(later >= before for before, later in itertools.pairwise(waits_ms))
    assert waits_ms[-1] > 1_000 * PACE_MS


def test_while_the_city_is_silent_nothing_overtakes() -> None:
    rig = Rig(head=LONG)
    take_all(rig)
    rig.pass_ms(ACK_TIMEOUT_MS)
    take_all(rig)
    assert drop(rig) == []
    rig.ack(BATCH)
    take_all(rig)
    assert drop(rig) == [rig.head], "what came meanwhile is backlog, what comes now is not"


def test_a_gap_that_is_still_on_its_way_is_no_gap() -> None:
    """A slow line, and behind its first batch an entry that went ahead and is parked: the city tells a
    gap after five seconds, and going back would send the same again over the same slow line."""
    rig = Rig(head=LONG)
    assert drop(rig) == [LONG + 1]
    before = list(rig.published)
    rig.now_ms += GAP_REPEAT_MS
    rig.ack(0, AckError("gap", 1))
    assert rig.published == before
    take_all(rig)
    rig.ack(0, AckError("gap", 1))
    assert rig.published[len(before) :] == [BATCH]


def way(maximum: int = 100) -> OnWay:
    on_way = OnWay()
    on_way.begin(maximum)
    return on_way


def fill(on_way: OnWay, now_ms: int) -> int:
    """As many full batches as there is room for."""
    count = 0
    while on_way.room():
        on_way.add(1, 1, FULL_BYTES, now_ms)
        count += 1
    return count


def test_a_slow_line_keeps_two_batches_and_no_queue() -> None:
    """One batch a second: what is written now waits for two, not for sixteen."""
    on_way, now_ms = way(), 0
    fill(on_way, now_ms)
    for _ in range(40):
        now_ms += 1_000
        on_way.taken(now_ms)
        fill(on_way, now_ms)
    assert len(on_way) <= LEAST + 1
    assert on_way.room(ahead=True)


def test_a_long_way_without_a_queue_is_filled() -> None:
    """A satellite: every PUBACK takes 700 ms, however many are under way."""
    on_way, now_ms = way(), 0
    for _ in range(20):
        sent = fill(on_way, now_ms)
        now_ms += 700
        for _ in range(sent):
            on_way.taken(now_ms)
    assert fill(on_way, now_ms) == WAY_MOST


def test_the_bound_comes_back_when_the_queue_is_gone() -> None:
    on_way, now_ms = way(), 0
    on_way.add(1, 1, FULL_BYTES, 0)
    on_way.taken(20)
    for _ in range(5):
        sent = fill(on_way, now_ms)
        now_ms += QUEUE_MS * 4
        for _ in range(sent):
            on_way.taken(now_ms)
    assert fill(on_way, now_ms) == LEAST
    for _ in range(WAY_MOST):
        on_way.taken(now_ms + 20)
        fill(on_way, now_ms)
    assert len(on_way) > LEAST


def test_places_are_kept_for_what_goes_ahead_and_the_brokers_bound_holds() -> None:
    on_way = way(maximum=10)
    assert fill(on_way, 0) == 8
    on_way.add(1, 1, 400, 0)
    on_way.add(1, 1, 400, 0)
    assert not on_way.room(ahead=True)
    assert fill(way(maximum=1), 0) == 1
