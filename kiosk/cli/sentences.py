"""What the doctor found, with causes and ages, as people read it: on a terminal and on the screen."""

from __future__ import annotations

from kiosk.cli.texts import Words
from kiosk.doctor import Finding

UNKNOWN = "—"


def sentences(words: Words, finding: Finding) -> tuple[str, str]:
    """What was found and the next step: the cause's own where it has one, else the case's."""
    values = values_of(words, finding)
    key = f"doctor.{finding.code}.{finding.case}"
    todo = words.get(f"advice.{finding.cause}") or words.get(f"{key}.todo", **values)
    return words(f"{key}.what", **values), todo or ""


def values_of(words: Words, finding: Finding) -> dict[str, object]:
    """What a finding's sentences are filled in with."""
    values: dict[str, object] = {
        "subject": finding.subject,
        "cause": cause(words, finding.cause),
        "cause_code": finding.cause or UNKNOWN,
        **finding.values,
    }
    if finding.code == "device":
        values["subject"] = device_name(words, finding.subject)
    if finding.code == "lists" and finding.subject:
        values["subject"] = words(f"cardlist.{finding.subject}")
    if finding.code == "town" and finding.subject:
        values["subject"] = words(f"town.{finding.subject}")
    if "age_ms" in finding.values:
        values["age"] = age(words, int(finding.values["age_ms"]))
    return values


def cause(words: Words, code: str | None) -> str:
    """A device's, ledger's or link's code in words; the code itself where there are none."""
    if code is None:
        return UNKNOWN
    return words.get(f"cause.{code}") or code


def age(words: Words, ms: int) -> str:
    """A length of time in one unit."""
    for unit, unit_ms in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000)):
        if ms >= 2 * unit_ms:
            return words(f"age.{unit}", n=ms // unit_ms)
    return words("age.seconds", n=ms // 1000)


def device_name(words: Words, name: str) -> str:
    kind, _, subject = name.partition(":")
    if kind == "signals":
        return words("device.signals")
    return f"{words.get(f'device.{kind}') or kind} {subject}".rstrip()
