"""A carrier without any key takes texts and seals out of batches: the city notices, tells, and gets all of
it, once, from whoever brings it later. On a real SQLite and a real PostgreSQL."""

from __future__ import annotations

import itertools
import os
import random
from typing import Any

import pytest
import sqlalchemy as sa
from sync_site import CITY, STATION, STATION_KEY, TOPIC, UTC_MS, Book, Diary, relayed

from sync.receiver import lacking, registry
from sync.receiver.arriving import Delivery
from sync.receiver.care import Finding, look
from sync.receiver.database import opened
from sync.receiver.store import Outcome, take
from sync.receiver.tables import metadata
from sync.receiver.verify import verify_all
from sync.receiver.views import drop_views

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
ANN, BOB = b"a", b"b"
CODES = ("thinned", "unopened", "not_forgotten")
NOW_MS = 1_000_000
TOLD = (
    "SELECT seq, kind, body FROM entry ORDER BY ledger, seq",
    "SELECT seq, salt, pseudonym FROM seal ORDER BY ledger, seq",
    "SELECT * FROM bin_change ORDER BY ledger, seq",
    "SELECT * FROM clock_settled ORDER BY ledger, seq",
    "SELECT * FROM opening ORDER BY ledger, bin",
    "SELECT * FROM weighing_resolved ORDER BY ledger, seq",
    "SELECT points FROM point_nobody WHERE points <> 0",
    "SELECT visit, name, points FROM point_visit ORDER BY visit",
    "SELECT pseudonym, in_now FROM card_listed ORDER BY pseudonym",
    "SELECT kind, version, source, highest, refused FROM town_station ORDER BY kind",
)
"""All that entries mean at the city."""


def send(city: sa.Engine, *payloads: bytes, now_ms: int = NOW_MS) -> Outcome:
    return take(city, [Delivery(TOPIC, payload) for payload in payloads], now_ms)


