"""How the station is, for whoever stands before it: the doctor's findings in words, one next step each.

The same findings and sentences as ``kiosk doctor``. A caretaker at the screen has hands and a telephone,
and no keyboard: where the doctor's step is a command, the step here is a page of the corner or a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kiosk.cli.sentences import values_of
from kiosk.cli.texts import LANGUAGES, Words
from kiosk.doctor import Finding, worst

WEIGHT = {"ERR": 0, "WARN": 1, "OK": 2}
NOT_HERE = frozenset({"core_dumps", "settings"})
"""What the installer looks after, and no caretaker can mend: it would be yellow every morning."""
OFFICE = frozenset(
    {
        "keys",
        "ledger",
        "disk",
        "seal",
        "lists",
        "town",
        "screen",
        "certificate",
        "watermark",
        "ack",
        "orders",
    }
)
"""Mended by the town's office, which is told the code."""
OF_BINS = frozenset({"scale", "seal", "lid", "orders"})
"""Whose subject is a bin."""
PAGES = {
    "scale.lost": "scale",
    "scale.hangs": "scale",
    "scale.silent": "scale",
    "scale.set_aside": "scale",
    "scale.overload": "bag",
    "scale.question": "bag",
    "orders.closed_here": "open",
    "orders.locked": "clean",
}
"""Which page of the corner mends it."""


Names = Mapping[str, Mapping[str, str]]
"""What people call each bin, by bin and language."""


def told(findings: Iterable[Finding], names: Names) -> dict[str, Any]:
    """``level``, and what is not well, the worst first, each by language."""
    found = [one for one in findings if one.code not in NOT_HERE]
    wrong = sorted((one for one in found if one.level != "OK"), key=lambda one: WEIGHT[one.level])
    return {"level": worst(found), "findings": [_told(one, names) for one in wrong]}


def _told(finding: Finding, names: Names) -> dict[str, Any]:
    said = {language: _said(Words(language), finding, names) for language in LANGUAGES}
    return {
        "level": finding.level,
        "what": {language: what for language, (what, _) in said.items()},
        "todo": {language: todo for language, (_, todo) in said.items()},
        "page": PAGES.get(f"{finding.code}.{finding.case}"),
        "bin": finding.subject if finding.code in OF_BINS else None,
    }


def _said(words: Words, finding: Finding, names: Names) -> tuple[str, str]:
    values = values_of(words, finding)
    if finding.code in OF_BINS and finding.subject in names:
        values["subject"] = names[finding.subject][words.language]
    key = f"doctor.{finding.code}.{finding.case}"
    todo = words.get(f"doctor_here.{finding.code}_{finding.case}", **values)
    if todo is None and finding.code in OFFICE:
        todo = words("doctor_here.office", code=finding.code)
    return words(f"{key}.what", **values), todo or words.get(f"{key}.todo", **values) or ""
