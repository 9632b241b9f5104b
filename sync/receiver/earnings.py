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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from kiosk.core.canonical import MAX_INTEGER
from sync.messages import Batch
from sync.messages.bodies import Value
from sync.messages.bodies import field as field_of
from sync.receiver.open_visits import NEW, OpenVisits, Standing
from sync.receiver.point_tables import point_name, point_nobody
from sync.receiver.tables import seal

EARN = frozenset({"checkin", "weighing"})
RARE = frozenset({"alias", "card_joined", "recovered"})
KINDS = EARN | RARE | {"claim", "visit_close"}
PLAUSIBLE = 1_000_000
"""Points of one entry; what lies beyond is a station's nonsense and no balance."""

Tie = tuple[bytes, bytes]
"""A name, and the one with whose account it is one from now on."""


Step = tuple[str, str, bytes | None, int]
"""Of a visit that an earlier batch began: kind, visit, name, points."""


@dataclass(slots=True)
class Gathered:
    """What one batch earns, as far as it can be known without the database."""

    names: dict[int, bytes]
    """By seq, those that the batch's seals open."""
    points: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    nobody: int = 0
    visits: dict[str, Standing | None] = field(default_factory=dict)
    """Visits that begin here, as they stand at its end; None: closed."""
    steps: list[Step] = field(default_factory=list)
    """All of the others, in order: what stands for these visits is in the database."""
    ties: list[tuple[int, int]] = field(default_factory=list)
    """The seqs of entries that tie names, and of those that they mean."""

    def credit(self, name: bytes | None, points: int) -> None:
        if name is None:
            self.nobody += points
        elif points:
            self.points[name] += points


def gather(batch: Batch, after: int) -> Gathered:
    """What entries of a batch beyond seq ``after`` earn."""
    names = {each.seq: bytes.fromhex(each.pseudonym) for each in batch.seals}
    found = Gathered(names)
    begun, earlier = found.visits, set[str]()
    skip = max(0, after + 1 - batch.first)
    numbered = zip(batch.kinds[skip:], batch.values[skip:], itertools.count(batch.first + skip))
    for kind, value, seq in numbered:
        if kind not in KINDS:
            continue
        if kind in RARE:
            _gather_rare(found, seq, value)
            continue
        visit, points = field_of(value, "visit"), _plausible(field_of(value, "points"))
        name = names.get(seq)
        if not isinstance(visit, str):
            if kind in EARN:
                found.credit(name if kind == "checkin" else None, points)
        elif (kind == "weighing" and not points) or (kind == "claim" and name is None):
            continue  # nothing moves by it
        elif visit in begun or (kind == "checkin" and visit not in earlier):
            begun[visit] = _step(found.credit, begun.get(visit) or NEW, kind, name, points)
        else:
            earlier.add(visit)
            found.steps.append((kind, visit, name, points))
    return found


def _gather_rare(found: Gathered, seq: int, value: Value) -> None:
    of = field_of(value, "of")
    if type(of) is int and 0 < of <= MAX_INTEGER:
        found.ties.append((seq, of))
    inner = field_of(value, "entry")
    if isinstance(inner, dict):
        found.nobody += _plausible(inner.get("points"))


def _step(
    credit: Callable[[bytes | None, int], None],
    before: Standing,
    kind: str,
    name: bytes | None,
    points: int,
) -> Standing | None:
    """How a visit stands after one more of its entries; None: it is closed."""
    whose, held = before
    match kind:
        case "checkin":
            whose, held = name, points
        case "weighing":
            held += points
        case "claim" if whose is None:
            whose, points = name, held
        case "visit_close":
            if whose is None:
                credit(None, held)
            return None
        case _:
            return before
    if whose is not None:
        credit(whose, points)
    return whose, held


def _plausible(points: object) -> int:
    return points if type(points) is int and abs(points) <= PLAUSIBLE else 0


class Booking:
    """One round's. Everything is written at its end, sums of names in a fixed order: other rounds touch
    them too."""

    def __init__(
        self, connection: sa.Connection, visits: Mapping[str, Mapping[str, Standing]] | None
    ) -> None:
        """``visits``: the open ones of each ledger that this round holds, None where they are many."""
        self._connection = connection
        self._visits = visits
        self._points: dict[tuple[str, bytes], int] = defaultdict(int)
        self._nobody: dict[tuple[str, str], int] = defaultdict(int)
        self._ties: dict[str, list[Tie]] = defaultdict(list)
        self._names: dict[str, dict[int, bytes]] = defaultdict(dict)
        self._open: dict[str, OpenVisits] = {}

    def add(self, city: str, station: str, ledger: str, gathered: Gathered) -> None:
        """What a batch earns; its ledger is held by this round."""
        self._names[ledger] |= gathered.names
        for seq, of in gathered.ties:
            self._tie(city, ledger, seq, of)
        for earner, points in gathered.points.items():
            self._points[city, earner] += points
        self._nobody[city, station] += gathered.nobody
        if not gathered.visits and not gathered.steps:
            return

        def credit(name: bytes | None, points: int) -> None:
            if name is None:
                self._nobody[city, station] += points
            else:
                self._points[city, name] += points

        visits = self._open.get(ledger)
        if visits is None:
            stored = None if self._visits is None else self._visits.get(ledger, {})
            visits = self._open[ledger] = OpenVisits(self._connection, ledger, stored)
        for kind, visit, name, points in gathered.steps:
            visits[visit] = _step(credit, visits[visit], kind, name, points)
        for visit, standing in gathered.visits.items():
            visits[visit] = standing

    def _tie(self, city: str, ledger: str, seq: int, of: int) -> None:
        name, other = self._names[ledger].get(seq), self._names[ledger].get(of)
        if other is None:
            row = self._connection.execute(
                sa.select(seal.c.pseudonym).where(seal.c.ledger == ledger, seal.c.seq == of)
            ).first()
            other = None if row is None else bytes(row.pseudonym)
        if name is not None and other is not None and name != other:
            self._ties[city].append((name, other))

    def finish(self) -> None:
        """Writes visits and sums."""
        connection = self._connection
        for visits in self._open.values():
            visits.keep()
        earn(connection, [(*whose, points) for whose, points in self._points.items() if points])
        for city, station in sorted(self._nobody):
            points = self._nobody[city, station]
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
        for city in sorted(self._ties):
            for name, other in self._ties[city]:
                tie(connection, city, name, other)


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
