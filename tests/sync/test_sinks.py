"""Sinks follow what is committed: at least once, in order, past what is broken, and never in the way."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Sequence

import msgspec
import pytest
import sqlalchemy as sa
from sink_site import (
    CLOCK,
    NOW_MS,
    Remembering,
    a_day,
    drain,
    new_city,
    registry_row,
    set_clock,
    store_all,
)
from sync_site import TOPIC, UTC_MS, Book, weighing_fields

from kiosk.core.adjusted import Adjusted, slope_ncounts
from sync.receiver import registry, store
from sync.receiver.sinks import Aside, Away, Batch, Follower, place
from sync.receiver.sinks.reading import AT_ONCE
from sync.receiver.sinks.standing import again, standings
from sync.receiver.views import DAY_MS, UTC_OFFSET_MS

ADJUSTED = msgspec.to_builtins(Adjusted(slope_ncounts_per_g=slope_ncounts(10.5), zero_counts=100))
DAY = (UTC_MS + UTC_OFFSET_MS) // DAY_MS


@pytest.fixture
def both(city_url: str) -> Iterator[sa.Engine]:
    """A city on SQLite, and one on PostgreSQL."""
    engine = new_city(city_url)
    yield engine
    engine.dispose()


def scalar(city: sa.Engine, query: str) -> object:
    with city.connect() as connection:
        return connection.execute(sa.text(query)).scalar_one()


def test_a_day_is_delivered_once_with_what_is_true_after_it(both: sa.Engine) -> None:
    book, sink = Book(), Remembering()
    a_day(book)
    store_all(both, book)
    follower = Follower(both, sink)
    assert drain(follower) > 0
    assert drain(follower) > 0
    (batch,) = sink.batches
    assert [c.kind for c in batch.changes] == ["weighing"] * 4 + [
        "item_count", "bag_swap", "unattributed",
    ]  # fmt: skip
    assert [c.held_g for c in batch.changes] == [100, 200, 300, 400, None, 0, -5]
    assert all(c.when.time == "exact" and c.when.utc_ms is not None for c in batch.changes)
    assert batch.changes[0].when.utc_ms == UTC_MS + 4000, "the clock's, two entries on"
    bins = {one.bin: one for one in batch.bins}
    assert (bins["b1"].held_g, bins["b1"].item) == (-5, "pet-bottle")
    assert bins["b1"].emptied == batch.changes[5].when
    totals = {(one.day, one.item): one for one in batch.days}
    assert totals.keys() == {(DAY, "pet-bottle"), (DAY, "can")}
    assert (totals[DAY, "pet-bottle"].net_g, totals[DAY, "pet-bottle"].weighings) == (400, 4)
    assert (totals[DAY, "can"].net_g, totals[DAY, "can"].pieces) == (None, 3)
    (station,) = batch.stations
    assert (station.entries, station.undated) == (book.head, 0)


def test_days_totals_are_those_of_the_view(both: sa.Engine) -> None:
    """The sink sums a day's span, the view all of history: the same grams."""
    book, sink = Book(), Remembering()
    for _ in range(3):
        a_day(book)
    before = book.head
    store_all(both, book)
    follower = Follower(both, sink)
    drain(follower)
    book.weigh(5)
    store_all(both, book, before)
    drain(follower)
    with both.connect() as connection:
        place_ = sa.text("SELECT item, net_g, weighings, pieces, ml FROM day_item ORDER BY item")
        view = [tuple(row) for row in connection.execute(place_)]
    last = {one.item: one for batch in sink.batches for one in batch.days}
    sums = [(o.item, o.net_g, o.weighings, o.pieces, o.ml) for _, o in sorted(last.items())]
    assert sums == [(i, g, w, p, m) for i, g, w, p, m in view]


def test_a_platform_that_is_away_gets_everything_when_it_is_back(city: sa.Engine) -> None:
    book, sink = Book(), Remembering()
    book.weigh(3)
    store_all(city, book)
    sink.trouble = [Away("gone", "It is gone.", "Wait.") for _ in range(3)]
    follower = Follower(city, sink)
    for _ in range(3):
        follower.step()
        assert sink.batches == []
    with city.connect() as connection:
        (standing,) = standings(connection)
    assert (standing.behind, standing.trouble_code) == (4, "gone")
    book.weigh(1)
    store_all(city, book, 4)
    drain(follower)
    assert sink.seqs == [2, 3, 4, 5]
    with city.connect() as connection:
        (standing,) = standings(connection)
    assert (standing.behind, standing.trouble_code) == (0, None)


