"""The keys that make pseudonyms of cards: read from their files, and waited for while they are missing.

Without them no card can be recognised. That is a trouble of the readers alone: what falls into a bin
without a card is weighed as ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from drivers.worker import Device, Worker
from kiosk.core.cards import CardDesk
from kiosk.core.errors import DeviceError

CARD_KEY = re.compile(r"(?:([0-9]{1,3})\s+)?([0-9a-fA-F]{64})")
WAIT_S = 1.0


def desk(card_key: Path, pseudonym_key: Path) -> CardDesk:
    """The desk that alone knows the keys; DeviceError where a file holds none."""
    try:
        name = bytes.fromhex(_text(pseudonym_key).strip())
        return CardDesk(_card_keys(card_key), name)
    except ValueError as error:
        raise _malformed(pseudonym_key) from error


def _card_keys(path: Path) -> dict[int, bytes]:
    """Key id to key: a file of one bare key (id 1), or of lines ``id key``."""
    lines = [line.strip() for line in _text(path).splitlines() if line.strip()]
    found = [CARD_KEY.fullmatch(line) for line in lines]
    keys = {int(one[1] or 1): bytes.fromhex(one[2]) for one in found if one is not None}
    if not keys or None in found:
        raise _malformed(path)
    return keys


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceError(
            "card_keys",
            f"The key file {path} cannot be read ({error}).",
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
