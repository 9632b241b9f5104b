"""The keys that make pseudonyms of cards: read from their files, and waited for while they are missing.

Without them no card can be recognised. That is a trouble of the readers alone: what falls into a bin
without a card is weighed as ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.worker import Device, Worker
from kiosk.core.cards import CardDesk
from kiosk.core.cards.foreign import Pattern
from kiosk.core.cards.knowledge import (
    NO_CARETAKERS,
    NO_HOLDERS,
    NO_LISTS,
    Caretakers,
    Holders,
    Lists,
)
from kiosk.core.errors import DeviceError

if TYPE_CHECKING:
    from kiosk.core.cards.ciphers import Ciphers
    from kiosk.core.cards.knowledge import Counters
    from kiosk.core.cards.sun import Sun
    from kiosk.settings.shape import Cards, Paths

KEY = re.compile(r"[0-9a-fA-F]{64}")
NUMBERED_KEY = re.compile(r"(?:([0-9]{1,3})\s+)?([0-9a-fA-F]{64})")
MAX_KEY_ID = 255
WAIT_S = 1.0


def desk(
    paths: Paths,
    rules: Cards,
    *,
    lists: Lists = NO_LISTS,
    holders: Holders = NO_HOLDERS,
    caretakers: Caretakers = NO_CARETAKERS,
    counters: Counters | None = None,
) -> CardDesk:
    """The desk that alone knows the keys; DeviceError where a file holds none.

    A town has tagged cards (``card.key``), signed ones (``card.pub``), or both; chips that prove
    themselves where there is a ``sun.key`` and their ``counters`` can be kept.
    """
    now, former = pseudonym_keys(paths.pseudonym_key)
    public = public_keys(paths.card_pub) if paths.card_pub.exists() else {}
    tagged = numbered_keys(paths.card_key) if paths.card_key.exists() or not public else {}
    return CardDesk(
        tagged,
        now,
        former_key=former,
        public_keys=public,
        ciphers=_ciphers() if public else None,
        foreign={one.name: Pattern(one.pattern) for one in rules.foreign},
        lists=lists,
        holders=holders,
        caretakers=caretakers,
        uids=rules.uids,
        sun=None if counters is None else chips(paths, rules, counters),
    )


def chips(paths: Paths, rules: Cards, counters: Counters) -> Sun | None:
    """What chips are verified by; None where the town has no such chips. Raises DeviceError."""
    if not paths.sun_key.exists():
        return None
    from kiosk.cards.sun_keys import sun  # with the ciphers

    return sun(paths.sun_key, rules.sun_url, counters)


def _ciphers() -> Ciphers:
    from kiosk.cards.ciphers import LibraryCiphers  # slow to import, and most towns need none

    return LibraryCiphers()


def pseudonym_keys(path: Path) -> tuple[bytes, bytes | None]:
    """The key in force (the first line), and the one before it while both are valid (the second)."""
    lines = _lines(path)
    keys = [bytes.fromhex(line) for line in lines if KEY.fullmatch(line)]
    if len(keys) != len(lines) or len(set(keys)) != len(keys) or not 1 <= len(keys) <= 2:
        raise _malformed(path)
    return keys[0], keys[1] if len(keys) > 1 else None


def public_keys(path: Path) -> dict[int, bytes]:
    """Of signed cards, as ``numbered_keys``; none under which anybody could sign."""
    from sync.signing import is_weak

    keys = numbered_keys(path)
    if any(is_weak(key) for key in keys.values()):
        raise _malformed(path)
    return keys


def numbered_keys(path: Path) -> dict[int, bytes]:
    """Key id to key: a file of one bare key (id 1), or of lines ``id key``."""
    keys: dict[int, bytes] = {}
    for line in _lines(path):
        found = NUMBERED_KEY.fullmatch(line)
        key_id = int(found[1] or 1) if found else MAX_KEY_ID + 1
        if found is None:
            raise _malformed(path)
        if key_id > MAX_KEY_ID or key_id in keys:
            raise DeviceError(
                "card_keys",
                f"In the key file {path} a key id stands twice, or is above {MAX_KEY_ID}.",
                f"Give each key an id of its own, from 0 to {MAX_KEY_ID}.",
            )
        keys[key_id] = bytes.fromhex(found[2])
    if not keys:
        raise _malformed(path)
    return keys


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in _text(path).splitlines() if line.strip()]


def _text(path: Path) -> str:
    try:
        # Strictly decoded, the error for a foreign byte would hold the whole file.
        return path.read_bytes().decode("ascii", "replace")
    except OSError as error:
        raise DeviceError(
            "card_keys",
            f"The key file {path} cannot be read ({error.strerror}).",
            "Put it back from the town's safe.",
        ) from error


def _malformed(path: Path) -> DeviceError:
    return DeviceError(
        "card_keys",
        f"The key file {path} holds no key of 64 hexadecimal digits.",
        "Put the right file back from the town's safe.",
    )


class Keyless(Worker):
    """Stands in for a card reader until its keys are there; from then on the reader speaks itself.

    ``make`` makes the reader; DeviceError while its keys are missing.
    """

    def __init__(self, name: str, make: Callable[[], Device]) -> None:
        super().__init__(name)
        self._make = make
        self._reader: Device | None = None

    def open(self) -> None:
        reader = self._make()
        self.deliver()
        assert self._post is not None, "opened before start"
        reader.start(self._post)
        self._reader = reader

    def step(self) -> None:
        self.rest(WAIT_S)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.stop()

    def beat_ms(self) -> int:
        own_ms, reader = super().beat_ms(), self._reader
        return own_ms if reader is None else min(own_ms, reader.beat_ms())

    @property
    def hint(self) -> str | None:
        return None if self._reader is None else self._reader.hint
