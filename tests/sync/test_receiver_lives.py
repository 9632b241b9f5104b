"""Ledgers that go on from others, and cities that were restored: what counts, and once."""

from __future__ import annotations

import json

import sqlalchemy as sa
from store_site import NOW_MS, errors, holds, one, rows, send, stored
from sync_site import CITY, STATION, STATION_KEY, Book, weighing_fields

from sync.messages import AckError
from sync.receiver import registry
from sync.receiver.database import opened
from sync.receiver.reminders import remind
from sync.receiver.views import drop_views


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
