"""What the broker's bounds, a twin, a paid-for line and renewed certificates make of the rules; time is a
number."""

from __future__ import annotations

from sync.gathered import ENOUGH
from sync.uplink import Uplink
from sync.uplink_events import (
    Action,
    Announce,
    BatchFetched,
    Certificate,
    Connect,
    Disconnect,
    Event,
    Fetch,
    Hurried,
    LedgerMoved,
    LinkDown,
    LinkUp,
    Noted,
    Puback,
    Publish,
    Renewed,
    Report,
    StationDown,
    StationUp,
    Tick,
    TooLarge,
)
from sync.uplink_pace import (
    CUTS,
    HOLD_LIMIT_MS,
    METERED_REFUSED_LIMIT_MS,
    REFUSED_LIMIT_MS,
    TWIN_MS,
    Pace,
)
from sync.uplink_wire import Link


class Rig:
    """Rules over a ledger of ``head`` entries; nothing is answered that a story does not answer."""

    def __init__(self, head: int, *, pace: Pace | None = None, draw: float = 0.5) -> None:
        self.rules = Uplink(lambda: draw, pace)
        self.now_ms = 1000
        self.head = head
        self.tell(StationUp("a1" * 16, head, 0, 1))

    def tell(self, event: Event) -> list[Action]:
        return self.rules.handle(event, self.now_ms)

    def fetched(self, fetch: Fetch) -> list[Action]:
        last = min(fetch.after + fetch.max_entries, self.head)
        return self.tell(BatchFetched(fetch.after, last, b"batch"))

    def pass_ms(self, wait_ms: int) -> list[Action]:
        self.now_ms += wait_ms
        return self.tell(Tick())

    def wait(self) -> int:
        """Until the next deadline; how long that was."""
        assert self.rules.deadline_ms is not None
        wait_ms = self.rules.deadline_ms - self.now_ms
        self.pass_ms(wait_ms)
        return wait_ms


def only(kind: type[Action], did: list[Action]) -> list[Action]:
    return [each for each in did if isinstance(each, kind)]


def reported(did: list[Action]) -> list[tuple[bool, str | None]]:
    return [(each.online, each.code) for each in did if isinstance(each, Report)]


def test_a_broker_that_takes_one_at_a_time_is_sent_the_birth_and_then_the_batch() -> None:
    rig = Rig(head=10)
    did = rig.tell(LinkUp(1))
    assert only(Announce, did) and not only(Fetch, did)
    (fetch,) = only(Fetch, rig.tell(Puback(of="state")))
    assert only(Publish, rig.fetched(fetch))
    # The station goes while the batch waits for its PUBACK: the news of it has to wait as well.
    assert not only(Announce, rig.tell(StationDown()))
    assert only(Announce, rig.tell(Puback())) == [Announce("down")]


def test_batches_shrink_until_the_broker_takes_them_and_no_further() -> None:
    """Three were in flight when the first was found too large; the answers to the others count once."""
    rig = Rig(head=3000)
    (fetch,) = only(Fetch, rig.tell(LinkUp(20)))
    for _ in range(3):
        did = rig.fetched(fetch)
        (fetch,) = only(Fetch, did) or (fetch,)
    rig.tell(Puback(of="state"))
    too_large = Puback("packet_too_large", "")
    (fetch,) = only(Fetch, rig.tell(too_large))
    assert fetch == Fetch(0, 500)
    for _ in range(2):
        assert not only(Fetch, rig.tell(too_large))
    rig.fetched(fetch)
    (fetch,) = only(Fetch, rig.tell(too_large))
    assert fetch == Fetch(0, 250)


def test_an_entry_too_large_by_itself_is_told_and_tried_again() -> None:
    rig = Rig(head=10)
    (fetch,) = only(Fetch, rig.tell(LinkUp(20)))
    rig.tell(Puback(of="state"))
    sizes = []
    while True:
        (publish,) = only(Publish, rig.fetched(fetch))
        sizes.append(fetch.max_entries)
        did = rig.tell(TooLarge(publish.last))
        if not only(Fetch, did):
            break
        (fetch,) = only(Fetch, did)
    assert sizes == [1000, 500, 250, 125, 62, 31, 15, 7, 3, 1]
    assert reported(did) == [(True, "packet_too_large")]
    assert only(Fetch, rig.pass_ms(HOLD_LIMIT_MS))


def test_a_twin_is_told_until_a_connection_has_lasted_longer_than_it_waits() -> None:
    rig = Rig(head=0)
    rig.tell(LinkUp(20))
    assert reported(rig.tell(LinkDown("taken_over", ""))) == [(False, "taken_over")]
    waits = []
    for _ in range(8):
        waits.append(rig.wait())
        assert rig.rules.link is Link.CONNECTING
        assert reported(rig.tell(LinkUp(20))) == [(True, "taken_over")]
        rig.tell(Puback(of="state"))
        rig.now_ms += (
            61_000  # the twin's own wait: as long a connection would be a good one otherwise
        )
        rig.tell(LinkDown("taken_over", ""))
    assert waits == [5_000, 10_000, 20_000, 40_000, 80_000, 150_000, 150_000, 150_000]
    rig.wait()
    rig.tell(LinkUp(20))
    rig.tell(Puback(of="state"))
    assert reported(rig.pass_ms(TWIN_MS - 1)) == []
    assert reported(rig.pass_ms(1)) == [(True, None)]


