"""Points of the stations' entries, booked to the names that earned them as they are stored.

Invariant: every point of a check-in or a weighing is booked once: to the name of its card, while its visit
is open and nobody's to the visit, and where no name ever comes to nobody.

Theory. A check-in's seal says whose it is, and a ``claim``'s whose the visit before it was; weighings name
the visit. ``visit_close`` is a visit's last entry, so the row that ties a visit to a name lives only while
it is open. An ``alias`` (a key was changed) and a ``card_joined`` (a card shares an account) say that two
names are one account; at every station of the city from then on, whatever each of them knew. Entries that
were recorded anew as ``recovered`` come without seals: their points are nobody's, and a correction's.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import sqlalchemy as sa

from kiosk.core.canonical import MAX_INTEGER
from sync.messages import Batch
from sync.messages.bodies import Value
from sync.messages.bodies import field as field_of
from sync.receiver.open_visits import NEW, OpenVisits, Standing
from sync.receiver.point_tables import point_name, point_nobody
from sync.receiver.tables import seal

TIES = frozenset({"alias", "card_joined"})
KINDS = TIES | {"checkin", "claim", "weighing", "visit_close", "recovered"}
PLAUSIBLE = 1_000_000
"""Points of one entry; what lies beyond is a station's nonsense and no balance."""

Tie = tuple[bytes, bytes]
"""A name, and the one with whose account it is one from now on."""


