"""The uplink's rules, event by event; time is a number."""

from __future__ import annotations

import pytest

from sync.messages import AckError
from sync.reconnecting import BASE_MS, SPREAD_MS, STEADY_MS
from sync.uplink import Uplink
from sync.uplink_events import (
    AckJudged,
    Action,
    Announce,
    BatchFetched,
    Connect,
    Disconnect,
    Event,
    Fetch,
    LedgerMoved,
    LinkDown,
    LinkUp,
    NothingFetched,
    Puback,
    Publish,
    Report,
    StationDown,
    StationUp,
    Tick,
)
from sync.uplink_pace import (
    ACK_TIMEOUT_MS,
    CONNECT_TIMEOUT_MS,
    GAP_REPEAT_MS,
    PUBACK_TIMEOUT_MS,
    WINDOW,
    Flow,
)
from sync.uplink_wire import Link

BATCH = 10


class Rig:
    """Answers the rules' fetches from a ledger of ``head`` entries, ten to a batch."""

    def __init__(self, head: int, receive_maximum: int = 100) -> None:
        self.rules = Uplink(lambda: 0.5)
        self.now_ms = 1000
        self.head = head
        self.published: list[int] = []
        self.did: list[Action] = []
        self.tell(StationUp("a1" * 16, head, 0, 1))
        self.tell(LinkUp(receive_maximum))

    def tell(self, event: Event) -> list[Action]:
        pending, did = [event], []
        while pending:
            for action in self.rules.handle(pending.pop(0), self.now_ms):
                did.append(action)
                match action:
                    case Fetch(after):
                        last = min(after + BATCH, self.head)
                        fetched = BatchFetched(after, last, b"batch")
                        pending.append(fetched if last > after else NothingFetched(after))
                    case Publish(last):
                        self.published.append(last)
                    case Announce():
                        pending.append(Puback(of="state"))
        self.did += did
        return did

    def ack(self, seq: int, error: AckError | None = None, epoch: int = 1) -> list[Action]:
        return self.tell(AckJudged(True, None, seq, epoch, error))

    def link(self) -> Link:
        return self.rules.link

    def pass_ms(self, wait_ms: int) -> list[Action]:
        self.now_ms += wait_ms
        return self.tell(Tick())


def kinds(actions: list[Action]) -> list[type[Action]]:
    return [type(action) for action in actions]


def test_a_long_queue_goes_as_a_window_and_no_further() -> None:
    rig = Rig(head=1000)
    assert rig.published == [BATCH * n for n in range(1, WINDOW + 1)]
    for _ in range(WINDOW):
        rig.tell(Puback())
    assert len(rig.published) == WINDOW, "a PUBACK is not the city's word"
    rig.ack(20)
    assert rig.published[WINDOW:] == [170, 180]


def test_the_brokers_receive_maximum_bounds_what_is_in_flight() -> None:
    rig = Rig(head=1000, receive_maximum=3)
    assert rig.published == [10, 20, 30]
    rig.tell(Puback())
    assert rig.published == [10, 20, 30, 40]


def test_a_live_entry_goes_at_once() -> None:
    rig = Rig(head=0)
    assert rig.published == []
    rig.head = 1
    rig.tell(LedgerMoved(1, 0, 1))
    assert rig.published == [1]


def test_a_repeated_acknowledgement_sends_nothing_again() -> None:
    rig = Rig(head=20)
    rig.ack(10)
    before = list(rig.published)
    for _ in range(5):
        assert rig.ack(10) == []
    assert rig.published == before


def test_a_gap_goes_back_once_however_often_it_is_delivered() -> None:
    rig = Rig(head=30)
    rig.tell(Puback())
    rig.ack(10)
    rig.now_ms += GAP_REPEAT_MS
    rig.ack(10, AckError("gap", 11))
    assert rig.published == [10, 20, 30], "what the broker has not taken is late, not lost"
    rig.tell(Puback())
    rig.ack(10, AckError("gap", 11))
    assert rig.published == [10, 20, 30, 20], "one batch probes"
    rig.ack(10, AckError("gap", 11))
    assert rig.published == [10, 20, 30, 20]
    rig.ack(20)
    assert rig.published == [10, 20, 30, 20, 30], "progress opens the window"


def test_news_that_a_judgement_overtook_moves_nothing_back() -> None:
    """An entry is written just before the city's word is judged; the news of it comes after."""
    rig = Rig(head=30)
    rig.tell(AckJudged(True, None, 20, 1, None, turn=2))
    before = list(rig.published)
    rig.head = 31
    rig.tell(LedgerMoved(31, 0, 1, turn=1))
    assert (rig.rules.watermark, rig.published[len(before) :]) == (20, [31])
    rig.tell(LedgerMoved(31, 10, 1, turn=3))
    assert rig.rules.watermark == 10, "what is asked for again is no old news"


def test_silence_of_the_city_goes_back_with_one_batch_and_growing_patience() -> None:
    rig = Rig(head=30)
    for _ in range(3):
        rig.tell(Puback())
    did = rig.pass_ms(ACK_TIMEOUT_MS)
    assert rig.published == [10, 20, 30, 10]
    assert Report(True, "city_silent", "The city does not acknowledge.") in did
    rig.tell(Puback())
    rig.pass_ms(ACK_TIMEOUT_MS)
    assert rig.published == [10, 20, 30, 10]
    rig.pass_ms(ACK_TIMEOUT_MS)
    assert rig.published == [10, 20, 30, 10, 10]
    assert Report(True, None, "") in rig.ack(30)


