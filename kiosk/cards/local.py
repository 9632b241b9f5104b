"""Cards closed at this station, before the city has answered: a small durable file.

Whoever loses a card here must not wait for the city's list. A line a pseudonym (32 hexadecimal
digits), sorted; the file is replaced as a whole, so that a power cut leaves the old one or the new.
The command line may write beside a running station: a lock file orders the writers, and every look
compares the file's stamp first.

    closed = ClosedHere(paths.data / "cards")
    closed.add(name)        # durable when it returns
    name in closed
    closed.discard(name)    # found again, or on the city's list by now
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.core.cards.names import PSEUDONYM_BYTES
from kiosk.core.errors import OperatorError, StorageError
from kiosk.ledger.errors import refused
from sync.signing import write_durably

FILE, LOCK = "closed-here", "closed-here.lock"
MAX_NAMES = 10_000
"""More lost cards than a station can have; whoever needs more sends them to the city."""
LINE_CHARS = 2 * PSEUDONYM_BYTES + 1
MODE = 0o600
_NAME = re.compile(r"[0-9a-f]{32}")

_Stamp = tuple[int, int, int] | None


class ClosedHere:
    """The set of pseudonyms in one folder; any thread may ask and change it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / FILE
        self._lock = threading.Lock()
        self._held: tuple[_Stamp, frozenset[bytes]] = (None, frozenset())

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __len__(self) -> int:
        return len(self.names())

    def names(self) -> frozenset[bytes]:
        """All of them, as they stand in the file now.

        Raises StorageError where the file cannot be read or is none of ours, OperatorError without the
        right to.
        """
        stamp = self._stamp()
        held = self._held
        if held[0] == stamp:
            return held[1]
        names = self._read()
        self._held = (stamp, names)  # stamped before the read: a change meanwhile is seen next time
        return names

    def add(self, name: bytes) -> bool:
        """Close a card; durable when it returns. False where it was closed here already.

        Raises OperatorError when there are too many, StorageError when nothing can be written.
        """
        if len(name) != PSEUDONYM_BYTES:
            raise ValueError(f"a pseudonym has {PSEUDONYM_BYTES} bytes")
        with self._writing():
            names = self._read()
            if name in names:
                return False
            if len(names) >= MAX_NAMES:
                raise OperatorError(
                    "too_many_closed",
                    f"{MAX_NAMES} cards are closed at this station already.",
                    "Let the city put them on its list of closed cards.",
                )
            self._write(names | {name})
            return True

    def discard(self, name: bytes) -> bool:
        """Open it again, as far as this station goes. False where it was not closed here."""
        return self.discard_all((name,)) > 0

    def discard_all(self, names: Iterable[bytes]) -> int:
        """How many of them were closed here and are no more. Raises StorageError."""
        gone = self.names().intersection(names)
        if not gone:
            return 0
        with self._writing():
            held = self._read()
            self._write(held - gone)
            return len(held & gone)

    # -- the file -------------------------------------------------------------------------------

    def _stamp(self) -> _Stamp:
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refused(error, self._file) from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> frozenset[bytes]:
        try:
            with self._file.open("rb") as file:
                data = file.read(MAX_NAMES * LINE_CHARS + 1)
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise refused(error, self._file) from error
        lines = data.decode("ascii", "replace").splitlines()
        if len(data) > MAX_NAMES * LINE_CHARS or not all(map(_NAME.fullmatch, lines)):
            raise StorageError(
                "closed_here_damaged",
                f"{self._file} does not hold one pseudonym a line.",
                "Put back the copy of the last backup, or close those cards at the city.",
                file=self._file,
            )
        return frozenset(map(bytes.fromhex, lines))

    def _write(self, names: frozenset[bytes]) -> None:
        text = "".join(f"{name.hex()}\n" for name in sorted(names))
        try:
            write_durably(self._file, text.encode("ascii"), mode=MODE)
        except OSError as error:
            raise refused(error, self._file) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One writer at a time, of all threads and processes."""
        with self._lock:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                fd = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
            except OSError as error:
                raise refused(error, self._folder) from error
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                yield
            finally:
                os.close(fd)
