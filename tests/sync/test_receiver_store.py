"""The receiver's decisions, on a real SQLite and a real PostgreSQL."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sync_site import CITY, STATION, STATION_KEY, TOPIC, UTC_MS, Book, weighing_fields

from sync.messages import CONTENT_ZLIB, AckError
from sync.receiver import card_lists, registry
from sync.receiver.arriving import Delivery
from sync.receiver.database import opened
from sync.receiver.parking import MAX_PARKED
from sync.receiver.refusals import Spoken
from sync.receiver.reminders import GAP_AFTER_MS, Answer, remind
from sync.receiver.store import take
from sync.receiver.verify import verify_all
from sync.receiver.views import drop_views
from sync.signing import Signer

OTHER_KEY = Signer(b"some-other-key-of-the-tests-32-b")
NOW_MS = 1_000_000


def send(
    city: sa.Engine, *payloads: bytes, now_ms: int = NOW_MS, topic: str = TOPIC
) -> list[Answer]:
    return take(city, [Delivery(topic, payload) for payload in payloads], now_ms).answers


def rows(city: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with city.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def one(city: sa.Engine, query: str) -> Any:
    (row,) = rows(city, query)
    return row[0]


def stored(city: sa.Engine, book: Book) -> list[bytes]:
    query = f"SELECT body FROM entry WHERE ledger = '{book.ledger}' ORDER BY seq"
    return [body.encode() for (body,) in rows(city, query)]


def holds(city: sa.Engine) -> bool:
    with city.connect() as connection:
        return not any(each.faults for each in verify_all(connection))


def errors(answers: list[Answer]) -> list[AckError | None]:
    return [answer.ack.error for answer in answers]


@pytest.fixture
def book() -> Book:
    book = Book()
    book.weigh(9)
    return book


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


def continued(older: Book, seq: int, ledger: str = "a2" * 16, opening_g: int = 0) -> Book:
    point = {"ledger": older.ledger, "seq": seq, "head": older.hashes[seq].hex()}
    return Book(ledger=ledger, continues=point, opening_g=opening_g)


def recover(after: Book, lost: Book, seq: int) -> None:
    body, _ = lost.rows[seq - 1]
    assert body is not None
    after.add("recovered", of={"ledger": lost.ledger, "seq": seq}, entry=json.loads(body))


def books(city: sa.Engine) -> int:
    """What the city's books say lies in the bin, which began empty."""
    counted = one(city, "SELECT sum(net_g) FROM counted")
    return int(counted + one(city, "SELECT sum(net_g) FROM restore"))


def test_a_new_card_continues_the_ledger_and_the_difference_is_booked_as_restore(
    city: sa.Engine, book: Book
) -> None:
    send(city, book.batch(0))
    (answer,) = send(city, continued(book, 10).batch(0))
    assert answer.ack.error is None
    assert rows(city, "SELECT ledger, continued FROM station_state ORDER BY 1") == [
        (book.ledger, 1),
        ("a2" * 16, 0),
    ]
    assert rows(city, "SELECT bin, opening_g, known_g, net_g FROM restore") == [
        ("b1", 0, 900, -900)
    ]


def test_seals_of_a_ledger_that_ended_are_forgotten_when_its_last_batch_says_so(
    city: sa.Engine,
) -> None:
    """No entry can tell of it there any more: the batch that the city has comes once more, with them."""
    older = Book()
    card = older.check_in(b"p")
    older.check_in(b"q")
    (answer,) = send(city, older.batch(0))
    assert answer.stands
    send(city, continued(older, 3).batch(0))
    (answer,) = send(city, older.batch(2, unseal=(card,)))
    assert (answer.ack.ledger, answer.ack.seq, answer.ack.error) == (older.ledger, 3, None)
    assert not answer.stands, "the retained place is the new ledger's"
    assert rows(city, "SELECT seq FROM seal") == [(3,)]
    assert holds(city)


def test_a_second_genesis_after_the_same_point_is_a_fork(city: sa.Engine, book: Book) -> None:
    send(city, book.batch(0), continued(book, 10).batch(0))
    twin = continued(book, 10, "a3" * 16)
    twin.weigh(2)
    assert errors(send(city, twin.batch(0, 1))) == [AckError("fork", 1)]
    assert errors(send(city, twin.batch(1))) == [AckError("fork", 1)]
    assert stored(city, twin) == []
    assert one(city, "SELECT count(*) FROM parked") == 0