def test_a_broker_that_accepts_and_never_answers_is_left() -> None:
    rig = Rig(head=5)
    assert Disconnect not in kinds(rig.pass_ms(ACK_TIMEOUT_MS))
    assert Disconnect in kinds(rig.pass_ms(PUBACK_TIMEOUT_MS - ACK_TIMEOUT_MS))
    assert rig.link() is Link.WAITING
    rig.pass_ms(SPREAD_MS)
    assert rig.link() is Link.CONNECTING
    assert Disconnect in kinds(rig.pass_ms(CONNECT_TIMEOUT_MS))


@pytest.mark.parametrize(("good_ms", "bound_ms"), [(0, BASE_MS), (STEADY_MS, SPREAD_MS)])
def test_a_connection_that_fell_silent_was_as_good_as_it_had_been_until_then(
    good_ms: int, bound_ms: int
) -> None:
    """One that never answered is one station's trouble, and tried again soon; a hung broker is all's."""
    rig = Rig(head=0)
    rig.now_ms += good_ms
    rig.head = 5
    rig.tell(LedgerMoved(5, 0, 1))
    assert Disconnect in kinds(rig.pass_ms(PUBACK_TIMEOUT_MS))
    assert rig.rules.deadline_ms == rig.now_ms + bound_ms // 2


def test_what_the_city_refuses_is_held_then_probed_and_never_dropped() -> None:
    rig = Rig(head=30)
    did = rig.ack(0, AckError("unknown_key", 1))
    assert Report(True, "unknown_key", "The city does not know this station's key.") in did
    assert rig.rules.flow is Flow.HELD
    published = len(rig.published)
    rig.ack(0, AckError("unknown_key", 1))
    rig.head = 31
    rig.tell(LedgerMoved(31, 0, 1))
    assert len(rig.published) == published
    deadline_ms = rig.rules.deadline_ms
    assert deadline_ms is not None
    rig.pass_ms(deadline_ms - rig.now_ms)
    assert rig.published[published:] == [10]
    rig.ack(10)
    assert rig.published[published:] == [10, 20, 30, 31]


def test_the_last_error_is_the_one_that_is_told_until_the_city_is_content() -> None:
    rig = Rig(head=30)
    rig.ack(10)
    for code in ("bad_signature", "genesis", "other_station", "fork", "unknown_key", "body"):
        did = rig.ack(10, AckError(code, 11))
        assert [action.code for action in did if isinstance(action, Report)] == [code]
        assert rig.ack(10, AckError(code, 11)) == []
    published = len(rig.published)
    assert Report(True, None, "") in rig.ack(10), "content, though nothing is new"
    assert rig.published[published:] == [20], "and tried at once"
    rig.pass_ms(ACK_TIMEOUT_MS)
    assert Report(True, None, "") in rig.ack(10), "who repeats himself is not silent"


def test_a_lost_link_goes_back_and_waits_longer_each_time() -> None:
    rig = Rig(head=10)
    waits = []
    for _ in range(8):
        rig.tell(LinkDown("connection_lost", "gone"))
        assert rig.rules.deadline_ms is not None
        waits.append(rig.rules.deadline_ms - rig.now_ms)
        rig.pass_ms(waits[-1])
        rig.tell(LinkUp(20))
    assert waits == [500, 1000, 2000, 4000, 8000, 10000, 20000, 20000]
    assert rig.published == [10] * 9
    rig.now_ms += STEADY_MS
    rig.tell(LinkDown("connection_lost", "gone"))
    assert rig.rules.deadline_ms == rig.now_ms + SPREAD_MS // 2, (
        "a good one: the place is drawn anew"
    )


def test_a_restored_city_moves_the_watermark_back_and_is_sent_again() -> None:
    rig = Rig(head=30)
    rig.ack(30)
    rig.ack(10, epoch=2)
    assert rig.published == [10, 20, 30, 20, 30]


def test_an_acknowledgement_that_does_not_count_changes_nothing_but_is_told_once() -> None:
    rig = Rig(head=10)
    did = rig.tell(AckJudged(False, "bad_signature", 0, 1, None))
    assert [action.code for action in did if isinstance(action, Report)] == ["ack_bad_signature"]
    assert rig.tell(AckJudged(False, "bad_signature", 0, 1, None)) == []
    assert rig.tell(AckJudged(False, "old_seq", 0, 1, None)) == []
    assert rig.rules.watermark == 0


def test_the_station_behind_the_uplink_is_announced() -> None:
    rig = Rig(head=0)
    assert Announce("up") in rig.did
    assert rig.tell(StationDown(stalled=True)) == [Announce("stalled")]
    assert rig.tell(StationDown()) == [Announce("down")]
    assert Announce("up") in rig.tell(StationUp("a1" * 16, 0, 0, 1))


def test_a_station_that_went_is_asked_for_nothing_and_begins_at_its_watermark() -> None:
    rig = Rig(head=30)
    rig.ack(10)
    rig.tell(StationDown())
    assert rig.tell(LedgerMoved(40, 10, 1)) == []
    rig.tell(StationUp("a1" * 16, 30, 10, 1))
    assert rig.published[-2:] == [20, 30]


def test_a_batch_that_comes_after_going_back_is_not_published() -> None:
    rules = Uplink(lambda: 0.5)
    assert kinds(rules.handle(StationUp("a1" * 16, 30, 0, 1), 0)) == [Connect]
    assert Fetch(0) in rules.handle(LinkUp(20), 0)
    rules.handle(LinkDown("connection_lost", "gone"), 0)
    assert rules.handle(BatchFetched(0, 10, b""), 0) == []


@pytest.mark.parametrize("event", [LinkDown("x", "y"), LinkUp(5), Puback(), Tick()])
def test_what_comes_too_late_is_passed_over(event: Event) -> None:
    rules = Uplink(lambda: 0.5)
    assert rules.handle(event, 0) == []
    assert rules.link is Link.IDLE
