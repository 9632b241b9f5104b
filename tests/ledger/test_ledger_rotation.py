"""The pseudonym key changes: what the ledger writes of it, keeps, forgets, and tells the city."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa
from ledger_site import DAY_MS, Site, checkin, close_visit, projected, weighing

from kiosk.core.cards import CardBody, CardDesk, issue
from kiosk.core.chain import seal
from kiosk.core.config import BinRules, StationRules, Tariff
from kiosk.core.earned import Earned
from kiosk.core.effects import Item, Record
from kiosk.core.entries import Alias, Claim
from kiosk.core.events import Moment, Tick
from kiosk.core.station import Station
from kiosk.core.ties import Tie
from kiosk.ledger import Ledger, projections
from kiosk.ledger.show import show
from kiosk.ledger.verify import verify
from sync.receiver.arriving import Delivery
from sync.receiver.database import open_database
from sync.receiver.registry import add_station
from sync.receiver.store import take
from sync.receiver.verify import verify_all

OLD, NEW = b"o" * 16, b"n" * 16
DAY = 20_000


def alias(person: bytes = OLD, back: int = 1) -> Item:
    return Item(Alias(None, 0), pseudonym=person, back=back)


def entry(site: Site, seq: int) -> dict[str, Any]:
    with closing(sqlite3.connect(site.database)) as db:
        (body,) = db.execute("SELECT body FROM ledger WHERE seq = ?", (seq,)).fetchone()
    found: dict[str, Any] = json.loads(body)
    return found


def seals(site: Site) -> dict[int, tuple[bytes, bytes]]:
    with closing(sqlite3.connect(site.database)) as db:
        return {seq: (salt, name) for seq, salt, name in db.execute("SELECT * FROM seal")}


def test_an_alias_names_its_check_in_and_seals_the_old_name(site: Site, ledger: Ledger) -> None:
    assert ledger.append([checkin(b"n"), alias()]) == (2, 3)
    written = entry(site, 3)
    assert (written["kind"], written["of"]) == ("alias", 2)
    salt, name = seals(site)[3]
    assert name == OLD
    assert written["seal"] == seal(salt, OLD).hex()
    assert verify(site.folder).findings == ()


def test_both_names_stand_at_the_city_until_the_day_ends(site: Site, ledger: Ledger) -> None:
    city = open_database("sqlite://")
    with city.begin() as connection:
        add_station(connection, "demo", site.station, site.signer.public_key)
    ledger.append([checkin(b"n"), alias()])
    assert tied_at(city, ledger) == [(NEW, OLD)]

    site.clock.utc_ms += DAY_MS
    assert ledger.forget_due(0) == 2
    assert seals(site) == {}
    assert tied_at(city, ledger) == []
    with city.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM seal")).scalar() == 0
        assert not any(each.faults for each in verify_all(connection))
    city.dispose()


def tied_at(city: sa.Engine, ledger: Ledger) -> list[tuple[bytes, bytes]]:
    """What a city that gets all that there is knows of names that belong together."""
    with city.connect() as connection:
        after = connection.execute(sa.text("SELECT max(watermark) FROM ledger")).scalar() or 0
    batch = ledger.batch(after)
    assert batch is not None
    (answer,) = take(city, [Delivery("kiosk/v1/demo/hall-1/ledger", batch)], 0).answers
    assert answer.ack.error is None
    query = (
        "SELECT n.pseudonym, o.pseudonym FROM entry e"
        " JOIN seal o ON o.ledger = e.ledger AND o.seq = e.seq"
        " JOIN seal n ON n.ledger = e.ledger AND n.seq = json_extract(e.body, '$.of')"
        " WHERE e.kind = 'alias'"
    )
    with city.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_a_restart_knows_who_is_tied_and_a_forgotten_seal_says_nothing(site: Site) -> None:
    ledger = site.open()
    ledger.append([checkin(b"n"), alias()])
    ledger.close()
    again = site.open()
    assert again.memory().tied == {NEW: Tie(OLD, DAY)}
    site.clock.utc_ms += DAY_MS
    again.forget_due(0)
    again.close()
    later = site.open()
    assert later.memory().tied == {}
    later.close()


def test_an_alias_lives_as_long_as_its_check_in(site: Site, ledger: Ledger) -> None:
    ledger.append([checkin(b"a"), alias()])
    ledger.append([checkin(b"n", visit="v-1"), alias()])
    ledger.append([weighing(0, 100, visit="v-2"), Item(Claim("v-2", None), NEW), alias()])
    site.clock.utc_ms += DAY_MS
    assert ledger.forget_due(90) == 2, "the unlinked check-in and its alias"
    assert sorted(seals(site)) == [4, 5, 7, 8]
    site.clock.utc_ms += 90 * DAY_MS
    assert ledger.forget_due(90) == 4


def test_what_was_earned_today_is_known_under_both_names(site: Site) -> None:
    ledger = site.open()
    ledger.append([checkin(b"n", visit="v-1", points=0), alias()])
    ledger.append([weighing(0, 900, points=9)])
    ledger.append([weighing(900, 800, points=-1), close_visit()])
    ledger.append([checkin(b"n", visit="v-2", points=0), weighing(800, 900, visit="v-2", points=1)])
    ledger.append([checkin(b"b", visit="v-3", points=0), weighing(900, 950, visit="v-4", points=1)])
    ledger.append([Item(Claim("v-4", None), b"c" * 16)])
    ledger.close()
    again = site.open()
    earned = Earned(DAY, visits=2, points=9)
    assert again.memory().earned == {NEW: earned, OLD: earned, b"c" * 16: Earned(DAY, 1, 1)}
    again.close()


def test_a_new_ledger_ties_anew_and_gives_no_days_points_twice(site: Site) -> None:
    ledger = site.open()
    ledger.append([checkin(b"n"), alias()])
    ledger.accept_ack(site.ack(ledger, 1))
    beyond = site.ack(ledger, 9, head=b"c" * 32)
    ledger.close()
    (site.folder / "ack.json").write_bytes(beyond)
    fresh = site.open()
    assert fresh.turn_over is not None
    # The recovered alias has no seal at the city any more: the tie has to be said once more.
    assert fresh.memory().tied == {}
    assert fresh.memory().earned == dict.fromkeys((NEW, OLD), Earned(DAY, 1, 1))
    fresh.append([checkin(b"n", points=0), alias()])
    assert [line["kind"] for line in show(site.folder)][-2:] == ["checkin", "alias"]
    assert verify(site.folder).findings == ()
    fresh.close()


def test_the_projections_of_aliases_are_made_again_from_the_ledger(site: Site) -> None:
    ledger = site.open()
    ledger.append([checkin(b"n", visit="v-1"), alias()])
    ledger.append([checkin(b"m"), alias()])
    ledger.close()
    with closing(sqlite3.connect(site.database)) as db:
        before = projected(db)
        with db:
            projections.rebuild(db, lambda utc_ms: utc_ms // DAY_MS)
        assert projected(db) == before


@pytest.mark.parametrize("item", [Item(Alias(None, 0), pseudonym=b"short", back=1)])
def test_no_alias_is_written_without_a_whole_name(ledger: Ledger, item: Item) -> None:
    with pytest.raises(ValueError):
        ledger.append([checkin(b"n"), item])
    assert ledger.head[0] == 1, "and no check-in either"


CARD_KEY, NEW_KEY, OLD_KEY = b"c" * 32, b"n" * 32, b"o" * 32
TEXT = issue(CardBody(1, DAY + 900, bytes(range(10))), CARD_KEY)
RULES = StationRules(bins=(BinRules("b1", "pet-bottle", None),), tariff=Tariff(1, "visit", 1))


def morning(site: Site, desk: CardDesk) -> list[dict[str, Any]]:
    """A station starts, the card is shown twice an hour apart, the power goes; what was written."""
    ledger = site.open()
    station, first = Station(RULES, ledger.memory()), ledger.head[0] + 1
    for t_ms in range(60_000, 60_000 + 2 * 3_600_000, 3_600_000):
        now = Moment(t_ms, site.clock.utc_ms, "synced", site.clock.utc_ms // DAY_MS)
        seen = desk.identify_qr(TEXT, t_ms=t_ms, day=now.day)
        for event in (seen, Tick(t_ms)):
            waiting = station.handle(event, now)
            while waiting:
                effect = waiting.pop()
                if isinstance(effect, Record):
                    waiting += station.recorded(effect.items, ledger.append(effect.items))
        late = Moment(t_ms + 60_000, now.utc_ms, "synced", now.day)
        for effect in station.handle(Tick(late.boot_ms), late):
            assert isinstance(effect, Record)
            station.recorded(effect.items, ledger.append(effect.items))
    ledger.close()
    found = [entry(site, seq) for seq in range(first, ledger.head[0] + 1)]
    return [one for one in found if one["kind"] != "visit_close"]


def told(entries: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(one["kind"], one["points"] if "points" in one else one["of"]) for one in entries]


def test_the_day_on_which_the_key_is_changed(site: Site) -> None:
    before = CardDesk({1: CARD_KEY}, OLD_KEY)
    both = CardDesk({1: CARD_KEY}, NEW_KEY, former_key=OLD_KEY)
    after = CardDesk({1: CARD_KEY}, NEW_KEY)
    assert told(morning(site, before)) == [("checkin", 1), ("checkin", 0)]
    changed = morning(site, both)
    assert told(changed) == [
        ("checkin", 0),
        ("alias", changed[0]["seq"]),
        ("checkin", 0),
    ], "its point was given under the old name; tied once"
    assert told(morning(site, both)) == [("checkin", 0)] * 2, "a restart knows both"
    assert told(morning(site, after)) == [("checkin", 0)] * 2, (
        "and so does a day with one key again"
    )
    site.clock.utc_ms += DAY_MS
    assert told(morning(site, after)) == [("checkin", 1), ("checkin", 0)]
    assert verify(site.folder).findings == ()
