"""The receiver's decisions on batches, on a real SQLite and a real PostgreSQL."""

from __future__ import annotations

import zlib

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_site import NOW_MS, OTHER_KEY, errors, holds, one, rows, send, stored
from sync_site import CITY, STATION, STATION_KEY, TOPIC, Book

from sync.messages import CONTENT_ZLIB, AckError
from sync.receiver import registry
from sync.receiver.arriving import Delivery
from sync.receiver.parking import MAX_PARKED
from sync.receiver.refusals import Spoken
from sync.receiver.reminders import GAP_AFTER_MS, remind
from sync.receiver.store import take


def test_a_batch_is_stored_verbatim_and_acknowledged_with_its_head(
    city: sa.Engine, book: Book
) -> None:
    (answer,) = send(city, book.batch(0))
    assert (answer.city, answer.station) == (CITY, STATION)
    assert (answer.ack.seq, answer.ack.head, answer.ack.error) == (10, book.hashes[-1], None)
    assert stored(city, book) == [body for body, _ in book.rows]
    assert holds(city)


def test_the_same_batch_again_changes_nothing_and_is_acknowledged_again(
    city: sa.Engine, book: Book
) -> None:
    first = send(city, book.batch(0))
    assert send(city, book.batch(0), book.batch(3, 7)) == first
    assert one(city, "SELECT count(*) FROM entry") == 10


def test_batches_in_any_order_are_parked_and_joined(city: sa.Engine, book: Book) -> None:
    assert send(city, book.batch(7)) == []
    assert send(city, book.batch(3, 7)) == []
    (answer,) = send(city, book.batch(0, 3))
    assert answer.ack.seq == 10
    assert one(city, "SELECT count(*) FROM parked") == 0
    assert stored(city, book) == [body for body, _ in book.rows]
    assert holds(city)


def test_batches_cut_in_other_places_after_a_restart_join_on(city: sa.Engine, book: Book) -> None:
    send(city, book.batch(0, 4))
    send(city, book.batch(6, 9))
    (answer,) = send(city, book.batch(2, 8))
    assert answer.ack.seq == 9
    assert holds(city)


def test_parking_is_bounded_and_what_did_not_fit_comes_again(city: sa.Engine) -> None:
    book = Book()
    book.weigh(MAX_PARKED + 20)
    for seq in range(2, book.head):
        send(city, book.batch(seq, seq + 1))
    assert one(city, "SELECT count(*) FROM parked") == MAX_PARKED
    (answer,) = send(city, book.batch(0, 3))
    assert answer.ack.seq == MAX_PARKED + 2
    (answer,) = send(city, book.batch(answer.ack.seq))
    assert answer.ack.seq == book.head
    assert one(city, "SELECT count(*) FROM parked") == 0


def test_what_lies_far_ahead_keeps_out_nothing_that_joins_on_sooner(city: sa.Engine) -> None:
    """A flood from far ahead first, then what is missing but for one, backwards."""
    book = Book()
    book.weigh(3 * MAX_PARKED)
    send(city, book.batch(0, 2))
    for seq in range(2 * MAX_PARKED, 3 * MAX_PARKED):
        send(city, book.batch(seq, seq + 1))
    for seq in reversed(range(3, MAX_PARKED + 3)):
        send(city, book.batch(seq, seq + 1))
    lowest = f"SELECT count(*) FROM parked WHERE first <= {MAX_PARKED + 3}"
    assert one(city, lowest) == one(city, "SELECT count(*) FROM parked") == MAX_PARKED
    (answer,) = send(city, book.batch(2, 3))
    assert answer.ack.seq == MAX_PARKED + 3
    assert one(city, "SELECT count(*) FROM parked") == 0


def test_a_gap_is_told_only_after_five_seconds_without_progress(
    city: sa.Engine, book: Book
) -> None:
    send(city, book.batch(0, 2))
    send(city, book.batch(5), now_ms=NOW_MS + 1000)
    assert remind(city, NOW_MS + 1000 + GAP_AFTER_MS - 1) == []
    (answer,) = remind(city, NOW_MS + 1000 + GAP_AFTER_MS)
    assert (answer.ack.seq, answer.ack.error) == (2, AckError("gap", 3))
    assert remind(city, NOW_MS + 1000 + 2 * GAP_AFTER_MS) == [], "told again later and later"
    assert len(remind(city, NOW_MS + 1000 + 3 * GAP_AFTER_MS)) == 1
    send(city, book.batch(2))
    assert remind(city, NOW_MS + 10**9) == []