def test_a_platforms_own_word_when_to_come_back_is_heeded_within_a_bound(
    one_city: sa.Engine,
) -> None:
    book, sink = Book(), Remembering()
    store_all(one_city, book)
    sink.trouble = [Away("busy", "Busy.", "Wait.", retry_after_s=wait) for wait in (40.0, 1e9)]
    follower = Follower(one_city, sink)
    assert [follower.step() >= 40, follower.step() <= 3600] == [True, True]


def test_the_wait_doubles_with_full_jitter_to_its_limit(one_city: sa.Engine) -> None:
    book, sink = Book(), Remembering()
    store_all(one_city, book)
    sink.trouble = [Away("gone", "It is gone.", "Wait.") for _ in range(30)]
    follower = Follower(one_city, sink)
    waits = [follower.step() for _ in range(30)]
    assert all(wait <= min(300, 2.0**n) for n, wait in enumerate(waits))
    assert len({round(wait, 6) for wait in waits}) == 30, "no two come back at once"
    assert max(waits) > 30


def test_killed_between_delivery_and_its_note_the_same_comes_again_under_the_same_ids(
    city: sa.Engine,
) -> None:
    book = Book()
    book.weigh(3)
    store_all(city, book)

    class Killed(BaseException):
        pass

    class Dying(Remembering):
        def deliver(self, batch: object) -> list[Aside]:
            super().deliver(batch)  # type: ignore[arg-type]
            raise Killed

    first, second = Dying(), Remembering()
    with pytest.raises(Killed):
        Follower(city, first).step()
    place.let_go(city, "town", str(scalar(city, "SELECT holder FROM sink_state")))
    drain(Follower(city, second))
    assert first.deposits.keys() == second.deposits.keys()
    assert second.seqs == [2, 3, 4]


def test_of_two_side_by_side_one_delivers_and_the_other_takes_over(both: sa.Engine) -> None:
    book, one, two = Book(), Remembering(), Remembering()
    book.weigh(1)
    store_all(both, book)
    first, second = Follower(both, one), Follower(both, two)
    drain(first)
    book.weigh(1)
    store_all(both, book, 2)
    assert drain(second) > 0
    assert two.batches == []
    with both.begin() as connection:  # the first is dead for longer than its lease
        connection.execute(sa.text("UPDATE sink_state SET until_ms = 0"))
    drain(second)
    assert two.seqs == [3]
    book.weigh(1)
    store_all(both, book, 3)
    assert first.step() > 0, "it wakes, delivers, and may not move the other's cursor"
    drain(second)
    assert two.seqs == [3, 4]


def test_what_is_refused_is_set_aside_and_the_rest_goes_on(both: sa.Engine) -> None:
    book, sink = Book(), Remembering()
    book.weigh(2)
    store_all(both, book)
    sink.aside = [Aside("urn:one", book.ledger, "http_400", "no such unit", b"{}")]
    follower = Follower(both, sink)
    drain(follower)
    book.weigh(1)
    store_all(both, book, 3)
    drain(follower)
    assert sink.seqs == [2, 3, 4]
    with both.connect() as connection:
        (standing,) = standings(connection)
    assert standing.aside == (("urn:one", "http_400", "no such unit"),)
    with both.begin() as connection:
        assert again(connection, "town", everything=False) == 1
    drain(follower)
    assert sink.seqs == [2, 3, 4, 2, 3, 4]
    assert len(sink.deposits) == 3, "under the same ids"
    with both.connect() as connection:
        assert standings(connection)[0].aside_count == 0


def test_what_is_asked_for_again_while_a_batch_is_under_way_is_sent_again(city: sa.Engine) -> None:
    class Asked(Remembering):
        def deliver(self, batch: Batch) -> Sequence[Aside]:
            taken = super().deliver(batch)
            if len(self.batches) == 2:
                with city.begin() as connection:
                    again(connection, "town", everything=True)
            return taken

    book, sink = Book(), Asked()
    book.weigh(2)
    store_all(city, book)
    follower = Follower(city, sink)
    drain(follower)
    book.weigh(1)
    store_all(city, book, 3)
    drain(follower)
    assert sink.seqs == [2, 3, 4, 2, 3, 4]
    assert sink.batches[-1].bins[0].held_g == 300


