"""Points at the city: booked once to whoever earned them, on a real SQLite and a real PostgreSQL."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from city_site import BIN, ask
from sync_site import CITY, STATION_KEY, Book, Diary

from kiosk.core.errors import OperatorError
from sync.receiver import corrections
from sync.receiver.arriving import Delivery, unpack
from sync.receiver.database import open_database
from sync.receiver.registry import add_station
from sync.receiver.store import take, take_opened
from sync.receiver.writing import loader

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
ANN, BOB, EVE = (letter.encode() for letter in "abe")
NOW_MS = 1_000_000


def send(city: sa.Engine, book: Book, *payloads: bytes) -> None:
    topic = f"kiosk/v1/{CITY}/{book.station}/ledger"
    take(city, [Delivery(topic, payload) for payload in payloads], NOW_MS)


def balances(city: sa.Engine) -> dict[bytes, int]:
    """Points by account's name, one letter each."""
    with city.connect() as connection:
        rows = connection.execute(sa.text("SELECT account, points FROM balance"))
        return {bytes(account)[:1]: int(points) for account, points in rows}


def count(city: sa.Engine, table: str, what: str = "count(*)") -> int:
    with city.connect() as connection:
        return int(connection.scalar(sa.text(f"SELECT {what} FROM {table}")) or 0)


@pytest.fixture
def diary() -> Diary:
    return Diary()


def test_points_are_booked_to_the_card_across_batches_and_repeats(
    city: sa.Engine, diary: Diary
) -> None:
    diary.visit(ANN, 3, 4, name="v1", at_once=1)
    diary.visit(BOB, 5, -2, name="v2")
    batches = [diary.batch(after, after + 1) for after in range(diary.head)]
    for payload in batches:
        send(city, diary, payload)
    send(city, diary, *batches)
    assert balances(city) == {ANN: 8, BOB: 3}
    assert count(city, "point_visit") == 0, "no row ties a visit that is over to a card"


def test_a_round_that_is_tried_again_books_what_it_would_have_the_first_time(
    city: sa.Engine, diary: Diary
) -> None:
    """What was made of a batch ahead of its transaction is as it was after one that came to nothing."""
    diary.come(ANN, "v1", 2)
    diary.drop("v2", 5)
    cut = diary.head
    diary.drop("v1", 3)
    diary.sealed("claim", BOB, visit="v2")
    diary.leave("v1")
    diary.leave("v2")
    topic = f"kiosk/v1/{CITY}/{diary.station}/ledger"
    payloads = (diary.batch(0, cut), diary.batch(cut))
    parcels = [unpack(Delivery(topic, each), loader(city.dialect)) for each in payloads]
    for _ in range(2):
        take_opened(city, parcels, NOW_MS)
        assert balances(city) == {ANN: 5, BOB: 5}
        assert count(city, "seal") == 2
        with city.begin() as connection:  # as if it had been rolled back
            for name in ("entry", "seal", "batch_sig", "bin_change", "ledger", "opening"):
                connection.execute(sa.text(f"DELETE FROM {name}"))
            connection.execute(sa.text("DELETE FROM point_name"))


def test_points_by_visit_are_booked_without_any_visit(city: sa.Engine, diary: Diary) -> None:
    for _ in range(3):
        diary.come(ANN, None, 1)
    send(city, diary, diary.batch(0))
    assert balances(city) == {ANN: 3}


def test_what_was_earned_stays_when_the_seal_is_forgotten(city: sa.Engine, diary: Diary) -> None:
    seq = diary.come(ANN, None, 7)
    send(city, diary, diary.batch(0))
    last = diary.head
    diary.add("forget", count=1)
    send(city, diary, diary.batch(last, unseal=(seq,)))
    assert count(city, "seal") == 0
    assert balances(city) == {ANN: 7}


def test_a_claim_brings_what_was_dropped_before_the_card_and_else_it_is_nobodys(
    city: sa.Engine, diary: Diary
) -> None:
    diary.drop("v1", 6)
    diary.sealed("claim", ANN, visit="v1")
    diary.drop("v1", 1)
    diary.leave("v1")
    diary.drop("v2", 4)
    diary.leave("v2")
    diary.drop(None, 2)
    diary.seals.pop(diary.come(BOB, None, 9))  # forgotten before the line was back
    diary.seals.pop(diary.come(BOB, "v3", 1))
    diary.drop("v3", 5)
    diary.leave("v3")
    for after in range(diary.head):
        send(city, diary, diary.batch(after, after + 1))
    assert balances(city) == {ANN: 7}
    assert count(city, "point_nobody", "sum(points)") == 4 + 2 + 9 + 6


def test_names_that_are_tied_anywhere_are_one_account_everywhere(
    city: sa.Engine, diary: Diary
) -> None:
    """A key was changed at one station, a card joined an account at another."""
    other = Diary(ledger="b2" * 16, station="hall-2", signer=STATION_KEY)
    with city.begin() as connection:
        add_station(connection, CITY, "hall-2", STATION_KEY.public_key)
    diary.visit(ANN, 5, name="v1")
    of = diary.come(BOB, "v2")  # the same card, under its new name
    diary.sealed("alias", ANN, of=of)
    diary.drop("v2", 2)
    send(city, diary, diary.batch(0, of), diary.batch(of))
    assert balances(city) == {BOB: 7}
    other.visit(EVE, 10, name="w1")
    of = other.sealed("card_account", ANN)
    other.sealed("card_joined", EVE, of=of)
    send(city, other, other.batch(0))
    assert balances(city) == {BOB: 17}, "the household's card, and the account under its older name"
    with city.connect() as connection:
        found = corrections.account(connection, CITY, EVE * 16)
    assert found is not None and (found.names, found.points) == (3, 17)