def test_the_same_seq_with_another_hash_is_set_aside_and_told_never_written(
    city: sa.Engine, book: Book
) -> None:
    send(city, book.batch(0))
    twin = Book()
    twin.weigh(4)
    twin.weigh(6, net_g=900)
    answers = send(city, twin.batch(3), twin.batch(3))
    assert errors(answers) == [AckError("fork", 6)]
    assert answers[0].ack.seq == 10
    assert stored(city, book) == [body for body, _ in book.rows]
    assert rows(city, "SELECT reason, times FROM quarantine") == [("fork", 2)]
    assert rows(city, "SELECT fork_seq FROM station_state") == [(6,)]
    assert holds(city)


def test_a_batch_that_leaves_from_another_hash_is_a_fork(city: sa.Engine, book: Book) -> None:
    send(city, book.batch(0))
    twin = Book()
    twin.weigh(12, net_g=900)
    assert errors(send(city, twin.batch(10))) == [AckError("fork", 10)]
    assert one(city, "SELECT count(*) FROM entry") == 10


def test_a_parked_batch_of_another_history_is_set_aside_when_its_turn_comes(
    city: sa.Engine, book: Book
) -> None:
    twin = Book()
    twin.weigh(12, net_g=900)
    send(city, twin.batch(10))
    (answer,) = send(city, book.batch(0))
    assert (answer.ack.seq, answer.ack.error) == (10, AckError("fork", 10))
    assert rows(city, "SELECT count(*) FROM parked") == [(0,)]
    assert rows(city, "SELECT reason FROM quarantine") == [("fork",)]


def test_batches_out_of_order_after_a_fork_are_parked_and_joined(
    city: sa.Engine, book: Book
) -> None:
    """A twin spoke once; the station goes on, and its batches come by two receivers."""
    send(city, book.batch(0))
    twin = Book()
    twin.weigh(12, net_g=900)
    send(city, twin.batch(10))
    book.weigh(4)
    assert send(city, book.batch(12)) == []
    (answer,) = send(city, book.batch(10, 12))
    assert (answer.ack.seq, answer.ack.error) == (14, None)
    assert rows(city, "SELECT first, reason FROM quarantine") == [(11, "fork")]
    send(city, twin.batch(11))
    (answer,) = send(city, book.batch(13))
    assert (answer.ack.seq, answer.ack.error) == (14, None)


def test_a_station_hears_what_is_wrong_with_what_it_signed_itself(
    city: sa.Engine, book: Book
) -> None:
    send(city, book.batch(0, 5))
    torn = book.batch(5).replace(b'"net_g":100', b'"net_g":900', 1)
    (answer,) = send(city, torn)
    assert (answer.ack.seq, answer.ack.error) == (5, AckError("chain", 6))
    noise = book.batch(5, signer=OTHER_KEY).replace(b'"net_g":100', b'"net_g":900', 1)
    assert send(city, noise, b"{}") == [], "anybody's noise holds up no station"


def test_a_genesis_that_cannot_be_read_is_told_as_that_and_not_as_an_unknown_key(
    city: sa.Engine,
) -> None:
    odd = Book(continues={"ledger": "a0" * 16, "seq": "nine", "head": ""})
    assert errors(send(city, odd.batch(0))) == [AckError("genesis", 1)]
    stranger = Book(continues={"ledger": "a0" * 16, "seq": "nine", "head": ""}, signer=OTHER_KEY)
    assert errors(send(city, stranger.batch(0))) == [AckError("unknown_key", 1)]


def test_a_second_genesis_in_a_ledger_is_refused_and_the_city_goes_on(
    city: sa.Engine, book: Book
) -> None:
    """Its opening stood in the way of the first one's, and every receiver ended on it in turn."""
    mad = Book()
    mad.add(
        "genesis", station=STATION, city=CITY, ledger=mad.ledger, software="test", continues=None,
        key=mad.signer.public_key.hex(), opening={"b1": {"gross_g": 5, "bag": None, "adjustment": 1}},
    )  # fmt: skip
    assert errors(send(city, mad.batch(0))) == [AckError("genesis", 2)]
    assert errors(send(city, book.batch(0))) == [None]


def test_the_city_sees_which_station_is_refused_and_how_often(city: sa.Engine, book: Book) -> None:
    stranger = Book(signer=OTHER_KEY)
    send(city, stranger.batch(0), stranger.batch(0))
    state = "SELECT ledger, refused, refused_code, refused_ms FROM station_state"
    assert rows(city, state) == [(None, 2, "unknown_key", NOW_MS)]
    send(city, book.batch(0), b"{}", now_ms=NOW_MS + 5)
    assert rows(city, state) == [(book.ledger, 3, "shape", NOW_MS + 5)]
    send(city, b"{}", topic=f"kiosk/v1/{CITY}/any-name/ledger")
    assert one(city, "SELECT count(*) FROM refusal WHERE station <> 'hall-1'") == 0, (
        "who is not registered may bear any name"
    )


