"""The accounting finds what a wrong station would do: each sin once, on a hand-made pair of books."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hw_sim.accounting import (
    Book,
    CityBooks,
    Outcome,
    Row,
    Truth,
    account,
    pace_findings,
    read_city,
    read_station,
    read_truth,
)

from kiosk.core.canonical import canonical
from kiosk.core.chain import ZERO, digest, link

ANNA, BERT = "11" * 16, "22" * 16
CARDS = {"anna": ANNA, "bert": BERT, "forged": None}
Body = dict[str, Any]


def weighing(visit: str | None, before_g: int, after_g: int, bin_id: str = "b1") -> Body:
    return {
        "kind": "weighing",
        "bin": bin_id,
        "visit": visit,
        "net_g": after_g - before_g,
        "gross_before_g": before_g,
        "gross_after_g": after_g,
        "division_g": 20,
    }


def honest_day() -> list[Body]:
    """Anna drops 500 g and takes 200 g out, Bert drops 800 g, somebody 300 g; the bag is changed."""
    return [
        {"kind": "genesis", "opening": {"b1": {"gross_g": 0}}},
        {"kind": "checkin", "visit": "v1", "seal": "aa"},
        weighing("v1", 0, 503),
        weighing("v1", 503, 301),
        {"kind": "checkin", "visit": "v2", "seal": "bb"},
        weighing("v2", 301, 1_098),
        {**weighing(None, 1_098, 1_104), "kind": "unattributed", "cause": "drift"},
        weighing("v3", 1_104, 1_400),
        {**weighing(None, 1_400, 2), "kind": "bag_swap", "net_g": 1_398},
        {"kind": "item_count", "bin": "b4", "visit": "v3", "count": 1},
    ]


TRUTH = [
    Truth("b1", 500, "anna"),
    Truth("b1", -200, "anna"),
    Truth("b1", 800, "bert"),
    Truth("b1", 300),
    Truth("b4", 1_200),
    Truth("b1", -1_400, swap=True),
]


def book(bodies: list[Body]) -> Book:
    """Chained as the ledger chains."""
    rows, before = [], ZERO
    for seq, body in enumerate(bodies, start=1):
        text = canonical({**body, "seq": seq})
        before = link(before, digest(text))
        rows.append(Row(seq, text.decode(), digest(text), before))
    owners = iter((ANNA, BERT))
    seals = {
        seq: (bytes(16), bytes.fromhex(next(owners)))
        for seq, body in enumerate(bodies, start=1)
        if body["kind"] == "checkin"
    }
    return Book(tuple(rows), seals)


def city(station: Book, parked: int = 0, quarantined: int = 0) -> CityBooks:
    return CityBooks({"ab" * 16: station}, parked, quarantined)


def judged(station: Book, at_city: CityBooks | None = None) -> Outcome:
    return account(station, at_city or city(station), TRUTH, CARDS, {"b1": 20})


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.findings]


def test_an_honest_day_is_accounted_for() -> None:
    outcome = judged(book(honest_day()))
    assert codes(outcome) == []
    assert outcome.bins["b1"].off_g == 2
    assert outcome.people["anna"].credited_g == 503
    assert outcome.people["bert"].credited_g == 797
    assert outcome.unscaled == {"b4": (1, 1)}


def test_a_drop_that_nobody_wrote_down_is_found() -> None:
    day = honest_day()
    del day[5]  # Bert's 800 g
    assert "bin_off" in codes(judged(book(day)))
    assert "gross_gap" in codes(judged(book(day)))


def test_lost_grams_are_found_even_where_the_entries_join_on() -> None:
    day = [*honest_day()[:2], weighing("v1", 0, 440)]
    outcome = account(book(day), city(book(day)), [Truth("b1", 500, "anna")], CARDS, {"b1": 20})
    assert codes(outcome) == ["bin_off"]


def test_a_drop_credited_twice_is_found() -> None:
    day = honest_day()
    day.insert(6, weighing("v2", 1_098, 1_898))
    day[7:] = [{**weighing(None, 1_898, 1_104), "kind": "unattributed"}, *day[8:]]
    assert codes(judged(book(day))) == ["credited_too_much"]


def test_anothers_grams_are_found() -> None:
    day = honest_day()
    day[7]["visit"] = "v1"  # the nameless 300 g
    assert codes(judged(book(day))) == ["credited_too_much"]


def test_a_net_that_is_not_after_less_before_is_found() -> None:
    day = honest_day()
    day[2]["net_g"] = 523
    assert "net_wrong" in codes(judged(book(day)))


def test_a_visit_of_two_people_is_found() -> None:
    day = honest_day()
    day[4]["visit"] = "v1"
    assert "visit_shared" in codes(judged(book(day)))


def test_a_checkin_of_a_card_that_should_be_refused_is_found() -> None:
    station = book(honest_day())
    strange = replace(station, seals={**station.seals, 5: (bytes(16), bytes(16))})
    assert "card_unknown" in codes(judged(strange))


def test_a_checkin_without_its_seal_is_found() -> None:
    station = book(honest_day())
    assert "seal_missing" in codes(judged(replace(station, seals={})))


def test_a_changed_byte_at_the_station_is_found() -> None:
    station = book(honest_day())
    changed = replace(station.rows[2], body=station.rows[2].body.replace("503", "903"))
    rows = (*station.rows[:2], changed, *station.rows[3:])
    assert "station_chain" in codes(judged(replace(station, rows=rows), city(station)))


CITY_SINS: list[tuple[str, Callable[[Book], CityBooks]]] = [
    ("city_gap", lambda b: city(replace(b, rows=b.rows[:4] + b.rows[5:]))),
    ("city_gap", lambda b: city(replace(b, rows=b.rows[:-1]))),
    ("city_beyond", lambda b: city(replace(b, rows=(*b.rows, replace(b.rows[-1], seq=11))))),
    ("city_differs", lambda b: city(replace(b, rows=(replace(b.rows[0], body="{}"), *b.rows[1:])))),
    ("city_ledgers", lambda b: CityBooks({"ab" * 16: b, "cd" * 16: b}, 0, 0)),
    ("city_ledgers", lambda b: CityBooks({}, 0, 0)),
    ("city_seals", lambda b: city(replace(b, seals={}))),
    ("parked", lambda b: city(b, parked=1)),
    ("quarantine", lambda b: city(b, quarantined=1)),
]


@pytest.mark.parametrize(("code", "sin"), CITY_SINS, ids=[code for code, _ in CITY_SINS])
def test_what_is_wrong_at_the_city_is_found(code: str, sin: Callable[[Book], CityBooks]) -> None:
    station = book(honest_day())
    assert codes(judged(station, sin(station))) == [code]


def test_the_books_are_read_from_the_files_that_the_contract_names(tmp_path: Path) -> None:
    made = book(honest_day())
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as db, db:
        db.execute(
            "CREATE TABLE ledger(seq INTEGER PRIMARY KEY, body TEXT, digest BLOB, hash BLOB)"
        )
        db.execute("CREATE TABLE seal(seq INTEGER PRIMARY KEY, salt BLOB, pseudonym BLOB)")
        rows = [(row.seq, row.body, row.digest, row.hash) for row in made.rows]
        db.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", rows)
        seals = [(seq, *pair) for seq, pair in made.seals.items()]
        db.executemany("INSERT INTO seal VALUES (?, ?, ?)", seals)
    with closing(sqlite3.connect(tmp_path / "city.db")) as db, db:
        db.execute(
            "CREATE TABLE entry(ledger TEXT, seq INTEGER, station TEXT, kind TEXT, body TEXT,"
            " digest BLOB, hash BLOB, PRIMARY KEY (ledger, seq))"
        )
        db.execute("CREATE TABLE seal(ledger TEXT, seq INTEGER, salt BLOB, pseudonym BLOB)")
        db.execute("CREATE TABLE parked(ledger TEXT)")
        db.execute("CREATE TABLE quarantine(ledger TEXT)")
        db.executemany("INSERT INTO entry VALUES ('l', ?, 's', 'k', ?, ?, ?)", rows)
        db.executemany("INSERT INTO seal VALUES ('l', ?, ?, ?)", seals)
    station, at_city = read_station(tmp_path / "ledger.db"), read_city(tmp_path / "city.db")
    assert station == made
    assert at_city == CityBooks({"l": made}, 0, 0)


def test_a_truth_cut_off_in_mid_line_is_read_up_to_there(tmp_path: Path) -> None:
    lines = [
        {"t_ms": 1, "bin": "b1", "item": "carton", "card": "anna", "grams": 500},
        {"t_ms": 2, "bin": "b1", "swap": True, "grams": -500},
    ]
    path = tmp_path / "truth.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"t_ms": 3, "b')
    assert read_truth(path) == [Truth("b1", 500, "anna"), Truth("b1", -500, swap=True)]


def test_a_world_easier_than_promised_is_found() -> None:
    full = {"visit": 15, "taken_out": 3, "nameless": 3, "knock": 3, "swap": 1}
    assert pace_findings(full, served_s=185.0) == []
    assert len(pace_findings({**full, "visit": 14, "swap": 0}, served_s=185.0)) == 2
    assert pace_findings({}, served_s=59.0) == []
