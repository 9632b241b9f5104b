"""The keys of chips that prove themselves, from ``keys/sun.key``; without the file there are none.

A line a key, ``#`` begins a comment: PICCData's key or ``-`` (UID and counter are plain), the file's key,
the last day its chips are good or ``-``, and, where each chip has a key of its own, what follows the UID in
its making (hexadecimal)::

    00112233445566778899aabbccddeeff 0102030405060708090a0b0c0d0e0f10 2031-03-31
    00112233445566778899aabbccddeeff 1112131415161718191a1b1c1d1e1f20 - 4b494f534b2d544f574e
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from kiosk.cards.ciphers import LibraryCiphers
from kiosk.core.cards.knowledge import Counters
from kiosk.core.cards.sun import MAX_KEYS, Sun, SunKey, Template
from kiosk.core.cards.token import day_of
from kiosk.core.errors import DeviceError

MAX_FILE_BYTES = 65_536
KEY = re.compile(r"[0-9a-fA-F]{32}")
REST = re.compile(r"(?:[0-9a-fA-F]{2}){1,40}")
NONE = "-"


def sun(path: Path, template: str, counters: Counters) -> Sun | None:
    """What chips are verified by; None where the town has no such chips. Raises DeviceError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DeviceError(
            "card_keys",
            f"The key file {path} cannot be read ({error.strerror}).",
            "Put it back from the town's safe.",
        ) from error
    try:
        return Sun(parsed(content), Template(template), LibraryCiphers(), counters)
    except ValueError:
        # From None: what Python says of a line would hold the line.
        raise DeviceError(
            "card_keys",
            f"The key file {path} holds no keys of chips, or none that fit sun_url in [cards].",
            "Put the right file back from the town's safe.",
        ) from None


def parsed(content: bytes) -> list[SunKey]:
    """The keys of a file's content. Raises ValueError."""
    lines = (line.partition("#")[0].split() for line in content.decode("ascii").splitlines())
    keys = [_key(words) for words in lines if words]
    if not 1 <= len(keys) <= MAX_KEYS:
        raise ValueError(f"1 to {MAX_KEYS} keys")
    return keys


def _key(words: list[str]) -> SunKey:
    if not 3 <= len(words) <= 4:
        raise ValueError("three words or four")
    meta, file, until = words[:3]
    rest = words[3] if len(words) > 3 else None
    if not KEY.fullmatch(file) or not (meta == NONE or KEY.fullmatch(meta)):
        raise ValueError("no key of 32 digits")
    if rest is not None and not REST.fullmatch(rest):
        raise ValueError("no digits behind the UID")
    return SunKey(
        file=bytes.fromhex(file),
        meta=None if meta == NONE else bytes.fromhex(meta),
        rest=None if rest is None else bytes.fromhex(rest),
        last_day=None if until == NONE else _day(until),
    )


def _day(text: str) -> int:
    found = date.fromisoformat(text)
    return day_of(found.year, found.month, found.day)