def test_a_genesis_that_continues_another_history_is_a_fork(city: sa.Engine, book: Book) -> None:
    send(city, book.batch(0))
    twin = Book()
    twin.weigh(9, net_g=900)
    assert errors(send(city, continued(twin, 10).batch(0))) == [AckError("fork", 1)]


def test_entries_onto_a_continued_ledger_pass_through_the_hash_that_was_named(
    city: sa.Engine, book: Book
) -> None:
    send(city, book.batch(0, 6))
    send(city, continued(book, 8).batch(0))
    twin = Book()
    twin.weigh(5)
    twin.weigh(4, net_g=900)
    assert errors(send(city, twin.batch(6))) == [AckError("fork", 8)]
    assert errors(send(city, book.batch(6))) == [None]


def test_a_new_epoch_tells_every_station_how_far_the_restored_city_is(
    city: sa.Engine, book: Book
) -> None:
    (answer,) = send(city, book.batch(0))
    assert (answer.ack.epoch, remind(city, NOW_MS)) == (1, [])
    with city.begin() as connection:
        registry.new_epoch(connection)
    (answer,) = remind(city, NOW_MS)
    assert (answer.ack.epoch, answer.ack.seq) == (2, 10)
    assert remind(city, NOW_MS) == []


def test_a_recovered_entry_counts_only_while_its_original_is_not_stored(
    city: sa.Engine, book: Book
) -> None:
    send(city, book.batch(0, 9))
    after = continued(book, 9)
    for seq in (10, 9, 10):
        recover(after, book, seq)
    send(city, after.batch(0))
    assert one(city, "SELECT count(*) FROM weighing_resolved") == 9
    send(city, book.batch(9))
    assert one(city, "SELECT count(*) FROM weighing_resolved WHERE of_seq IS NOT NULL") == 0


def test_an_old_image_that_went_on_alone_counts_beside_what_has_its_numbers(
    city: sa.Engine, book: Book
) -> None:
    """The card is put back as it was at 800 g; 30 g more fall, and the city has 900 g by then."""
    send(city, book.batch(0))
    image = Book()
    image.weigh(8)
    image.add("weighing", **weighing_fields(800, 830))
    after = continued(book, 10, opening_g=830)
    for seq in (9, 10):
        recover(after, image, seq)
    send(city, after.batch(0))
    assert rows(city, "SELECT of_seq, net_g FROM weighing_resolved WHERE of_seq IS NOT NULL") == [
        (10, 30)
    ]
    restore = "SELECT opening_g, known_g, recovered_g, net_g FROM restore"
    assert rows(city, restore) == [(830, 900, 30, -100)]
    assert books(city) == 830


def test_what_was_recovered_is_not_booked_as_restore_again(city: sa.Engine, book: Book) -> None:
    """The scale never moved: whichever of the two ledgers brings the last 200 g, nothing is restored."""
    send(city, book.batch(0, 8))
    after = continued(book, 8, opening_g=900)
    for seq in (9, 10):
        recover(after, book, seq)
    send(city, after.batch(0))
    assert rows(city, "SELECT known_g, recovered_g, net_g FROM restore") == [(700, 200, 0)]
    assert books(city) == 900
    send(city, book.batch(8))
    assert rows(city, "SELECT known_g, recovered_g, net_g FROM restore") == [(900, 0, 0)]
    assert books(city) == 900


def test_a_ledger_in_which_nothing_happened_is_known_by_its_opening(
    city: sa.Engine, book: Book
) -> None:
    """Two bad cards in a row."""
    send(city, book.batch(0))
    second = continued(book, 10, opening_g=900)
    third = continued(second, 1, "a3" * 16, opening_g=950)
    send(city, second.batch(0), third.batch(0))
    assert rows(city, "SELECT known_g, net_g FROM restore ORDER BY ledger") == [(900, 0), (900, 50)]
    assert books(city) == 950


