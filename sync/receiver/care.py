"""How the city's stations are, and what somebody has to look at.

Silence is counted in whole open days of the city's calendar: a station that is switched off at night, or
closed for a week, is silent and well. Life is whatever came from it last: entries, by wire or by hand, a
birth, a health message. Entries alone are signed, so an uplink that says that all is well and keeps them
back is found by its own queue (``stuck``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from sync.receiver import lacking
from sync.receiver.care_tables import station_heard
from sync.receiver.going_on import goes_on
from sync.receiver.opening_days import Opening, day_of, opening_of
from sync.receiver.tables import ledger, refusal, station_key

SILENT_DAYS = 2
"""Whole open days without a sign of life that are told."""
STALLED_MS = 600_000
"""A station's process may be away so long: it starts anew, or is updated."""
STUCK_MS = 86_400_000
GAPS_TOLD = 6
"""Times that a station was told of one gap, the last after minutes: it does not send what is missing."""
RECENT_MS = 86_400_000
"""A refusal is told for a day after the last one."""
ONLINE_MS = 2 * 3_600_000
"""Health comes hourly: who is silent for longer is not said to be online, whatever the last birth says."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at; ``code`` stable."""

    code: str
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class StationCare:
    """One registered station. Times are UTC milliseconds of the receivers' clocks, None where never."""

    city: str
    station: str
    state: str  # online, down, stalled, offline, unknown
    since_ms: int | None
    life_ms: int | None
    entries_ms: int | None
    silent_days: int
    queue: int | None
    health_ms: int | None
    health: dict[str, Any] | None
    software: str | None
    findings: tuple[Finding, ...]


def look(connection: sa.Connection, now_ms: int) -> list[StationCare]:
    """Every station with a valid key."""
    query = (
        sa.select(
            station_key.c.city,
            station_key.c.station,
            sa.func.max(station_key.c.added_ms).label("added_ms"),
        )
        .where(station_key.c.revoked_ms.is_(None))
        .group_by(station_key.c.city, station_key.c.station)
        .order_by(station_key.c.city, station_key.c.station)
    )
    heard = _by_station(connection.execute(sa.select(station_heard)))
    entries = _by_station(
        connection.execute(
            sa.select(
                ledger.c.city,
                ledger.c.station,
                # An empty ledger was never joined: its row's time says when something was parked.
                sa.func.max(sa.case((ledger.c.watermark > 0, ledger.c.progress_ms))).label("ms"),
                sa.func.max(ledger.c.fork_seq).label("fork_seq"),
                # Of a card that died nothing more comes: there is nothing to be done about its gap.
                sa.func.max(sa.case((goes_on(), ledger.c.gaps_told), else_=0)).label("gaps_told"),
            ).group_by(ledger.c.city, ledger.c.station)
        )
    )
    refused = _by_station(
        connection.execute(
            sa.select(refusal)
            .where(refusal.c.last_ms > now_ms - RECENT_MS)
            .order_by(refusal.c.last_ms)
        )
    )
    lacks: dict[tuple[str, str], list[lacking.Lacking]] = defaultdict(list)
    for one in lacking.look(connection, now_ms):
        lacks[one.city, one.station].append(one)
    return [
        _station(
            row,
            lacks.get((row.city, row.station), []),
            heard.get((row.city, row.station)),
            entries.get((row.city, row.station)),
            refused.get((row.city, row.station)),
            opening_of(connection, row.city, row.station),
            now_ms,
        )
        for row in connection.execute(query).all()
    ]


def _by_station(rows: Any) -> dict[tuple[str, str], Any]:
    return {(row.city, row.station): row for row in rows}


def _station(
    row: Any,
    lacks: list[lacking.Lacking],
    heard: Any,
    entries: Any,
    refused: Any,
    opening: Opening,
    now_ms: int,
) -> StationCare:
    entries_ms = None if entries is None else entries.ms
    signs = [entries_ms, None if heard is None else heard.life_ms]
    known = [ms for ms in signs if ms is not None]
    life_ms = max(known, default=None)
    silent = opening.between(day_of(life_ms or row.added_ms), day_of(now_ms))
    care = StationCare(
        city=row.city,
        station=row.station,
        state=_state(heard, life_ms, now_ms),
        since_ms=None if heard is None else heard.since_ms,
        life_ms=life_ms,
        entries_ms=entries_ms,
        silent_days=silent,
        queue=None if heard is None else heard.queue,
        health_ms=None if heard is None else heard.health_ms,
        health=None if heard is None or heard.health is None else msgspec.json.decode(heard.health),
        software=None if heard is None else heard.software,
        findings=(),
    )
    findings = [*_findings(care, entries, refused, entries_ms or row.added_ms, now_ms)]
    findings += [finding for one in lacks for finding in _lacking(one)]
    return replace(care, findings=tuple(findings))


