"""What the facts say of the way to the city, and of the certificate that the station shows there."""

from __future__ import annotations

from datetime import UTC, datetime

from kiosk.doctor.finding import Finding, Level, Values
from kiosk.facts import Facts, LinkFacts
from sync.link_codes import PEOPLE

CITY_WAITS = frozenset({"city_silent", "connecting"})
"""Connected, and nobody has said no. Every other code of a connection that is up is a refusal that
no waiting mends: somebody has to speak with the city."""
BESIDE = frozenset(
    {"state_refused", "subscription_refused", "topic_refused", "tls_files_new", "cut_short"}
)
"""Connected, and the entries go; something else does not."""
CERTIFICATE_SOON_DAYS = 30
"""A town's office needs some weeks for a new one."""


def link(facts: Facts) -> Finding:
    """Being offline is weather; what the city or its broker refuses is not, nor an uplink that does not
    run: the router has no part in that."""
    if not facts.uplink_wanted:
        # The settings check says so; a wish is no fault of the link's.
        return Finding(code="link", level="OK", case="not_set")
    cause = facts.link.code
    level, case = judged(facts.link.online, cause)
    return Finding(code="link", level=level, case=case, cause=cause)


def judged(online: bool, cause: str | None) -> tuple[Level, str]:
    """Level and case."""
    if cause == "taken_over":
        return "ERR", "twin"
    if cause == "no_uplink":
        return "WARN", "stopped"
    if not online:
        return ("ERR", "broken") if cause in PEOPLE else ("WARN", "down")
    if cause is None:
        return "OK", "ok"
    if cause in CITY_WAITS:
        return "WARN", "silent"
    if cause in BESIDE:
        return "WARN", "partly"
    return "ERR", "refused"


def certificate(found: LinkFacts) -> Finding:
    """The station's own; the broker's is judged by whoever connects to it."""
    if found.certificate_ms is None:
        return Finding(code="certificate", level="OK", case="none")
    until = datetime.fromtimestamp(found.certificate_ms / 1000, UTC).date().isoformat()
    days = found.certificate_days
    if days is None:
        values: Values = {"until": until}
        return Finding(code="certificate", level="OK", case="clock", values=values)
    values = {"until": until, "days": days}
    if days < 0:
        return Finding(code="certificate", level="ERR", case="expired", values=values)
    case = "soon" if days < CERTIFICATE_SOON_DAYS else "ok"
    level: Level = "OK" if case == "ok" else "WARN"
    return Finding(code="certificate", level=level, case=case, values=values)
