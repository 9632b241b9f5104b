"""The caretaker's number: the way into the corner for whoever has no card at hand.

Invariants
  1. The number is in no log, no ledger and no file: what is kept is its scrypt hash under a random salt
     (RFC 7914), in a file of mode 0600, compared in constant time.
  2. Guessing is bounded, also across restarts and power cuts: a try is counted durably *before* it is
     looked at, and only a right one takes the count back.

Theory. Six digits are a million numbers. After ``FREE_TRIES`` wrong ones every further try waits: five
minutes, then twice as long each time, up to an hour. That is about 30 tries on the first day and 24 on
every other: a million numbers take longer than a century. Time is the station's uptime, since its wall
clock may be anybody's: a restart begins the pause anew, so that switching off and on gains nothing. A thief
of the SD card can try all numbers in hours whatever the hash; who has the card has the station anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from kiosk.core.errors import OperatorError, StorageError
from kiosk.ledger.errors import refused
from sync.signing import write_durably

FILE, TRIES = "corner-number", "corner-tries"
MODE = 0o600
MIN_DIGITS, MAX_DIGITS = 6, 12
FREE_TRIES = 5
PAUSE_MS, MAX_PAUSE_MS = 300_000, 3_600_000
SALT_BYTES = 16
N, R, P = 1 << 15, 8, 1
"""32 MiB, and well under a second on a Raspberry Pi 4."""
MAX_MEMORY_BYTES = 64 << 20
MAX_FILE_BYTES = 4_096
MAX_COUNT = 1_000_000


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: hexadecimal salt and hash, and how the hash is made."""

    salt: str
    hash: str
    n: int
    r: int
    p: int


def check_digits(number: str) -> None:
    """OperatorError where a number cannot serve."""
    good = number.isascii() and number.isdigit()
    if not good or not MIN_DIGITS <= len(number) <= MAX_DIGITS or len(set(number)) == 1:
        raise OperatorError(
            "number_unfit",
            f"The caretaker's number has {MIN_DIGITS} to {MAX_DIGITS} digits, not all alike.",
            "Choose another one.",
            least=MIN_DIGITS,
            most=MAX_DIGITS,
        )


class CornerNumber:
    """``now_ms`` the boottime clock. Any thread; one try at a time."""

    def __init__(self, folder: Path, now_ms: Callable[[], int]) -> None:
        self._file, self._tries = folder / FILE, folder / TRIES
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._paused_ms = now_ms()
        """When the pause began: of tries before this start, with it."""

    @property
    def is_set(self) -> bool:
        return self._file.exists()

    def set(self, number: str) -> None:
        """From now on this one counts, and nobody has tried yet. Raises OperatorError, StorageError."""
        check_digits(number)
        salt = secrets.token_bytes(SALT_BYTES)
        kept = _Kept(salt.hex(), _hash(number, salt, N, R, P).hex(), N, R, P)
        with self._lock:
            self._write(self._file, msgspec.json.encode(kept))
            self._write(self._tries, b"0\n")

    def remove(self) -> None:
        """From now on no number opens anything."""
        with self._lock:
            try:
                self._file.unlink(missing_ok=True)
            except OSError as error:
                raise refused(error, self._file) from error

    def wait_ms(self) -> int:
        """How long nobody may try; 0 where one may now."""
        with self._lock:
            return self._wait_ms(self._count())

    def check(self, number: str) -> None:
        """Returns where it is right. Raises OperatorError ``number_none``, ``number_paused`` (nothing was
        looked at) or ``number_wrong``; StorageError where the try cannot be counted, and so is none."""
        with self._lock:
            kept = self._kept()
            count = self._count()
            wait_ms = self._wait_ms(count)
            if wait_ms > 0:
                raise _paused(wait_ms)
            self._write(self._tries, b"%d\n" % min(count + 1, MAX_COUNT))
            self._paused_ms = self._now_ms()
            if self._is(number, kept):
                self._write(self._tries, b"0\n")
                return
            wait_ms = self._wait_ms(count + 1)
        if wait_ms > 0:
            raise _paused(wait_ms)
        raise OperatorError("number_wrong", "That is another number.", "Try it once more, slowly.")

    def _is(self, number: str, kept: _Kept) -> bool:
        try:
            found = _hash(number, bytes.fromhex(kept.salt), kept.n, kept.r, kept.p)
            return hmac.compare_digest(found, bytes.fromhex(kept.hash))
        except ValueError:  # no hexadecimal, or no way of hashing
            raise self._damaged() from None

    def _wait_ms(self, count: int) -> int:
        over = count - FREE_TRIES
        if over < 0:
            return 0
        pause_ms = min(PAUSE_MS << min(over, 8), MAX_PAUSE_MS)
        return max(0, self._paused_ms + pause_ms - self._now_ms())

    def _count(self) -> int:
        """Wrong tries. A count that cannot be read is as bad as any, and no free try."""
        try:
            text = _read(self._tries)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise refused(error, self._tries) from error
        return int(text) if text.strip().isdigit() else FREE_TRIES

    def _kept(self) -> _Kept:
        try:
            return msgspec.json.decode(_read(self._file), type=_Kept)
        except FileNotFoundError:
            raise OperatorError(
                "number_none",
                "No caretaker's number is set at this station.",
                "Show a caretaker's card, or set one: kiosk caretaker pin.",
            ) from None
        except OSError as error:
            raise refused(error, self._file) from error
        except msgspec.MsgspecError:
            raise self._damaged() from None

    def _damaged(self) -> StorageError:
        return StorageError(
            "number_damaged",
            f"{self._file} is none of this program's files.",
            "Set the number anew: kiosk caretaker pin.",
            file=self._file,
        )

    def _write(self, path: Path, data: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_durably(path, data, mode=MODE)
        except OSError as error:
            raise refused(error, path) from error


def _read(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, MAX_FILE_BYTES)
    finally:
        os.close(fd)


def _hash(number: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        number.encode("ascii", "replace"),
        salt=salt,
        n=n,
        r=r,
        p=p,
        maxmem=MAX_MEMORY_BYTES,
        dklen=32,
    )


def _paused(wait_ms: int) -> OperatorError:
    minutes = -(-wait_ms // 60_000)
    return OperatorError(
        "number_paused",
        f"Too many wrong numbers; the next try counts in {minutes} min.",
        "Show a caretaker's card, or wait.",
        minutes=minutes,
    )