@dataclass(slots=True)
class Earned:
    """What a round's batches add up to; ``names`` by ledger and seq, those that its seals open."""

    points: dict[tuple[str, bytes], int] = field(default_factory=lambda: defaultdict(int))
    nobody: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    ties: dict[str, list[Tie]] = field(default_factory=lambda: defaultdict(list))
    names: dict[tuple[str, int], bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What one batch earns, as far as it can be known without the database (``reckon``)."""

    names: Mapping[int, bytes]
    earned: Earned
    begun: Collection[str]
    """Visits that begin here; those that are ``open`` at its end, closed where they are not."""
    open: Mapping[str, Standing]
    later: Sequence[tuple[int, str, Value]]
    """Entries of visits that an earlier batch began, and those that tie names, in their order."""


class Booking:
    """One round's. Everything is written at its end, sums of names in a fixed order: other rounds touch
    them too."""

    def __init__(
        self, connection: sa.Connection, stored: Mapping[str, Mapping[str, Standing]] | None
    ) -> None:
        """``stored``: the open visits of each ledger that this round holds, None where they are many."""
        self._connection = connection
        self._stored = stored
        self._earned = Earned()
        self._open: dict[str, OpenVisits] = {}

    def add(self, city: str, station: str, ledger: str, reckoned: Reckoned) -> None:
        """What a batch earns; its ledger is held by this round."""
        into, own = self._earned, reckoned.earned
        for name, points in own.points.items():
            into.points[name] += points
        for hall, points in own.nobody.items():
            into.nobody[hall] += points
        into.names |= own.names
        if not reckoned.later and not reckoned.begun:
            return
        visits = self.visits(ledger)
        fold = Fold(self._connection, into, city, station, ledger, reckoned.names, visits)
        for seq, kind, value in reckoned.later:
            fold.add(seq, kind, value)
        for visit in reckoned.begun:
            standing = reckoned.open.get(visit)
            if standing is None:
                visits.pop(visit)
            else:
                visits[visit] = standing

    def visits(self, ledger: str) -> OpenVisits:
        """Those of a ledger that this round holds."""
        found = self._open.get(ledger)
        if found is None:
            stored = None if self._stored is None else self._stored.get(ledger, {})
            found = self._open[ledger] = OpenVisits(self._connection, ledger, stored)
        return found

    @property
    def earned(self) -> Earned:
        """What waits to be written."""
        return self._earned

    def finish(self) -> None:
        """Writes visits and sums."""
        connection, earned = self._connection, self._earned
        for visits in self._open.values():
            visits.keep()
        earn(connection, [(*whose, points) for whose, points in earned.points.items() if points])
        for city, station in sorted(earned.nobody):
            points = earned.nobody[city, station]
            mine = (point_nobody.c.city == city, point_nobody.c.station == station)
            more = sa.update(point_nobody).where(*mine)
            if (
                points
                and not connection.execute(
                    more.values(points=point_nobody.c.points + points)
                ).rowcount
            ):
                connection.execute(
                    point_nobody.insert().values(city=city, station=station, points=points)
                )
        for city in sorted(earned.ties):
            for name, other in earned.ties[city]:
                tie(connection, city, name, other)


def earns(kind: str, value: Value) -> bool:
    """Whether an entry of KINDS may change anything: most weighings are worth no points."""
    return kind != "weighing" or bool(field_of(value, "points"))


class Visits(Protocol):
    """Visits that are open, while entries are read in their order."""

    def __getitem__(self, visit: str) -> Standing: ...

    def __setitem__(self, visit: str, standing: Standing) -> None: ...

    def pop(self, visit: str) -> Standing: ...


class Fold:
    """One ledger's entries, in their order. ``names`` by seq, those that their seals open. Without a
    ``connection`` it takes no entry that ties names."""

    def __init__(
        self,
        connection: sa.Connection | None,
        earned: Earned,
        city: str,
        station: str,
        ledger: str,
        names: Mapping[int, bytes],
        visits: Visits,
    ) -> None:
        self._connection, self._earned = connection, earned
        self._city, self._station, self._ledger = city, station, ledger
        self._names = names
        for seq, name in names.items():
            earned.names[ledger, seq] = name
        self._visits = visits

    def add(self, seq: int, kind: str, value: Value) -> None:
        visit, points = field_of(value, "visit"), field_of(value, "points")
        if not isinstance(visit, str):
            visit = None
        if type(points) is not int or abs(points) > PLAUSIBLE:
            points = 0
        match kind:
            case "checkin":
                name = self._names.get(seq)
                if visit is not None:
                    self._visits[visit] = (name, points)
                if visit is None or name is not None:  # else they wait with the visit
                    self._credit(name, points)
            case "weighing" if visit is not None:
                name, before = self._visits[visit]
                self._visits[visit] = (name, before + points)
                if name is not None:
                    self._credit(name, points)
            case "weighing":
                self._credit(None, points)
            case "claim" if visit is not None and seq in self._names:
                name, before = self._visits[visit]
                if name is None:
                    self._credit(self._names[seq], before)
                    self._visits[visit] = (self._names[seq], before)
            case "visit_close" if visit is not None:
                name, before = self._visits.pop(visit)
                if name is None:
                    self._credit(None, before)
            case "alias" | "card_joined":
                self._tie(seq, field_of(value, "of"))
            case "recovered":
                inner = field_of(value, "entry")
                points = inner.get("points") if isinstance(inner, dict) else 0
                if type(points) is int and abs(points) <= PLAUSIBLE:
                    self._credit(None, points)
            case _:
                pass

    def _credit(self, name: bytes | None, points: int) -> None:
        if not points:
            return
        if name is None:
            self._earned.nobody[self._city, self._station] += points
        else:
            self._earned.points[self._city, name] += points

    def _tie(self, seq: int, of: object) -> None:
        if type(of) is not int or not 0 < of <= MAX_INTEGER:
            return
        name, other = self._names.get(seq), self._earned.names.get((self._ledger, of))
        if other is None:
            assert self._connection is not None, "a tie needs what is stored"
            row = self._connection.execute(
                sa.select(seal.c.pseudonym).where(seal.c.ledger == self._ledger, seal.c.seq == of)
            ).first()
            other = None if row is None else bytes(row.pseudonym)
        if name is not None and other is not None and name != other:
            self._earned.ties[self._city].append((name, other))


class InMemory(dict[str, Standing]):
    """Visits that stand nowhere else: of one batch, or read again."""

    def __missing__(self, visit: str) -> Standing:
        return NEW

    def pop(self, visit: str) -> Standing:  # type: ignore[override]
        return super().pop(visit, NEW)


def reckon(city: str, station: str, batch: Batch, after: int) -> Reckoned:
    """What entries of a batch beyond seq ``after`` earn; on any thread."""
    names = {each.seq: bytes.fromhex(each.pseudonym) for each in batch.seals}
    earned, visits = Earned(), InMemory()
    fold = Fold(None, earned, city, station, batch.ledger, names, visits)
    begun, earlier = set[str](), set[str]()
    later: list[tuple[int, str, Value]] = []
    skip = max(0, after + 1 - batch.first)
    numbered = zip(batch.kinds[skip:], batch.values[skip:], itertools.count(batch.first + skip))
    for kind, value, seq in numbered:
        if kind not in KINDS or not earns(kind, value):
            continue
        visit = field_of(value, "visit")
        if kind in TIES:
            later.append((seq, kind, value))
        elif not isinstance(visit, str) or visit in begun:
            fold.add(seq, kind, value)
        elif kind == "checkin" and visit not in earlier:
            begun.add(visit)
            fold.add(seq, kind, value)
        else:
            earlier.add(visit)
            later.append((seq, kind, value))
    return Reckoned(names, earned, begun, visits, later)


def earn(connection: sa.Connection, sums: list[tuple[str, bytes, int]]) -> None:
    """Books points to names, (city, name, points), in one statement and one order for every round."""
    if not sums:
        return
    rest = "ON CONFLICT (city, name) DO UPDATE SET earned = point_name.earned + excluded.earned"
    columns = "INSERT INTO point_name (city, name, account, earned)"
    if connection.dialect.name == "postgresql":
        cities, names, points = map(list, zip(*sorted(sums), strict=True))
        connection.exec_driver_sql(
            f"{columns} SELECT c, n, n, p FROM unnest(%b::text[], %b::bytea[], %b::bigint[])"
            f" AS earned (c, n, p) ORDER BY c, n {rest}",
            (cities, names, points),
        )
    else:
        rows = [(city, name, name, points) for city, name, points in sorted(sums)]
        connection.exec_driver_sql(f"{columns} VALUES (?, ?, ?, ?) {rest}", rows)


def known(connection: sa.Connection, city: str, name: bytes) -> bytes:
    """The account of a name, which is its own where it was not known yet."""
    mine = (point_name.c.city == city, point_name.c.name == name)
    row = connection.execute(sa.select(point_name.c.account).where(*mine)).first()
    if row is not None:
        return bytes(row.account)
    connection.execute(point_name.insert().values(city=city, name=name, account=name, earned=0))
    return name


def tie(connection: sa.Connection, city: str, name: bytes, other: bytes) -> None:
    """The two are one account from now on, with all that was tied to either."""
    mine, theirs = known(connection, city, name), known(connection, city, other)
    if mine != theirs:
        connection.execute(
            sa.update(point_name)
            .where(point_name.c.city == city, point_name.c.account == mine)
            .values(account=theirs)
        )
