"""What a station stands on, looked at from outside: settings, keys, disk, core dumps.

Works whether the station runs or not, and changes nothing.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from kiosk import catalogue
from kiosk.core.errors import DeviceError
from kiosk.doctor.finding import Finding
from kiosk.settings import IndicatorScale, Settings
from kiosk.settings.advice import advice
from kiosk.settings.scales import SAYS_GROSS

KEY_TEXT = re.compile(r"[0-9a-f]{64}\n?")
PSEUDONYM_KEY_TEXT = re.compile(r"[0-9a-f]{64}(\n[0-9a-f]{64})?\n?")
CARD_KEY_TEXT = re.compile(r"([0-9a-f]{64}|([0-9]{1,3} [0-9a-f]{64}\n?)+)\n?")
_SUN_LINE = (
    r"(?:-|[0-9a-fA-F]{32})[ \t]+[0-9a-fA-F]{32}[ \t]+(?:-|[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ \t]+[0-9a-fA-F]+)?"
)
SUN_KEY_TEXT = re.compile(
    rf"(?:(?:[ \t]*{_SUN_LINE})?[ \t]*(?:#[^\n]*)?\r?\n)*(?:[ \t]*{_SUN_LINE})?[ \t]*(?:#[^\n]*)?"
)
MAX_KEY_FILE_BYTES = 65_536
SEAL_SOON_DAYS = 60
"""A verification takes weeks to arrange."""
OTHERS = stat.S_IRWXO
"""Whoever else is on the machine may do nothing with a key."""


def settings(found: Settings) -> Iterator[Finding]:
    """The settings loaded; what they leave open to doubt."""
    notes = list(advice(found, catalogue.load(found.paths.catalogue)))
    for note in notes:
        yield Finding(code="settings", level="WARN", case=note.code, subject=note.place)
    if not notes:
        yield Finding(code="settings", level="OK", case="ok")


def seals(found: Settings, today: date, *, clock_known: bool) -> Iterator[Finding]:
    """Whether each verified indicator's weights are certified, and if not, why (design, 'Honest')."""
    sealed = 0
    for one in found.bins:
        scale = one.scale
        if not isinstance(scale, IndicatorScale) or scale.valid_until is None:
            continue
        sealed += 1
        days = (scale.valid_until - today).days
        case = "ok"
        if scale.protocol not in SAYS_GROSS:
            case = "unsaid"
        elif not clock_known:
            case = "clock"
        elif days < 0:
            case = "expired"
        elif days < SEAL_SOON_DAYS:
            case = "soon"
        yield Finding(
            code="seal",
            level="OK" if case == "ok" else "WARN",
            case=case,
            subject=one.id,
            values={
                "until": scale.valid_until.isoformat(),
                "days": days,
                "protocol": scale.protocol,
                "number": scale.seal_number or "",
            },
        )
    if not sealed:
        yield Finding(code="seal", level="OK", case="none")


def keys(found: Settings) -> Iterator[Finding]:
    """The three keys: there, whole, and nobody else's to read. Where cards are signed (``card.pub``) the
    third one may be missing; keys of chips (``sun.key``) are looked at where there are some."""
    files = {found.paths.station_key: KEY_TEXT, found.paths.pseudonym_key: PSEUDONYM_KEY_TEXT}
    signed = found.paths.card_pub.exists()
    if signed:
        files[found.paths.card_pub] = CARD_KEY_TEXT
    if not signed or found.paths.card_key.exists():
        files[found.paths.card_key] = CARD_KEY_TEXT
    if found.paths.sun_key.exists():
        files[found.paths.sun_key] = SUN_KEY_TEXT
    public = {found.paths.card_pub}
    troubles = [
        finding for path, text in files.items() for finding in key(path, text, path not in public)
    ]
    if not troubles:
        troubles = [
            Finding(code="keys", level="ERR", case="numbers", subject=str(path))
            for path in (found.paths.card_key, found.paths.card_pub)
            if path in files and not numbered_well(path)
        ]
    yield from troubles or [Finding(code="keys", level="OK", case="ok")]


def numbered_well(path: Path) -> bool:
    """Whether the station can tell these keys apart."""
    from kiosk.cards.keys import numbered_keys

    try:
        numbered_keys(path)
    except DeviceError:
        return False
    return True


def key(path: Path, text: re.Pattern[str], secret: bool = True) -> Iterator[Finding]:
    """What is wrong with one key file. Its content goes nowhere."""
    name = str(path)
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(MAX_KEY_FILE_BYTES)
    except FileNotFoundError:
        yield Finding(code="keys", level="ERR", case="missing", subject=name)
    except PermissionError:
        # As it should be for most users; the station itself would not start without it.
        yield Finding(code="keys", level="WARN", case="not_mine", subject=name)
    except OSError as error:
        yield Finding(
            code="keys",
            level="ERR",
            case="unreadable",
            subject=name,
            values={"reason": error.strerror or "?"},
        )
    else:
        if secret and mode & OTHERS:
            yield Finding(code="keys", level="ERR", case="open", subject=name)
        if not text.fullmatch(content.decode("ascii", "replace")):
            yield Finding(code="keys", level="ERR", case="malformed", subject=name)


def free_bytes(found: Settings) -> int:
    """Room where the ledger lies; the nearest folder that exists when that one does not yet."""
    for folder in (found.paths.data, *found.paths.data.parents):
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            continue  # not there yet, or not for this user to see
    return 0


def may_dump_core() -> bool:
    """Whether this process, and so a station started from here, may leave a core dump."""
    return resource.getrlimit(resource.RLIMIT_CORE)[0] != 0
