"""Does everything add up: what the world did, what the station wrote, what the city holds.

Everything here reads files and returns :class:`Finding` values; an empty list means accounted for. The
rules are those of the contract's demo: grams to two divisions a bin, nobody credited more than they
dropped plus a division a weighing, and one chain at the city equal to the station's.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.core.chain import ZERO, digest, link

BIN_DIVISIONS = 2
VISITS_A_MINUTE = 5
SWAP_MINUTES = 3

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not accounted for: a stable code and one sentence."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as stored. ``body`` the exact text."""

    seq: int
    body: str
    digest: bytes
    hash: bytes

    @property
    def value(self) -> Body:
        parsed: Body = json.loads(self.body)
        return parsed


@dataclass(frozen=True, slots=True)
class Book:
    """A ledger with its seals (seq to salt and pseudonym), at the station or at the city."""

    rows: tuple[Row, ...]
    seals: Mapping[int, tuple[bytes, bytes]]

    @property
    def head(self) -> tuple[int, bytes]:
        return (self.rows[-1].seq, self.rows[-1].hash) if self.rows else (0, ZERO)


@dataclass(frozen=True, slots=True)
class CityBooks:
    """All that the city stores: a book for each ledger, and what should be empty."""

    ledgers: Mapping[str, Book]
    parked: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Truth:
    """One line of ``truth.jsonl``."""

    bin: str
    grams: int
    card: str | None = None
    swap: bool = False


@dataclass(slots=True)
class BinSum:
    """One bin's grams: written by the station against what was really laid in and out."""

    written_g: int = 0
    true_g: int = 0
    division_g: int = 0

    @property
    def off_g(self) -> int:
        return self.written_g - self.true_g


@dataclass(slots=True)
class PersonSum:
    """One card's grams: credited by weighings against dropped, positive ones only."""

    credited_g: int = 0
    dropped_g: int = 0
    allowance_g: int = 0
    weighings: int = 0


@dataclass(slots=True)
class Outcome:
    """The whole accounting, for the summary."""

    findings: list[Finding] = field(default_factory=list)
    bins: dict[str, BinSum] = field(default_factory=dict)
    people: dict[str, PersonSum] = field(default_factory=dict)
    unscaled: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Bins without a scale: items really dropped, items counted. Listed, not judged."""
    kinds: Counter[str] = field(default_factory=Counter)


# -- reading --------------------------------------------------------------------------------------


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)


def read_station(path: Path) -> Book:
    """The station's own ledger. Raises ``sqlite3.Error`` where there is none."""
    with closing(_read_only(path)) as db:
        rows = db.execute("SELECT seq, body, digest, hash FROM ledger ORDER BY seq").fetchall()
        seals = db.execute("SELECT seq, salt, pseudonym FROM seal").fetchall()
    return Book(tuple(Row(*row) for row in rows), {seq: (salt, name) for seq, salt, name in seals})


def read_city(path: Path) -> CityBooks:
    """All ledgers at the city."""
    with closing(_read_only(path)) as db:
        entries = db.execute(
            "SELECT ledger, seq, body, digest, hash FROM entry ORDER BY ledger, seq"
        ).fetchall()
        seals = db.execute("SELECT ledger, seq, salt, pseudonym FROM seal").fetchall()
        parked = db.execute("SELECT count(*) FROM parked").fetchone()[0]
        quarantined = db.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    rows: dict[str, list[Row]] = defaultdict(list)
    sealed: dict[str, dict[int, tuple[bytes, bytes]]] = defaultdict(dict)
    for ledger, *row in entries:
        rows[ledger].append(Row(*row))
    for ledger, seq, salt, name in seals:
        sealed[ledger][seq] = (salt, name)
    books = {ledger: Book(tuple(found), sealed[ledger]) for ledger, found in rows.items()}
    return CityBooks(books, parked, quarantined)