def test_the_log_says_the_same_of_a_station_once_an_hour() -> None:
    spoken = Spoken()
    said = [spoken.due(CITY, STATION, "fork", now_s) for now_s in (0.0, 1.0, 3599.0, 3600.0)]
    assert said == [0, None, None, 2]
    assert spoken.due(CITY, STATION, "body", 3600.0) == 0
    assert spoken.due(CITY, "hall-2", "fork", 3600.0) == 0


def test_of_an_unknown_key_nothing_is_stored(city: sa.Engine) -> None:
    stranger = Book(signer=OTHER_KEY)
    stranger.weigh(3)
    for payload in (stranger.batch(0), stranger.batch(2)):
        (answer,) = send(city, payload)
        assert answer.ack.error is not None
        assert answer.ack.error.code == "unknown_key"
        assert (answer.ack.seq, answer.ack.head) == (0, bytes(32))
    for table in ("entry", "ledger", "parked", "quarantine"):
        assert one(city, f"SELECT count(*) FROM {table}") == 0
    with city.begin() as connection:
        registry.add_station(connection, CITY, STATION, OTHER_KEY.public_key)
    assert errors(send(city, stranger.batch(0))) == [None]


def test_a_revoked_key_counts_no_more_and_what_is_stored_stays(city: sa.Engine, book: Book) -> None:
    send(city, book.batch(0, 5))
    with city.begin() as connection:
        registry.revoke_station(connection, CITY, STATION, None)
    assert errors(send(city, book.batch(5))) == [AckError("unknown_key", 6)]
    assert one(city, "SELECT count(*) FROM entry") == 5


def test_a_wrong_signature_is_told_and_set_aside(city: sa.Engine, book: Book) -> None:
    send(city, book.batch(0, 5))
    (answer,) = send(city, book.batch(5, signer=OTHER_KEY))
    assert (answer.ack.seq, answer.ack.error) == (5, AckError("bad_signature", 6))
    assert rows(city, "SELECT reason FROM quarantine") == [("bad_signature",)]


def test_one_station_cannot_speak_for_another(city: sa.Engine, book: Book) -> None:
    with city.begin() as connection:
        registry.add_station(connection, CITY, "hall-2", STATION_KEY.public_key)
    other = f"kiosk/v1/{CITY}/hall-2/ledger"
    (answer,) = send(city, book.batch(0), topic=other)
    assert answer.ack.error == AckError("genesis", 1)
    send(city, book.batch(0, 5))
    (answer,) = send(city, book.batch(5), topic=other)
    assert answer.ack.error is not None
    assert (answer.ack.error.code, answer.ack.seq) == ("other_station", 0)
    assert one(city, "SELECT count(*) FROM entry") == 5


UNREADABLE = (
    (TOPIC, b"", None, "shape"),
    (TOPIC, b"[" * 100_000, None, "shape"),
    (TOPIC, bytes(200_000), None, "too_large"),
    (TOPIC, b"x", CONTENT_ZLIB, "content"),
    (TOPIC, zlib.compress(bytes(10**7)), CONTENT_ZLIB, "too_large"),
    (TOPIC, b"{}", "text/html", "content_type"),
    ("kiosk/v1/demo/HALL/ledger", b"{}", None, "topic"),
    ("", b"{}", None, "topic"),
)


def test_what_cannot_be_read_is_set_aside_with_its_reason(city: sa.Engine) -> None:
    for topic, payload, content_type, reason in UNREADABLE:
        outcome = take(city, [Delivery(topic, payload, content_type)], NOW_MS)
        assert outcome.answers == []
        assert rows(city, "SELECT reason, times FROM quarantine") == [(reason, 1)], payload[:20]
        with city.begin() as connection:
            connection.execute(sa.text("DELETE FROM quarantine"))


FUZZED = Book()
FUZZED.check_in(b"p")
FUZZED.weigh(3)
FUZZED_PAYLOAD = FUZZED.batch(0)


@settings(
    derandomize=True, max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(st.integers(0, len(FUZZED_PAYLOAD) - 1), st.binary(max_size=3))
def test_a_damaged_payload_is_never_stored_as_something_else(
    city: sa.Engine, place: int, noise: bytes
) -> None:
    damaged = FUZZED_PAYLOAD[:place] + noise + FUZZED_PAYLOAD[place + 1 :]
    send(city, damaged)
    assert set(stored(city, FUZZED)) <= {body for body, _ in FUZZED.rows}
    assert holds(city)


def test_seals_go_in_with_their_entry_and_out_with_the_unseal(city: sa.Engine) -> None:
    book = Book()
    card = book.check_in(b"p")
    book.check_in(b"q")
    first = book.batch(0)
    send(city, first)
    assert one(city, "SELECT count(*) FROM seal") == 2
    book.add("forget", count=1)
    send(city, book.batch(3, unseal=(card,)))
    assert rows(city, "SELECT seq FROM seal") == [(3,)]
    send(city, first)
    assert rows(city, "SELECT seq FROM seal") == [(3,)], "a repeat brings nothing back"
    assert holds(city)