def rows(city: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with city.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def told(city: sa.Engine) -> list[list[tuple[Any, ...]]]:
    return [*(rows(city, query) for query in TOLD), accounts(city)]


def accounts(city: sa.Engine) -> list[tuple[Any, ...]]:
    """Points and names of each account; which of the names stands for it says nothing."""
    found: dict[bytes, list[Any]] = {}
    for account, name, earned in rows(city, "SELECT account, name, earned FROM point_name"):
        held = found.setdefault(bytes(account), [0, []])
        held[0] += earned
        held[1].append(bytes(name)[:1])
    return sorted((points, *sorted(names)) for points, names in found.values() if points)


def findings(city: sa.Engine, now_ms: int = NOW_MS + lacking.GRACE_MS) -> list[Finding]:
    with city.connect() as connection:
        (care,) = look(connection, now_ms)
    return [one for one in care.findings if one.code in CODES]


def codes(city: sa.Engine) -> list[str]:
    return [one.code for one in findings(city)]


def holds(city: sa.Engine) -> bool:
    with city.connect() as connection:
        return not any(each.faults for each in verify_all(connection))


def emptied(city: sa.Engine) -> None:
    with city.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name not in ("station_key", "epoch"):
                connection.execute(sa.delete(table))


@pytest.fixture
def diary() -> Diary:
    """Two visits, one of them claimed, a card that was closed, a clock, a card without points."""
    diary = Diary()
    diary.visit(ANN, 3, 4, name="v1", at_once=1)
    diary.drop("v2", 5)
    diary.sealed("claim", BOB, visit="v2")
    diary.leave("v2")
    diary.add("clock", utc_ms=UTC_MS, uncertainty_ms=50, source="ntp")
    diary.sealed("card_closed", b"c", reason="lost")
    diary.come(ANN, None, 7)
    diary.come(BOB, "v3", 2)
    diary.drop("v3", 6)
    return diary


def test_what_a_carrier_thins_and_strips_is_told_and_comes_right_with_an_honest_resend(
    city: sa.Engine, diary: Diary
) -> None:
    send(city, diary.batch(0))
    whole = told(city)
    assert codes(city) == [] and holds(city)
    emptied(city)

    every = range(2, diary.head + 1)
    outcome = send(city, relayed(diary.batch(0), thin=every))
    (answer,) = outcome.answers
    assert answer.ack.seq == diary.head, "it proves itself: chain and signature hold"
    (finding,) = findings(city)
    assert finding.code == "thinned"
    assert finding.what.startswith(f"{len(every)} entries")
    assert f"resend 2 --city {CITY}" in finding.todo and STATION in finding.todo

    (healed,) = send(city, diary.batch(0)).healed
    assert (healed.texts, healed.seals) == (len(every), len(diary.seals))
    assert told(city) == whole
    assert codes(city) == [] and holds(city)
    assert send(city, diary.batch(0)).healed == []
    assert told(city) == whole, "once"


def test_stripped_seals_are_told_after_a_while_and_come_right_the_same_day(
    city: sa.Engine, diary: Diary
) -> None:
    send(city, diary.batch(0))
    whole = told(city)
    emptied(city)
    send(city, relayed(diary.batch(0), strip=diary.seals))
    assert findings(city, NOW_MS) == [], "what was forgotten may be told of by a later batch"
    (finding,) = findings(city)
    assert finding.code == "unopened"
    assert finding.what.startswith(f"{len(diary.seals)} entries")
    (healed,) = send(city, diary.batch(0)).healed
    assert (healed.texts, healed.seals) == (0, len(diary.seals))
    assert told(city) == whole and codes(city) == []


def test_a_seal_that_was_forgotten_is_never_opened_again(city: sa.Engine, diary: Diary) -> None:
    """Stripped, then forgotten; forgotten before its entry came; forgotten while its text was lacking."""
    seqs = tuple(diary.seals)
    first, before = diary.batch(0), diary.head
    ahead = diary.come(ANN, None, 1)
    honest = diary.batch(before)
    diary.add("forget", count=len(seqs) + 1)
    every = range(2, before + 1)
    send(city, relayed(first, thin=every[::2], strip=every))
    send(city, diary.batch(1, 2, unseal=(*seqs, ahead)))
    for _ in range(2):
        send(city, honest, first)
        assert rows(city, "SELECT count(*) FROM seal") == [(0,)]
    assert rows(city, "SELECT count(*) FROM entry WHERE body IS NULL") == [(0,)]
    assert accounts(city) == [(1, ANN)], "the copy that was held back said whose that one was"
    assert rows(city, "SELECT points FROM point_nobody") == [(1 + 3 + 4 + 5 + 7,)], "for good"
    assert codes(city) == [] and holds(city)


def test_a_word_that_forgets_and_was_taken_out_is_told_and_comes_with_a_resend(
    city: sa.Engine, diary: Diary
) -> None:
    seqs = tuple(diary.seals)
    send(city, diary.batch(0))
    diary.add("forget", count=len(seqs))
    last = diary.head
    send(city, diary.batch(last - 1, unseal=seqs[:1]))
    assert codes(city) == [], "many take several batches"
    (finding,) = findings(city, NOW_MS + lacking.FORGET_MS)
    assert finding.code == "not_forgotten" and f"{len(seqs) - 1} seals" in finding.what
    send(city, diary.batch(0, unseal=seqs), diary.batch(0, unseal=seqs))
    assert findings(city, NOW_MS + lacking.FORGET_MS) == []
    assert rows(city, "SELECT count(*) FROM seal") == [(0,)] and holds(city)


def test_a_card_forgotten_in_the_middle_of_its_visit_still_gets_what_comes_late(
    city: sa.Engine, diary: Diary
) -> None:
    """While the visit is open its row says whose it is; of one that is closed nobody knows."""
    last = diary.head
    send(city, relayed(diary.batch(0), thin=(last,)))
    before = dict(rows(city, "SELECT account, points FROM balance"))
    card = max(diary.seals)
    diary.add("forget", count=1)
    send(city, diary.batch(last, unseal=(card,)))
    send(city, diary.batch(0, last))
    after = dict(rows(city, "SELECT account, points FROM balance"))
    assert after[BOB * 16] == before[BOB * 16] + 6


def test_a_station_that_thinned_long_ago_is_told_of_only_until_its_snapshot_has_come(
    city: sa.Engine,
) -> None:
    """A restored city gets again what its station has long thinned: nothing is amiss with that."""
    with city.begin() as connection:
        registry.new_epoch(connection)
    book = Book()
    book.weigh(6)
    book.add("snapshot", of=5, digest="0" * 64)
    for seq in range(2, 6):
        book.rows[seq - 1] = (None, book.rows[seq - 1][1])
    send(city, book.batch(0, 4))
    assert codes(city) == ["thinned"]
    send(city, book.batch(4))
    assert codes(city) == [] and holds(city)
    send(city, relayed(book.batch(0), thin=()))
    book.weigh(1)
    send(city, relayed(book.batch(8), thin=(9,)))
    (finding,) = findings(city)
    assert "1 entries" in finding.what and "the first is 9" in finding.what


def test_no_snapshot_excuses_what_a_city_never_had(city: sa.Engine) -> None:
    """In its first life a database has signed for nothing else: who thins there is no station."""
    book = Book()
    book.weigh(6)
    book.add("snapshot", of=7, digest="0" * 64)
    send(city, relayed(book.batch(0), thin=(3, 4)))
    assert codes(city) == ["thinned"]


def test_what_came_thinned_of_a_ledger_that_ended_is_told_without_a_command(
    city: sa.Engine,
) -> None:
    book = Book()
    book.weigh(3)
    send(city, relayed(book.batch(0), thin=(3,)))
    point = {"ledger": book.ledger, "seq": book.head, "head": book.hashes[-1].hex()}
    send(city, Book(ledger="a2" * 16, continues=point).batch(0))
    (finding,) = findings(city)
    assert "ended" in finding.todo and "resend" not in finding.todo


def test_a_text_that_was_lost_here_goes_back_and_counts_nothing_twice(
    city: sa.Engine, diary: Diary
) -> None:
    send(city, diary.batch(0))
    whole = told(city)
    with city.begin() as connection:
        connection.exec_driver_sql("UPDATE entry SET body = NULL WHERE seq IN (3, 4)")
        lacking.note_again(connection)
    assert codes(city) == ["thinned"]
    send(city, diary.batch(2, 5))
    assert told(city) == whole and codes(city) == []


def test_however_it_was_cut_thinned_and_stripped_the_end_is_as_if_it_had_come_whole(
    city: sa.Engine,
) -> None:
    for seed in range(3 * SIZE):
        rng = random.Random(seed)
        book = a_day(rng)
        cuts = sorted({0, book.head, *rng.sample(range(book.head + 1), 4)})
        batches = [book.batch(a, b) for a, b in itertools.pairwise(cuts)]
        emptied(city)
        send(city, *batches)
        whole = told(city)
        emptied(city)
        every = range(2, book.head + 1)
        for _ in range(3):
            thin = rng.sample(every, rng.randint(0, len(every)))
            strip = rng.sample(every, rng.randint(0, len(every)))
            bent = [relayed(each, thin, strip) for each in batches]
            rng.shuffle(bent)
            for payload in bent[: rng.randint(1, len(bent))]:
                send(city, payload)
        honest = [
            book.batch(a, b) for a, b in itertools.pairwise(sorted({0, book.head // 2, *cuts}))
        ]
        send(city, *honest[:2])
        for payload in [*honest, *honest]:
            send(city, payload)
        assert told(city) == whole, seed
        assert codes(city) == [] and holds(city), seed


def a_day(rng: random.Random) -> Diary:
    """Visits beside one another, claims, names that are tied, clocks that contradict one another."""
    book = Diary(ledger=f"{rng.getrandbits(128):032x}")
    visits: list[str] = []
    claimed: set[str] = set()
    for step in range(60):
        person, points = bytes([97 + rng.randrange(4)]), rng.randrange(-3, 9)
        visit = rng.choice(visits) if visits else None
        match rng.randrange(8):
            case 0:
                visits.append(f"v{step}")
                claimed.add(visits[-1])
                of = book.come(person, visits[-1], points)
                if rng.random() < 0.2:
                    book.sealed("alias", b"z", of=of)
            case 1:
                visits.append(f"v{step}")
                book.drop(visits[-1], points)
            case 2 | 3:
                book.drop(visit, points)
            case 4 if visit is not None and visit not in claimed:
                claimed.add(visit)
                book.sealed("claim", person, visit=visit)
            case 5 if visit is not None:
                visits.remove(visit)
                book.leave(visit)
            case 6:
                book.add("clock", utc_ms=UTC_MS + rng.randrange(9) * 3600_000, uncertainty_ms=50,
                         source="ntp")  # fmt: skip
            case 7:
                book.add(
                    "catalogue", version=step, source="city", digest="0" * 64, effective_ms=None
                )
            case _:
                book.come(person, None, points)
    return book


def test_a_city_that_an_older_receiver_made_learns_what_its_ledgers_lack(
    city_url: str, diary: Diary
) -> None:
    """It kept no list of what was forgotten: texts come back, and no seal of theirs."""
    with opened(city_url) as city:
        with city.begin() as connection:
            registry.add_station(connection, CITY, STATION, STATION_KEY.public_key)
        send(city, relayed(diary.batch(0), thin=range(3, diary.head)))
        with city.begin() as connection:
            drop_views(connection)
            for table in ("unopened", "unsealed", "filled", "city_key"):
                connection.exec_driver_sql(f"DROP TABLE {table}")
            for column in ("lacking", "covered", "filled", "forgets", "forgotten"):
                connection.exec_driver_sql(f"ALTER TABLE ledger DROP COLUMN {column}")
            connection.exec_driver_sql("DROP INDEX entry_hollow")
    with opened(city_url) as city:
        assert codes(city) == ["thinned"]
        (healed,) = send(city, diary.batch(0)).healed
        assert (healed.texts, healed.seals) == (diary.head - 3, 0)
        assert codes(city) == [] and holds(city)
        assert rows(city, "SELECT seq FROM seal") == [(2,)]