def test_a_city_that_an_older_receiver_made_learns_which_entries_were_recovered(
    city_url: str, book: Book
) -> None:
    with opened(city_url) as city:
        with city.begin() as connection:
            registry.add_station(connection, CITY, STATION, STATION_KEY.public_key)
        after = continued(book, 9, opening_g=900)
        recover(after, book, 10)
        send(city, book.batch(0, 9), after.batch(0))
        with city.begin() as connection:
            drop_views(connection)
            connection.exec_driver_sql("ALTER TABLE bin_change DROP COLUMN of_digest")
            connection.exec_driver_sql("DROP INDEX ledger_continuation")
            connection.exec_driver_sql(
                "CREATE INDEX bin_change_of ON bin_change (of_ledger, of_seq)"
            )
    with opened(city_url) as city:
        inspector = sa.inspect(city)
        names = {each["name"] for each in inspector.get_indexes("bin_change")}
        assert names == {"bin_change_recovered"}
        assert "ledger_continuation" in {each["name"] for each in inspector.get_indexes("ledger")}
        assert books(city) == 900
        send(city, book.batch(9))
        assert books(city) == 900


def test_times_are_exact_in_a_boot_that_learned_the_time_and_bounded_elsewhere(
    city: sa.Engine,
) -> None:
    day_ms = 86_400_000
    book = Book()
    boots = [f"{n}{n}" * 16 for n in range(3)]
    for number, boot in enumerate(boots):
        at = {"boot": boot, "boot_ms": 60_000, "utc_ms": 5}
        book.weigh(at=at)
        if number != 1:
            book.add(
                "clock", at=at | {"boot_ms": 120_000},
                utc_ms=UTC_MS + number * day_ms, uncertainty_ms=50, source="ntp",
            )  # fmt: skip
    send(city, book.batch(0))
    resolved = rows(city, "SELECT time, from_utc_ms, to_utc_ms FROM weighing_resolved ORDER BY seq")
    exact = [(UTC_MS - 60_000 + n * day_ms - 57, UTC_MS - 60_000 + n * day_ms + 57) for n in (0, 2)]
    assert resolved == [
        ("exact", *exact[0]),
        ("bounded", UTC_MS - 50, UTC_MS + 2 * day_ms + 50),
        ("exact", *exact[1]),
    ]
    days = rows(
        city, "SELECT day, item, net_g, weighings FROM day_item ORDER BY day IS NOT NULL, day"
    )
    today = (UTC_MS + 9 * 3_600_000) // day_ms
    assert days == [
        (None, "pet-bottle", 100, 1),
        (today, "pet-bottle", 100, 1),
        (today + 2, "pet-bottle", 100, 1),
    ]


def test_one_stations_nonsense_is_left_out_of_the_citys_sums_and_said(
    city: sa.Engine, book: Book
) -> None:
    """2,000 times 2^53 g are more than a database's integer; the neighbours want to see their day."""
    send(city, book.batch(0))
    mad = Book(ledger="a4" * 16, station="hall-2")
    for _ in range(1100):
        mad.add("weighing", **weighing_fields(0, 2**53))
        mad.add("item_count", item="pet-bottle", bin=None, visit=None, count=2**53, ml=None)
    with city.begin() as connection:
        registry.add_station(connection, CITY, "hall-2", STATION_KEY.public_key)
    for after in range(0, mad.head, 100):
        last = min(after + 100, mad.head)
        send(city, mad.batch(after, last), topic=f"kiosk/v1/{CITY}/hall-2/ledger")
    columns = "station, net_g, weighings, pieces, implausible"
    assert rows(city, f"SELECT {columns} FROM day_item ORDER BY station") == [
        ("hall-1", 900, 9, None, 0),
        ("hall-2", None, 0, None, 2200),
    ]


@pytest.mark.parametrize("boot", ["ab", "", "B0" * 16, "b0" * 16 + "\n"])
def test_a_body_without_a_boot_id_is_no_entry(city: sa.Engine, book: Book, boot: str) -> None:
    send(city, book.batch(0))
    book.add("weather", at={"boot": boot})
    assert errors(send(city, book.batch(10))) == [AckError("body", 11)]


def test_a_bin_without_a_name_and_a_clock_that_knows_less_than_nothing_count_for_nothing(
    city: sa.Engine,
) -> None:
    book = Book()
    book.add("weighing", **weighing_fields(0, 100) | {"bin": "びん"})
    book.add("clock", utc_ms=UTC_MS, uncertainty_ms=-1, source="ntp")
    assert errors(send(city, book.batch(0))) == [None], "what is signed is kept"
    assert one(city, "SELECT count(*) FROM weighing_resolved") == 0
    assert one(city, "SELECT count(*) FROM anchor") == 0


