"""What was committed before a death is its resident's, the rest is nobody's: each breach is found."""

from __future__ import annotations

from typing import Any

from hw_sim.accounting import Book, Row
from hw_sim.kept import Drop, kept_findings

from kiosk.core.canonical import canonical

ANNA, BERT = "11" * 16, "22" * 16
CARDS: dict[str, str | None] = {"anna": ANNA, "bert": BERT, "forged": None}
Body = dict[str, Any]

ANNA_DROPS = Drop(20_000, "b1", 500, "anna")


def book(*entries: tuple[int, Body]) -> Book:
    """Entries with their commit's time; both people are checked in from the beginning."""
    begin: list[tuple[int, Body]] = [
        (1_000, {"kind": "boot"}),
        (10_000, {"kind": "checkin", "visit": "v1"}),
        (10_000, {"kind": "checkin", "visit": "v2"}),
    ]
    rows = tuple(
        Row(seq, canonical({**body, "seq": seq, "at": {"utc_ms": t_ms}}).decode(), b"", b"")
        for seq, (t_ms, body) in enumerate([*begin, *entries], start=1)
    )
    return Book(rows, {2: (b"", bytes.fromhex(ANNA)), 3: (b"", bytes.fromhex(BERT))})


def weighing(visit: str | None) -> Body:
    return {"kind": "weighing", "bin": "b1", "visit": visit, "net_g": 500}


def nobodys(cause: str) -> Body:
    return {"kind": "unattributed", "bin": "b1", "cause": cause, "net_g": 500}


def codes(station: Book, *drops: Drop) -> list[str]:
    found = kept_findings(station, drops or (ANNA_DROPS,), CARDS, {"b1": 20})
    return [finding.code for finding in found]


def test_a_drop_that_is_its_residents_weighing_is_in_order() -> None:
    assert codes(book((22_000, weighing("v1")))) == []


def test_a_drop_in_no_entry_is_found() -> None:
    assert codes(book()) == ["drop_lost"]


def test_a_drop_credited_to_the_wrong_resident_is_found() -> None:
    assert codes(book((22_000, weighing("v2")))) == ["wrong_resident"]


def test_a_drop_in_one_life_that_nobody_gets_is_found() -> None:
    assert codes(book((22_000, nobodys("removal")))) == ["drop_not_credited"]
    assert codes(book((22_000, weighing(None)))) == ["wrong_resident"]


def test_a_nameless_drop_must_not_become_somebodys() -> None:
    nameless = Drop(20_000, "b1", 500, None)
    assert codes(book((22_000, weighing("v9"))), nameless) == []
    assert codes(book((22_000, weighing("v1"))), nameless) == ["wrong_resident"]


def test_what_was_settling_at_a_death_is_nobodys() -> None:
    death = (21_000, {"kind": "boot"})
    assert codes(book(death, (24_000, nobodys("restart")))) == []
    assert codes(book(death, (24_000, weighing("v1")))) == ["credited_over_death"]


def test_what_was_committed_before_a_death_stays_its_residents() -> None:
    death = (22_500, {"kind": "boot"})
    assert codes(book((22_000, weighing("v1")), death)) == []
    assert codes(book((22_000, nobodys("restart")), death)) == ["drop_not_credited"]


def test_entries_by_which_a_scale_follows_itself_hold_no_drop() -> None:
    assert codes(book((22_000, nobodys("zero")), (22_000, weighing("v1")))) == []


def test_small_things_and_bins_without_a_scale_are_not_judged() -> None:
    small, unweighed = Drop(20_000, "b1", 79, "anna"), Drop(20_000, "b4", 900, "anna")
    assert codes(book(), small, unweighed) == []