def read_truth(path: Path) -> list[Truth]:
    """What the world really did; a last line cut off in mid-word is left out."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        try:
            said = json.loads(line)
        except json.JSONDecodeError:
            continue
        found.append(
            Truth(said["bin"], said["grams"], said.get("card"), bool(said.get("swap", False)))
        )
    return found


# -- judging --------------------------------------------------------------------------------------


def account(
    station: Book,
    city: CityBooks,
    truth: Iterable[Truth],
    cards: Mapping[str, str | None],
    divisions_g: Mapping[str, int],
) -> Outcome:
    """Everything at once. ``divisions_g`` names the bins with a scale."""
    truth = list(truth)
    bodies = [row.value for row in station.rows]
    outcome = Outcome(kinds=Counter(body["kind"] for body in bodies))
    outcome.findings += chain_findings(station)
    outcome.findings += gross_findings(bodies)
    outcome.findings += city_findings(station, city)
    _weigh_bins(outcome, bodies, truth, divisions_g)
    _weigh_people(outcome, bodies, station.seals, truth, cards)
    return outcome


def chain_findings(book: Book) -> list[Finding]:
    """The chain from the first entry, recomputed."""
    before = ZERO
    for number, row in enumerate(book.rows, start=1):
        own = digest(row.body.encode())
        before = link(before, own)
        if row.seq != number or own != row.digest or before != row.hash:
            return [Finding("station_chain", f"The station's chain breaks at entry {row.seq}.")]
    return []


def gross_findings(bodies: Iterable[Body]) -> list[Finding]:
    """Each bin's entries join on in grams, from the genesis' opening."""
    found = []
    level_g: dict[str, int | None] = {}
    for body in bodies:
        if body["kind"] == "genesis":
            level_g = {name: opening["gross_g"] for name, opening in body["opening"].items()}
        if body["kind"] not in ("weighing", "unattributed", "bag_swap"):
            continue
        name, before_g, after_g = body["bin"], body["gross_before_g"], body["gross_after_g"]
        if before_g != level_g.get(name):
            words = f"Entry {body['seq']} begins {name} at {before_g} g, not {level_g.get(name)} g."
            found.append(Finding("gross_gap", words))
        level_g[name] = after_g
        if before_g is None or after_g is None:
            continue
        sign = -1 if body["kind"] == "bag_swap" else 1
        if body["net_g"] != sign * (after_g - before_g):
            words = f"Entry {body['seq']}: net {body['net_g']} g is not after less before."
            found.append(Finding("net_wrong", words))
    return found


def city_findings(station: Book, city: CityBooks) -> list[Finding]:
    """One chain at the city, equal to the station's; nothing parked, nothing quarantined."""
    found = []
    if city.parked:
        found.append(Finding("parked", f"{city.parked} batches are still parked at the city."))
    if city.quarantined:
        words = f"{city.quarantined} entries or batches are in quarantine at the city."
        found.append(Finding("quarantine", words))
    if len(city.ledgers) != 1:
        words = f"The city holds {len(city.ledgers)} ledgers of this station, not one."
        return [*found, Finding("city_ledgers", words)]
    (ours,) = city.ledgers.values()
    theirs = {row.seq: row for row in ours.rows}
    missing = [row.seq for row in station.rows if row.seq not in theirs]
    if missing:
        words = f"The city lacks {len(missing)} entries, the first is {missing[0]}."
        found.append(Finding("city_gap", words))
    own = {row.seq for row in station.rows}
    beyond = [seq for seq in theirs if seq not in own]
    if beyond:
        words = f"The city has {len(beyond)} entries that the station lacks, as {min(beyond)}."
        found.append(Finding("city_beyond", words))
    for row in station.rows:
        other = theirs.get(row.seq)
        if other is not None and (other.body, other.hash) != (row.body, row.hash):
            words = f"Entry {row.seq} is another at the city than at the station."
            found.append(Finding("city_differs", words))
            break
    if dict(ours.seals) != dict(station.seals):
        found.append(Finding("city_seals", "The city's seals are not the station's."))
    return found