def test_the_books_agree_with_a_plain_reckoning_for_any_day_cut_anyhow(city: sa.Engine) -> None:
    for seed in range(4 * SIZE):
        rng = random.Random(seed)
        book = Diary(ledger=f"{seed:032x}")
        owed: dict[bytes, int] = defaultdict(int)
        nobody, open_visits = 0, dict[str, list[Any]]()
        people = [bytes([65 + seed % 20, 97 + n]) for n in range(4)]
        for step in range(rng.randrange(60)):
            person, points = rng.choice(people)[1:], rng.randrange(-3, 9)
            visit = rng.choice(list(open_visits) or [f"v{step}"])
            match rng.randrange(6):
                case 0:
                    book.come(person, f"v{step}", points)
                    open_visits[f"v{step}"] = [person, points]
                    owed[person] += points
                case 1 | 2:
                    book.drop(visit, points)
                    holder = open_visits.setdefault(visit, [None, 0])
                    holder[1] += points
                    if holder[0] is not None:
                        owed[holder[0]] += points
                case 3 if visit in open_visits and open_visits[visit][0] is None:
                    book.sealed("claim", person, visit=visit)
                    open_visits[visit][0] = person
                    owed[person] += open_visits[visit][1]
                case 4 if visit in open_visits:
                    book.leave(visit)
                    name, held = open_visits.pop(visit)
                    nobody += held if name is None else 0
                case _:
                    book.come(person, None, points)
                    owed[person] += points
        before, missed = balances(city), count(city, "point_nobody", "sum(points)")
        cuts = sorted({0, book.head, *rng.sample(range(book.head + 1), min(3, book.head))})
        batches = [book.batch(a, b) for a, b in itertools.pairwise(cuts)]
        rng.shuffle(batches)
        for payload in [*batches, *batches]:
            send(city, book, payload)
        after = balances(city)
        for name in owed:
            assert after.get(name, 0) - before.get(name, 0) == owed[name], (seed, name)
        assert count(city, "point_nobody", "sum(points)") - missed == nobody, seed
        assert count(city, "point_visit") == len(open_visits), seed
        with city.begin() as connection:
            connection.execute(sa.text("DELETE FROM point_visit"))


def test_a_stations_nonsense_is_no_balance(city: sa.Engine, diary: Diary) -> None:
    diary.come(ANN, None, 2**53)
    diary.add("checkin", visit="v1", seal=None, by=1, proves=None, tariff=[], points="many")
    diary.add("claim", visit=None, seal=None)
    diary.sealed("alias", ANN, of=99)
    diary.add("recovered", of={"ledger": "x", "seq": 1}, entry={"kind": "weighing", "points": 3})
    diary.come(ANN, None, 1)
    send(city, diary, diary.batch(0))
    assert balances(city) == {ANN: 1}
    assert count(city, "point_nobody", "sum(points)") == 3


def test_a_correction_has_a_reason_is_taken_back_once_and_never_changed(city: sa.Engine) -> None:
    with city.begin() as connection:
        first = corrections.correct(connection, CITY, ANN * 16, 50, "paper card of May", NOW_MS)
        corrections.correct(connection, CITY, ANN * 16, -8, "counted twice", NOW_MS)
        back = corrections.void(connection, CITY, first, "was another card's", NOW_MS)
    assert balances(city) == {ANN: -8}
    for work, code in (
        (lambda c: corrections.void(c, CITY, first, "again", NOW_MS), "voided_already"),
        (lambda c: corrections.void(c, CITY, back, "again", NOW_MS), "no_correction"),
        (lambda c: corrections.void(c, "other", first, "again", NOW_MS), "no_correction"),
        (lambda c: corrections.correct(c, CITY, ANN * 16, 0, "nothing", NOW_MS), "points_number"),
        (lambda c: corrections.correct(c, CITY, ANN * 16, 5, " ", NOW_MS), "points_reason"),
        (lambda c: corrections.correct(c, CITY, ANN * 16, 5, "a\nb", NOW_MS), "points_reason"),
    ):
        with pytest.raises(OperatorError) as caught, city.begin() as connection:
            work(connection)
        assert caught.value.code == code
    assert balances(city) == {ANN: -8}


def test_the_administrator_corrects_and_looks(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'city.db'}"
    open_database(url).dispose()
    whose = ("--city", CITY, "--database", url)
    name = (ANN * 16).hex()
    said = ask("points", "correct", name, "-5", "--reason", "broken bag", *whose)
    assert (said["id"], said["points"]) == (1, -5)
    ask("points", "void", "1", "--reason", "it was not", *whose)
    shown = ask("points", "show", name, *whose)
    assert (shown["points"], [one["points"] for one in shown["journal"]]) == (0, [-5, 5])
    assert ask("points", "show", *whose) == {"accounts": 1, "earned": 0, "nobody": 0}
    wrong = subprocess.run(
        [BIN / "kiosk-receiver", "points", "show", "card-text", *whose, "--json"],
        capture_output=True,
        text=True,
    )
    error = json.loads(wrong.stdout)["error"]
    assert (wrong.returncode, error["code"]) == (2, "pseudonym")
    assert "card-text" not in wrong.stdout + wrong.stderr, "it may be a card's own text"