def test_when_all_is_refused_it_stops_instead_of_throwing_all_aside(
    city: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "MAX_ASIDE", 20)
    book, sink = Book(), Remembering()
    store_all(city, book)
    sink.aside = [
        Aside(f"urn:{n}", book.ledger, "http_400", "no", b"{}") for n in range(place.MAX_ASIDE)
    ]
    follower = Follower(city, sink)
    drain(follower)
    book.weigh(1)
    store_all(city, book, 1)
    follower.step()
    assert len(sink.batches) == 1
    with city.connect() as connection:
        assert standings(connection)[0].trouble_code == "too_much_aside"


def test_a_long_backlog_goes_in_bounded_batches_in_order(city: sa.Engine) -> None:
    book, sink = Book(), Remembering()
    set_clock(book)
    book.weigh(2 * AT_ONCE + 50)
    store_all(city, book)
    drain(Follower(city, sink))
    assert sink.seqs == list(range(3, book.head + 1))
    assert max(len(batch.changes) for batch in sink.batches) <= AT_ONCE
    assert sink.batches[-1].days[0].weighings == 2 * AT_ONCE + 50


def test_a_change_without_a_clock_is_sent_bounded_and_again_when_the_clock_is_known(
    both: sa.Engine,
) -> None:
    book, sink = Book(), Remembering()
    book.weigh(3)
    store_all(both, book)
    follower = Follower(both, sink)
    drain(follower)
    (batch,) = sink.batches
    assert {c.when.time for c in batch.changes} == {"bounded"}
    assert all(c.when.utc_ms is None for c in batch.changes)
    assert batch.days == ()
    assert batch.stations[0].undated == 3
    clock = set_clock(book)
    store_all(both, book, 4)
    drain(follower)
    better = [c for b in sink.batches for c in b.changes if c.again]
    assert [(c.seq, c.when.time) for c in better] == [(2, "exact"), (3, "exact"), (4, "exact")]
    assert better[0].when.utc_ms == UTC_MS + 2000
    assert better[0].id == batch.changes[0].id
    assert clock == 5
    last = sink.batches[-1]
    assert [(one.day, one.net_g, one.weighings) for one in last.days] == [(DAY, 300, 3)]
    assert last.stations[0].undated == 0
    assert [(one.held_g, one.changed.time) for one in last.bins] == [(300, "exact")]
    drain(follower)
    assert sink.batches[-1] is last, "nothing is left to say"


def test_what_no_clock_will_ever_explain_stays_undated_and_is_not_looked_at_again(
    city: sa.Engine,
) -> None:
    book, sink = Book(), Remembering()
    book.weigh(2)
    other = {"boot": "c1" * 16}
    book.add("boot", software="test", settings="00" * 32, at=other)
    book.add("clock", utc_ms=UTC_MS, uncertainty_ms=50, source="ntp", at=other | {"boot_ms": 1})
    store_all(city, book)
    follower = Follower(city, sink)
    drain(follower)
    assert sink.batches[-1].stations[0].undated == 2
    assert sink.seqs == [2, 3], "the clock of another boot was known already when they were read"
    assert sink.batches[0].changes[0].when.to_utc_ms is not None
    assert scalar(city, "SELECT count(*) FROM sink_open WHERE settled = 0") == 0


def test_the_empty_weight_moves_as_in_the_stations_own_books(city: sa.Engine) -> None:
    book, sink = Book(), Remembering()
    set_clock(book)
    book.weigh(1)

    def unattributed(cause: str, before_g: int, after_g: int) -> None:
        book.add(
            "unattributed", bin="b1", item="pet-bottle", bag="bag-1", cause=cause,
            net_g=after_g - before_g, gross_before_g=before_g, gross_after_g=after_g,
            uncertainty_g=20,
        )  # fmt: skip

    unattributed("zero", 100, 130)
    unattributed("adjustment", 130, 210)
    book.add(
        "adjustment", bin="b1", number=2, method="two_points", gross_before_g=210,
        gross_after_g=210, empty_g=60, scale=ADJUSTED,
    )  # fmt: skip
    unattributed("drift", 210, 200)
    store_all(city, book)
    drain(Follower(city, sink))
    assert [c.held_g for c in sink.batches[0].changes] == [100, 100, None, 140]
    assert sink.batches[0].bins[0].held_g == 140