def _weigh_bins(
    outcome: Outcome, bodies: Iterable[Body], truth: Iterable[Truth], divisions_g: Mapping[str, int]
) -> None:
    sums = {name: BinSum(division_g=d) for name, d in divisions_g.items()}
    dropped: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for line in truth:
        if line.bin in sums:
            sums[line.bin].true_g += line.grams
        else:
            dropped[line.bin] += 1
    for body in bodies:
        if body["kind"] in ("weighing", "unattributed", "bag_swap") and body["bin"] in sums:
            sign = -1 if body["kind"] == "bag_swap" else 1
            sums[body["bin"]].written_g += sign * (body["net_g"] or 0)
        elif body["kind"] == "item_count" and body["bin"] is not None:
            counted[body["bin"]] += body["count"] or 0
    for name, one in sums.items():
        if abs(one.off_g) > BIN_DIVISIONS * one.division_g:
            words = f"{name}: written {one.written_g} g, truly {one.true_g} g: {one.off_g:+} g."
            outcome.findings.append(Finding("bin_off", words))
    outcome.bins = sums
    outcome.unscaled = {name: (dropped[name], counted[name]) for name in {*dropped, *counted}}


def _weigh_people(
    outcome: Outcome,
    bodies: Iterable[Body],
    seals: Mapping[int, tuple[bytes, bytes]],
    truth: Iterable[Truth],
    cards: Mapping[str, str | None],
) -> None:
    bodies = list(bodies)
    names = {token: name for name, token in cards.items() if token is not None}
    owners = _owners(outcome, bodies, seals, names)
    people: defaultdict[str, PersonSum] = defaultdict(PersonSum)
    for line in truth:
        if line.card is not None and line.grams > 0:
            people[line.card].dropped_g += line.grams
    for body in bodies:
        if body["kind"] == "weighing" and body["net_g"] > 0 and body["visit"] in owners:
            person = people[owners[body["visit"]]]
            person.credited_g += body["net_g"]
            person.allowance_g += body["division_g"]
            person.weighings += 1
    for name, person in people.items():
        if person.credited_g > person.dropped_g + person.allowance_g:
            words = (
                f"{name} has {person.credited_g} g in {person.weighings} weighings "
                f"but dropped {person.dropped_g} g."
            )
            outcome.findings.append(Finding("credited_too_much", words))
    outcome.people = dict(people)


def _owners(
    outcome: Outcome,
    bodies: Iterable[Body],
    seals: Mapping[int, tuple[bytes, bytes]],
    names: Mapping[str, str],
) -> dict[str, str]:
    """Visit to card name, through the seals. A visit has one owner and a seal is a known card's."""
    owners: dict[str, str] = {}
    for body in bodies:
        if body["kind"] not in ("checkin", "claim") or body["visit"] is None:
            continue
        if body["seq"] not in seals:
            words = f"Check-in {body['seq']} has no seal row."
            outcome.findings.append(Finding("seal_missing", words))
            continue
        token = seals[body["seq"]][1].hex()
        name = names.get(token)
        if name is None:
            words = f"Check-in {body['seq']} is of a card that nobody holds."
            outcome.findings.append(Finding("card_unknown", words))
            continue
        if owners.setdefault(body["visit"], name) != name:
            words = f"Visit {body['visit']} belongs to {owners[body['visit']]} and to {name}."
            outcome.findings.append(Finding("visit_shared", words))
    return owners


def pace_findings(counts: Mapping[str, int], served_s: float) -> list[Finding]:
    """The world was no easier than promised, for every whole minute in which people were served.

    ``counts`` has ``visit``, ``taken_out``, ``nameless``, ``knock`` and ``swap``.
    """
    minutes = int(served_s // 60)
    asked = {
        "visit": VISITS_A_MINUTE * minutes,
        "taken_out": minutes,
        "nameless": minutes,
        "knock": minutes,
        "swap": minutes // SWAP_MINUTES,
    }
    return [
        Finding("world_too_easy", f"{counts.get(what, 0)} × {what} in {minutes} min, not {least}.")
        for what, least in asked.items()
        if counts.get(what, 0) < least
    ]
