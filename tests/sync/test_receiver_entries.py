"""What the receiver makes of entries: times, sums, kinds that nobody knows; and what verify finds."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from store_site import errors, holds, one, rows, send
from sync_site import CITY, STATION_KEY, UTC_MS, Book, weighing_fields

from sync.messages import AckError
from sync.receiver import card_lists, registry
from sync.receiver.verify import verify_all


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
