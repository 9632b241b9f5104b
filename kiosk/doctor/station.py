"""What the facts of a running station say. Pure; every finding can be told from the facts alone."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.doctor.finding import Finding, Level, Values
from kiosk.doctor.link import certificate, link
from kiosk.doctor.orders import orders
from kiosk.doctor.town import town
from kiosk.facts import BinFacts, CardFacts, DeviceFacts, Facts, ListFacts

STALE_MS = 10_000
"""A device thread without a sign of life for so long hangs (the watchdog acts later)."""
SLOW_SHARE = 0.5
"""Fewer than this share of the promised samples is worth a look."""
REJECTED_SHARE = 0.1
"""More refused readings than this share of all; 1 to 5 % are bad on some boards in the field."""
REJECTED_MIN = 100
DISK_LOW_BYTES = 500 << 20
DISK_FULL_BYTES = 50 << 20
QUEUE_LONG = 1000
"""Entries waiting for the city; about a week of a usual station."""
ACK_OLD_MS = 24 * 3600 * 1000
"""A day of uptime without the city's word, with something waiting."""
CARD_RECENT_MS = 3600 * 1000
"""So long somebody may come and ask why a card was refused."""
CARDS_ALL_REFUSED = 3
"""So many refused and none taken: it is not the cards."""

LIST_RECENT_MS = 24 * 3600 * 1000
"""So long a refused word on a list is told."""
LIST_CAUSES = {
    "bad_signature": "list_forged",
    "digest": "list_forged",
    "shape": "list_garbled",
    "records": "list_garbled",
    "too_large": "list_garbled",
    "future": "list_future",
    "storage": "list_storage",
    "damaged": "list_damaged",
}

KIND_CODES = {"scale": "scale", "reader": "reader", "lid": "lid"}


def examine(facts: Facts) -> Iterator[Finding]:
    """Every check once at least, in the order of ``CODES``."""
    yield Finding(code="station", level="OK", case="ok", values={"age_ms": facts.uptime_ms})
    yield ledger(facts)
    yield disk(facts.disk_free_bytes)
    yield heat(facts)
    for one in facts.devices:
        yield device(one, facts)
    yield cards(facts.cards)
    yield from lists(facts.lists)
    yield from town(facts.town)
    yield from orders(facts.orders)
    yield screen(facts)
    yield link(facts)
    yield certificate(facts.link)
    yield clock(facts)
    yield watermark(facts.queue, facts.watermark)
    yield ack(facts)
    yield core_dumps(allowed=facts.core_dumps)


def ledger(facts: Facts) -> Finding:
    if facts.storage_trouble is not None:
        cause = storage_cause(facts.storage_trouble, facts.disk_free_bytes)
        return Finding(code="ledger", level="ERR", case="trouble", cause=cause)
    return Finding(code="ledger", level="OK", case="ok", values={"head": facts.head_seq})


def storage_cause(code: str, free_bytes: int) -> str:
    """SQLite tells some refusals of a full disk as I/O errors; no card is replaced for those."""
    return "disk_full" if code == "io_error" and free_bytes < DISK_FULL_BYTES else code


def disk(free_bytes: int) -> Finding:
    values: Values = {"free_mb": free_bytes >> 20}
    if free_bytes < DISK_FULL_BYTES:
        return Finding(code="disk", level="ERR", case="full", values=values)
    if free_bytes < DISK_LOW_BYTES:
        return Finding(code="disk", level="WARN", case="low", values=values)
    return Finding(code="disk", level="OK", case="ok", values=values)


