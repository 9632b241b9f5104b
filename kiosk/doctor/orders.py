"""What the city and caretakers ordered, as findings: whoever wonders why nobody comes looks here."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.doctor.finding import Finding
from kiosk.facts import OrderFacts

RECENT_MS = 24 * 3600 * 1000
"""So long a refused command is told."""
CAUSES = {
    "bad_signature": "command_forged",
    "shape": "command_garbled",
    "too_large": "command_garbled",
    "expired": "command_expired",
    "too_far": "command_far",
    "unknown_op": "command_unknown",
    "wrong_args": "command_unknown",
    "no_such_bin": "command_no_bin",
    "no_such_seq": "command_no_seq",
    "other_ledger": "command_no_seq",
    "too_many": "command_many",
}
"""A refusal's code to its words in the catalogues."""


def orders(found: OrderFacts) -> Iterator[Finding]:
    """Closed, locked bins; of the last day a command not done, and a balance not believed."""
    told = False
    if found.closed is not None:
        told = True
        reason = next(iter(found.closed.values()), "—")
        case = "closed_here" if found.closed_by == "caretaker" else "closed"
        yield Finding(code="orders", level="WARN", case=case, values={"reason": reason})
    for bin_id in found.locked:
        told = True
        yield Finding(code="orders", level="WARN", case="locked", subject=bin_id)
    for case, cause, age_ms in (
        ("refused", found.refused, found.refused_age_ms or 0),
        ("answer_refused", found.answer_refused, found.answer_refused_age_ms or 0),
    ):
        if cause is not None and age_ms < RECENT_MS:
            told = True
            yield Finding(
                code="orders",
                level="WARN",
                case=case,
                cause=CAUSES.get(cause, cause),
                values={"age_ms": age_ms},
            )
    if not told:
        yield Finding(code="orders", level="OK", case="none")