def test_a_restored_database_sends_again_what_it_stores_again_under_the_same_ids(
    both: sa.Engine,
) -> None:
    """A backup holds the cursor of its own time; a new epoch lets the station send the rest anew."""
    book, sink = Book(), Remembering()
    book.weigh(2)
    store_all(both, book)
    follower = Follower(both, sink)
    drain(follower)
    tables = ("sink_cursor", "sink_bin", "sink_day", "sink_open")
    with both.connect() as connection:
        backup = {
            name: [
                dict(row) for row in connection.execute(sa.text(f"SELECT * FROM {name}")).mappings()
            ]
            for name in tables
        }
    book.weigh(2)
    store_all(both, book, 3)
    drain(follower)
    before = set(sink.deposits)
    with both.begin() as connection:
        for name in ("bin_change", "entry"):
            connection.execute(sa.text(f"DELETE FROM {name} WHERE seq > 3"))
        connection.execute(sa.text("DELETE FROM batch_sig WHERE last_seq > 3"))
        connection.execute(
            sa.text("UPDATE ledger SET watermark = 3, head = :head"), {"head": book.hashes[3]}
        )
        for name, rows in backup.items():
            connection.execute(sa.text(f"DELETE FROM {name}"))
            for row in rows:
                columns = ", ".join(row)
                given = ", ".join(f":{key}" for key in row)
                connection.execute(sa.text(f"INSERT INTO {name} ({columns}) VALUES ({given})"), row)
        registry.new_epoch(connection)
    drain(follower)
    store_all(both, book, 3)
    drain(follower)
    assert sink.seqs == [2, 3, 4, 5, 4, 5]
    assert set(sink.deposits) == before


def test_a_cursor_newer_than_the_entries_waits_for_them_and_begins_anew_where_they_differ(
    city: sa.Engine,
) -> None:
    """Somebody restored the entries and not the sinks' tables."""
    book, sink = Book(), Remembering()
    book.weigh(3)
    store_all(city, book)
    follower = Follower(city, sink)
    drain(follower)
    with city.begin() as connection:
        connection.execute(sa.text("UPDATE ledger SET watermark = 2"))
    drain(follower)
    assert sink.seqs == [2, 3, 4], "it waits"
    with city.begin() as connection:
        connection.execute(sa.text("UPDATE ledger SET watermark = 4"))
        connection.execute(sa.text("UPDATE sink_cursor SET hash = :other"), {"other": b"\1" * 32})
        assert registry_row(connection, book.ledger) == 4
    drain(follower)
    assert sink.seqs == [2, 3, 4, 2, 3, 4]


def test_a_recovered_entry_keeps_the_id_that_it_had_in_its_own_ledger(city: sa.Engine) -> None:
    """The city lacked it, so a new ledger records it anew; then the old card turns up after all."""
    old = Book(ledger="0d" * 16)
    set_clock(old)
    old.weigh(2)
    whole = old.head
    new = Book(
        ledger="e3" * 16,
        continues={"ledger": old.ledger, "seq": 3, "head": old.hashes[3].hex()},
        opening_g=200,
    )
    lost = json.loads(old.rows[3][0] or b"")
    new.add("recovered", of={"ledger": old.ledger, "seq": 4}, entry=lost)
    store.take(city, [store.Delivery(TOPIC, old.batch(0, 3))], NOW_MS)
    store_all(city, new)
    sink = Remembering()
    drain(Follower(city, sink))
    assert sum(c.net_g or 0 for c in sink.deposits.values()) == 200
    recovered = next(c for c in sink.deposits.values() if c.ledger == new.ledger)
    assert recovered.id.startswith(f"{old.ledger}-{whole}-")


def test_what_was_recovered_waits_for_the_clock_of_its_own_boot(city: sa.Engine) -> None:
    """It lies out of order: a clock that comes later may have been recovered from the same boot."""
    old = Book(ledger="0d" * 16)
    boot = {"boot": "c1" * 16}
    old.add("weighing", at=boot, **weighing_fields(0, 100))
    known = old.add("clock", at=boot, utc_ms=UTC_MS, **CLOCK)
    bodies = [json.loads(body or b"") for body, _ in old.rows]
    new = Book()
    set_clock(new)
    new.add("recovered", of={"ledger": old.ledger, "seq": 2}, entry=bodies[1])
    set_clock(new)
    store_all(city, new)
    sink = Remembering()
    follower = Follower(city, sink)
    drain(follower)
    assert [c.when.time for c in sink.deposits.values()] == ["bounded"]
    new.add("recovered", of={"ledger": old.ledger, "seq": known}, entry=bodies[2])
    store_all(city, new, 4)
    drain(follower)
    (deposit,) = sink.deposits.values()
    assert (deposit.when.time, deposit.again) == ("exact", True)
    assert deposit.when.utc_ms == UTC_MS - 1000