def heat(facts: Facts) -> Finding:
    """How hot the machine is; the screen keeps still and then dark before the machine slows itself down."""
    if facts.temperature_mc is None:
        return Finding(code="heat", level="OK", case="unknown")
    values: Values = {"celsius": facts.temperature_mc // 1000}
    if facts.warm is None:
        return Finding(code="heat", level="OK", case="ok", values=values)
    return Finding(code="heat", level="WARN", case=facts.warm, values=values)


def device(found: DeviceFacts, facts: Facts) -> Finding:
    """One device: lost, hanging, well, or well with a hint; a scale's samples are looked at too."""
    code = KIND_CODES.get(found.kind, "device")
    # A lost lid or lamp costs comfort, a lost scale or reader what people came for.
    heavy: Level = "ERR" if code in ("scale", "reader") else "WARN"
    level: Level = "OK"
    case, cause, values = "ok", None, Values()
    if code == "scale" and any(one.broken for one in facts.bins if one.bin == found.subject):
        level, case = "WARN", "set_aside"  # whatever it says, or does not: nobody listens
    elif found.state == "lost":
        level, case, cause = heavy, "lost", found.code
        values = {"age_ms": found.since_ms}
    elif found.beat_age_ms > STALE_MS:
        level, case, values = heavy, "hangs", {"seconds": found.beat_age_ms // 1000}
    elif found.hint is not None:
        level, case = "WARN", found.hint
    elif code == "scale":
        for one in facts.bins:
            if one.bin == found.subject:
                level, case = scale(one, facts.uptime_ms)
                values = pace(one)
    subject = found.name if code == "device" else found.subject
    return Finding(code=code, level=level, case=case, subject=subject, cause=cause, values=values)


def scale(one: BinFacts, uptime_ms: int) -> tuple[Level, str]:
    """Level and case of a scale that is there."""
    if one.state == "question":
        return "WARN", "question"
    if one.state == "overload":
        return "WARN", "overload"
    if one.rate_sps and one.samples_per_s is not None:
        if one.samples_per_s == 0:
            return "ERR", "silent"
        if one.samples_per_s < SLOW_SHARE * one.rate_sps:
            return "WARN", "slow"
    expected = (one.rate_sps or 0) * uptime_ms / 1000
    if one.rejected > max(REJECTED_MIN, REJECTED_SHARE * expected):
        return "WARN", "noisy"
    if one.seal in ("expired", "undated", "unsaid"):
        return "WARN", f"seal_{one.seal}"
    return "OK", "ok"


def pace(one: BinFacts) -> Values:
    """What came and what was promised, in samples a second; empty where that is not known yet."""
    if one.samples_per_s is None or one.rate_sps is None:
        return {}
    return {"samples_per_s": round(one.samples_per_s, 1), "rate_sps": round(one.rate_sps, 1)}


def cards(found: CardFacts) -> Finding:
    """Refused cards: ordinary one by one, and no accident when it is every card."""
    values: Values = {"refused": found.refused, "age_ms": found.age_ms or 0}
    if found.refused >= CARDS_ALL_REFUSED and not found.taken:
        return Finding(code="card", level="WARN", case="all", cause=found.reason, values=values)
    if found.age_ms is not None and found.age_ms < CARD_RECENT_MS:
        return Finding(code="card", level="WARN", case="refused", cause=found.reason, values=values)
    return Finding(code="card", level="OK", case="ok", values=values)


def lists(found: tuple[ListFacts, ...]) -> Iterator[Finding]:
    """The city's lists of cards: there, young enough, and nothing refused in the last day."""
    told = False
    for one in found:
        for level, case in list_cases(one):
            told = True
            yield Finding(
                code="lists",
                level=level,
                case=case,
                subject=one.name,
                cause=LIST_CAUSES.get(one.refused or "") if case == "refused" else None,
                values={
                    "version": one.version or 0,
                    "count": one.count or 0,
                    "days": one.age_days,
                    "end": one.end_days,
                    "parts": one.missing_parts,
                    "age_ms": one.refused_age_ms or 0,
                },
            )
    if not told:
        yield Finding(code="lists", level="OK", case="none")


def list_cases(one: ListFacts) -> Iterator[tuple[Level, str]]:
    """Level and case of what there is to say of one list."""
    if one.refused_age_ms is not None and one.refused_age_ms < LIST_RECENT_MS:
        yield "WARN", "refused"
    if one.worth == "ended":
        yield "ERR", "ended"
    elif one.worth == "old":
        yield "WARN", "missing" if one.version is None else "old"
    elif one.missing_parts:
        yield "OK", "coming"
    elif one.version is not None:
        yield "OK", "ok"


def screen(facts: Facts) -> Finding:
    values: Values = {"port": facts.screen_port}
    if facts.screen_up:
        return Finding(code="screen", level="OK", case="ok", values=values)
    return Finding(code="screen", level="ERR", case="down", values=values)


def clock(facts: Facts) -> Finding:
    if facts.clock == "synced":
        return Finding(code="clock", level="OK", case="ok")
    return Finding(code="clock", level="WARN", case="unsynced")


def watermark(queue: int, committed: int) -> Finding:
    """``queue`` entries wait; the city has signed for ``committed``."""
    values: Values = {"queue": queue, "watermark": committed}
    if queue > QUEUE_LONG:
        return Finding(code="watermark", level="WARN", case="behind", values=values)
    return Finding(code="watermark", level="OK", case="ok", values=values)


def ack(facts: Facts) -> Finding:
    age_ms = facts.last_ack_age_ms
    silent_ms = facts.uptime_ms if age_ms is None else age_ms
    hours = silent_ms // 3_600_000
    values: Values = {"hours": hours, "within": hours + 1}
    if facts.queue and silent_ms > ACK_OLD_MS:
        return Finding(code="ack", level="WARN", case="old", values=values)
    return Finding(code="ack", level="OK", case="none" if age_ms is None else "ok", values=values)


def core_dumps(*, allowed: bool) -> Finding:
    """A core dump would hold keys and card tokens."""
    if allowed:
        return Finding(code="core_dumps", level="WARN", case="on")
    return Finding(code="core_dumps", level="OK", case="ok")