def _state(heard: Any, life_ms: int | None, now_ms: int) -> str:
    if heard is None or heard.online is None:
        return "unknown"
    if not heard.online or life_ms is None or now_ms - life_ms > ONLINE_MS:
        return "offline"
    return "online" if heard.process == "up" else str(heard.process)


def _findings(
    care: StationCare, entries: Any, refused: Any, since_ms: int, now_ms: int
) -> Iterator[Finding]:
    """``since_ms`` when entries came last, or could have come at first."""
    if care.silent_days >= SILENT_DAYS:
        never = "was never heard" if care.life_ms is None else "has been silent"
        yield Finding(
            "silent",
            f"The station {never} for {care.silent_days} open days.",
            "Call its caretaker: power, network, SIM. Its ledger can be carried by hand meanwhile.",
        )
    if care.state in ("down", "stalled") and now_ms - (care.since_ms or now_ms) > STALLED_MS:
        yield Finding(
            "station_" + care.state,
            "The uplink is there, and the station behind it does not answer.",
            "Ask the caretaker to look at kiosk doctor, or to switch it off and on.",
        )
    if care.queue and (care.health_ms or 0) > since_ms + STUCK_MS:
        yield Finding(
            "stuck",
            f"{care.queue} entries wait at the station, and none has come for a day.",
            "Look at what is refused (below), at the broker's rights, and at kiosk sync status there.",
        )
    if entries is not None and entries.gaps_told >= GAPS_TOLD:
        yield Finding(
            "gap",
            "Entries are missing between what is stored and what comes, and the station was told so.",
            "Was the database restored? Then: kiosk-receiver epoch new. Else look at kiosk doctor there.",
        )
    if refused is not None:
        yield Finding(
            "refused",
            f"Batches of the station are refused ({refused.code}, {refused.times} times).",
            "See the code in docs/trust.md; kiosk doctor at the station says it too.",
        )
    if entries is not None and entries.fork_seq is not None:
        yield Finding(
            "fork",
            f"Two histories of one ledger came, which part at {entries.fork_seq}.",
            "Two machines run with copies of one card: take one away (docs/trust.md).",
        )
    for kind in ("scales", "readers"):
        for name, how in sorted((care.health or {}).get(kind, {}).items()):
            if how != "ok" and care.state == "online":
                yield Finding(
                    "device",
                    f"{kind[:-1]} {name} has a trouble ({how}).",
                    "Ask the caretaker to look at kiosk doctor.",
                )


def _lacking(one: lacking.Lacking) -> Iterator[Finding]:
    """What did not come with a ledger's entries, and does not come by itself."""
    again = "Something between station and city takes it out: look at uplink and broker, then: "
    if one.ended:
        again = f"The ledger {one.ledger} ended, and its station sends it no more (docs/trust.md)."
    if one.texts:
        todo = f"kiosk-receiver command {one.station} resend {one.first_text} --city {one.city}"
        yield Finding(
            "thinned",
            f"{one.texts} entries came without their text, the first is {one.first_text}, and no"
            " station thins what is new.",
            again if one.ended else again + todo,
        )
    if one.seals:
        todo = f"kiosk-receiver command {one.station} resend {one.first_seal} --city {one.city}"
        yield Finding(
            "unopened",
            f"{one.seals} entries came without what opens their seals, the first is"
            f" {one.first_seal}, and the station has not forgotten them.",
            again if one.ended else again + todo + " (the same day: stations forget)",
        )
    if one.kept:
        todo = f"kiosk-receiver command {one.station} resend 1 --city {one.city}"
        yield Finding(
            "not_forgotten",
            f"The station has forgotten {one.kept} seals more than the city was told of, so what"
            " opens them is still kept here.",
            again if one.ended else again + todo,
        )