class _Killed(BaseException):
    pass


class _Unsteady(Remembering):
    """A platform, and a process, on a bad day."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.fates = ("ok", "ok", "away", "killed before", "killed after")

    def deliver(self, batch: Batch) -> list[Aside]:
        match self.chance.choice(self.fates):
            case "away":
                raise Away("gone", "It is gone.", "Wait.")
            case "killed before":
                raise _Killed
            case "killed after":
                super().deliver(batch)
                raise _Killed
        super().deliver(batch)
        return []


@pytest.mark.parametrize("seed", range(4 * int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))))
def test_whatever_happens_the_platform_ends_up_with_what_the_city_has(
    city: sa.Engine, seed: int
) -> None:
    """Worlds of drops, swaps, clocks that come late, kills and troubles: nothing lost, all as dated."""
    chance = random.Random(seed)
    book, sink = Book(), _Unsteady(chance)
    follower = Follower(city, sink)
    stored, boots, gross_g = 0, 0, 0
    for _ in range(25):
        at = {"boot": f"{boots:032x}"}
        match chance.choice(["drop", "drop", "drop", "swap", "count", "clock", "boot", "zero"]):
            case "drop":
                for _ in range(chance.randint(1, 4)):
                    after_g = gross_g + chance.randint(-40, 400)
                    book.add("weighing", at=at, **weighing_fields(gross_g, after_g))
                    gross_g = after_g
            case "swap":
                book.add(
                    "bag_swap", at=at, bin="b1", item="pet-bottle", bag="x", new_bag="y",
                    net_g=gross_g, gross_before_g=gross_g, gross_after_g=0,
                )  # fmt: skip
                gross_g = 0
            case "zero":
                book.add(
                    "unattributed", at=at, bin="b1", item="pet-bottle", bag="x", cause="zero",
                    net_g=7, gross_before_g=gross_g, gross_after_g=gross_g + 7, uncertainty_g=2,
                )  # fmt: skip
                gross_g += 7
            case "count":
                book.add("item_count", at=at, item="can", bin="b2", visit=None, count=2)
            case "clock":
                known_ms = UTC_MS + DAY_MS * boots // 3 + 1000 * book.head
                book.add("clock", at=at, utc_ms=known_ms, uncertainty_ms=50, source="ntp")
            case "boot":
                boots += 1
        if chance.random() < 0.6:
            store_all(city, book, stored)
            stored = book.head
        for _ in range(chance.randint(0, 2)):
            try:
                follower.step()
            except _Killed:
                with city.begin() as connection:
                    connection.execute(sa.text("UPDATE sink_state SET until_ms = 0"))
                follower = Follower(city, sink)
    store_all(city, book, stored)
    sink.fates = ("ok",)
    drain(follower)
    with city.connect() as connection:
        changes = connection.execute(sa.text("SELECT * FROM change_resolved ORDER BY seq")).all()
        view = connection.execute(
            sa.text(
                "SELECT day, item, net_g, weighings, pieces FROM day_item WHERE day IS NOT NULL"
            )
        ).all()
        undated = connection.execute(
            sa.text(
                "SELECT sum(weighings) + sum(coalesce(pieces, 0)) / 2 FROM day_item WHERE day IS NULL"
            )
        ).scalar_one()
    last = {change.seq: change for change in sink.deposits.values()}
    assert sorted(last) == [row.seq for row in changes]
    for row in changes:
        assert last[row.seq].when.time == row.time
    totals = {(one.day, one.item): one for batch in sink.batches for one in batch.days}
    assert {
        (day, item, one.net_g, one.weighings, one.pieces) for (day, item), one in totals.items()
    } == {tuple(row) for row in view}
    stations = [one for batch in sink.batches for one in batch.stations]
    assert (stations[-1].entries, stations[-1].undated) == (book.head, undated or 0)
    bins = {one.bin: one for batch in sink.batches for one in batch.bins}
    zeros = sum(row.net_g for row in changes if row.cause == "zero")
    if "b1" in bins:
        assert bins["b1"].held_g == gross_g - zeros