def test_kinds_that_nobody_knows_yet_are_stored(city: sa.Engine, book: Book) -> None:
    book.add("weather", sky="rain")
    book.add("weighing", net_g="not a number")
    (answer,) = send(city, book.batch(0))
    assert (answer.ack.seq, answer.ack.error) == (12, None)
    assert one(city, "SELECT count(*) FROM weighing_resolved") == 9


DAMAGES = (
    ("UPDATE entry SET body = replace(body, 'pet', 'can') WHERE seq = 4", "digest"),
    ("DELETE FROM entry WHERE seq = 4", "missing"),
    ("DELETE FROM entry WHERE seq = 10", "watermark"),
    ("UPDATE entry SET kind = 'boot' WHERE seq = 4", "columns"),
    ("UPDATE entry SET hash = digest WHERE seq = 4", "chain"),
    ("UPDATE entry SET station = 'hall-2' WHERE seq = 4", "columns"),
    ("UPDATE bin_change SET net_g = 5 WHERE seq = 4", "projection"),
    ("UPDATE bin_change SET bin = 'b2' WHERE seq = 4", "projection"),
    ("DELETE FROM bin_change WHERE seq = 4", "projection"),
    (
        "UPDATE batch_sig SET sig = salt FROM (SELECT digest AS salt FROM entry WHERE seq = 1) one",
        "signature",
    ),
    ("DELETE FROM batch_sig", "unsigned"),
    ("UPDATE entry SET body = NULL WHERE seq = 4", "thinned"),
    ("UPDATE entry SET body = NULL, kind = NULL WHERE seq = 4", "thinned"),
)


def test_verify_finds_what_was_done_to_the_city(city: sa.Engine, book: Book) -> None:
    """Each damage alone: the one before is rolled back."""
    send(city, book.batch(0))
    for damage, code in DAMAGES:
        with city.connect() as connection:
            if damage.startswith("DELETE FROM entry"):
                connection.execute(sa.text("DELETE FROM bin_change"))
            connection.execute(sa.text(damage))
            (checked,) = verify_all(connection)
            connection.rollback()
        assert code in {fault.code for fault in checked.faults}, damage
    assert holds(city)


def faults(city: sa.Engine) -> list[tuple[int, str]]:
    with city.connect() as connection:
        return [(one.seq, one.code) for each in verify_all(connection) for one in each.faults]


def test_what_a_station_thinned_away_needs_its_snapshot(city: sa.Engine, book: Book) -> None:
    book.rows[3] = (None, book.rows[3][1])
    book.rows[4] = (None, book.rows[4][1])
    send(city, book.batch(0))
    assert faults(city) == [(4, "thinned"), (5, "thinned")]
    book.add("snapshot", of=4, digest="0" * 64)
    send(city, book.batch(10))
    assert faults(city) == [(5, "thinned")]


def test_grams_that_a_station_invented_are_found_at_the_city(city: sa.Engine, book: Book) -> None:
    book.add("weighing", **weighing_fields(950, 1000))
    book.add("weighing", **weighing_fields(1000, 1100) | {"net_g": 90})
    book.add(
        "adjustment", bin="b1", number=2, method="two", gross_before_g=1100, gross_after_g=1000
    )
    book.add("weighing", **weighing_fields(1000, 1100))
    send(city, book.batch(0))
    assert faults(city) == [(11, "books"), (12, "books"), (13, "books")]


def test_a_card_that_a_station_closed_is_on_the_citys_list_once(
    city: sa.Engine, book: Book
) -> None:
    book.check_in(b"a")
    book.sealed("card_closed", b"b", reason="lost")
    book.sealed("card_closed", b"c", reason="replaced")
    book.sealed("card_joined", b"d", of=book.head)
    first = book.batch(0)
    after = book.head
    send(city, first)
    send(city, first)
    query = "SELECT city, list, pseudonym, in_now FROM card_listed ORDER BY pseudonym"
    assert rows(city, query) == [(CITY, "closed", name * 16, 1) for name in (b"b", b"c")]
    with city.begin() as connection:
        card_lists.change(connection, CITY, "closed", [b"b" * 16], on=False)
    book.weigh()
    send(city, book.batch(after))
    assert rows(city, query)[0][3] == 0, "opened again by the city, and not closed by an old entry"