def test_connections_that_are_ended_soon_and_in_good_order_look_like_a_twin() -> None:
    """Also where one of them was ended in the middle of a message, which the other end sees as a reset."""
    rig = Rig(head=0)
    told = []
    codes = [*["hung_up"] * (CUTS - 1), "connection_lost", "hung_up"]
    for code in codes:
        rig.tell(LinkUp(20))
        told += reported(rig.tell(LinkDown(code, "")))
        rig.wait()
    assert told == [*[(False, code) for code in codes[:-1]], (False, "cut_short")]


def test_a_broker_that_was_away_in_between_was_started_anew() -> None:
    rig = Rig(head=0)
    for _ in range(3 * CUTS):
        rig.tell(LinkUp(20))
        assert reported(rig.tell(LinkDown("hung_up", ""))) == [(False, "hung_up")]
        rig.wait()
        rig.tell(LinkDown("broker_unreachable", ""))
        rig.wait()


def test_what_people_have_to_mend_is_tried_again_seldom_and_more_seldom_where_it_is_paid_for() -> (
    None
):
    for metered, limit_ms in ((False, REFUSED_LIMIT_MS), (True, METERED_REFUSED_LIMIT_MS)):
        rig = Rig(head=0, pace=Pace(metered=metered), draw=0.999)
        longest_ms = 0
        for _ in range(20):
            rig.tell(LinkDown("cert_expired", ""))
            longest_ms = max(longest_ms, rig.wait())
        assert 0.99 * limit_ms < longest_ms < limit_ms


def test_a_renewed_certificate_is_used_at_once_and_what_was_on_its_way_goes_again() -> None:
    rig = Rig(head=10)
    (fetch,) = only(Fetch, rig.tell(LinkUp(20)))
    rig.fetched(fetch)
    assert [type(each) for each in rig.tell(Renewed())] == [Disconnect, Connect]
    (again,) = only(Fetch, rig.tell(LinkUp(20)))
    assert again == fetch
    rig.tell(LinkDown("cert_expired", ""))
    assert rig.rules.link is Link.WAITING
    assert only(Connect, rig.tell(Renewed()))
    rig.tell(LinkDown("cert_expired", ""))
    assert only(Connect, rig.tell(Hurried()))


def test_the_certificates_end_goes_with_what_is_told() -> None:
    rig = Rig(head=0)
    rig.tell(LinkUp(20))
    (told,) = only(Report, rig.tell(Certificate(1_790_000_000_000)))
    assert told == Report(True, None, "", 1_790_000_000_000)
    assert not only(Report, rig.tell(Certificate(1_790_000_000_000)))


def test_live_entries_wait_for_one_another_where_the_settings_want_that() -> None:
    rig = Rig(head=0, pace=Pace(gather_ms=5_000))
    rig.tell(LinkUp(20))
    rig.tell(Puback(of="state"))
    rig.head = 3
    assert not only(Fetch, rig.tell(LedgerMoved(3, 0, 1)))
    assert rig.rules.deadline_ms == rig.now_ms + 5_000
    (fetch,) = only(Fetch, rig.pass_ms(5_000))
    rig.fetched(fetch)
    rig.head = 3 + ENOUGH
    assert only(Fetch, rig.tell(LedgerMoved(rig.head, 0, 1))), "so many wait for no others"


def test_a_gathering_that_the_station_leaves_does_not_keep_the_uplink_busy() -> None:
    rig = Rig(head=0, pace=Pace(gather_ms=5_000))
    rig.tell(LinkUp(20))
    rig.tell(Puback(of="state"))
    rig.tell(LedgerMoved(3, 0, 1))
    rig.tell(StationDown())
    rig.tell(Puback(of="state"))
    rig.pass_ms(5_000)
    assert rig.rules.deadline_ms is None


def test_a_denied_birth_is_told_and_tried_again_and_nothing_else_waits_for_it() -> None:
    rig = Rig(head=10)
    rig.tell(LinkUp(20))
    told = reported(rig.tell(Puback("not_authorized", "denied", "state")))
    assert told == [(True, "state_refused")]
    assert only(Announce, rig.pass_ms(HOLD_LIMIT_MS)) == [Announce("up")]
    assert reported(rig.tell(Puback(of="state"))) == [(True, None)]


def test_a_small_trouble_is_not_told_over_a_large_one_and_ends_with_the_connection() -> None:
    rig = Rig(head=0)
    rig.tell(LinkUp(20))
    rig.tell(Puback("quota", "", "batch"))
    assert reported(rig.tell(Noted("topic_refused", "no lists"))) == []
    rig.tell(LinkDown("connection_lost", ""))
    rig.wait()
    assert reported(rig.tell(LinkUp(20))) == [(True, None)]
