"""A list of cards on disk: the city's signed word and the pseudonyms that it proves, in one file.

::

    closed.list        16 bytes: magic, length of the word; the word (FullWire) as it came, padded to
                       16; the pseudonyms, sorted, 16 bytes each
    closed.list.new    one being put together; of no worth until it is renamed
    closed.delta       the delta (DeltaWire) as it came

and the same with ``allowed``. A whole list is put together part by part in its place in the new
file, synced, renamed, and the folder synced: a power cut leaves the old list or the new. Whatever
lies there is proven again by the city's signature at each start, so a card that rots, or that
somebody wrote on, is told and not believed.
"""

from __future__ import annotations

import itertools
import mmap
import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kiosk.ledger.files import read_bounded, sync_folder
from sync.messages import MAX_PLAIN_BYTES, Malformed
from sync.messages.card_lists import (
    MAX_FULL_BYTES,
    PART_RECORDS,
    RECORD_BYTES,
    Delta,
    Full,
    ListName,
    Part,
    digest,
    read_delta,
    read_full,
)
from sync.signing import write_durably

MAGIC = b"kiosk-list-1"
MODE = 0o600
_HEAD = struct.Struct(">12sI")
_PART_BYTES = PART_RECORDS * RECORD_BYTES


class Damaged(Exception):
    """A file that does not prove itself."""


@dataclass(frozen=True, slots=True)
class City:
    """Whose word counts."""

    name: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole list in its file: ``file[start:]`` are the pseudonyms. Threads that still look into an
    older one keep its pages until they are done."""

    full: Full
    file: mmap.mmap
    start: int

    def part(self, number: int) -> bytes:
        at = self.start + number * _PART_BYTES
        return self.file[at : at + _PART_BYTES]


class ListFiles:
    """The files of one list."""

    def __init__(self, folder: Path, name: ListName) -> None:
        self.name = name
        self._folder = folder
        self._whole = folder / f"{name}.list"
        self._making = folder / f"{name}.list.new"
        self._delta = folder / f"{name}.delta"

    def load(self, city: City) -> Whole | None:
        """The whole list, None where there is none. Raises Damaged, OSError."""
        try:
            with self._whole.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            return None
        except ValueError as error:  # an empty file
            raise Damaged(self._whole.name) from error
        try:
            return _proven(mapped, self.name, city)
        except (Malformed, struct.error) as error:
            mapped.close()
            raise Damaged(self._whole.name) from error

    def load_delta(self, city: City) -> Delta | None:
        """The delta, None where there is none. Raises Damaged, KioskError."""
        data = read_bounded(self._delta, MAX_PLAIN_BYTES)
        if data is None:
            return None
        try:
            return read_delta(data, city.name, self.name, city.key)
        except Malformed as error:
            raise Damaged(self._delta.name) from error

    def keep_delta(self, payload: bytes) -> None:
        """Durably, instead of the one before. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_durably(self._delta, payload, mode=MODE)

    def begin(self, payload: bytes, full: Full) -> Making:
        """Begin a new whole list. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return Making(self._making, self._whole, payload, full)


def _proven(file: mmap.mmap, name: ListName, city: City) -> Whole:
    magic, length = _HEAD.unpack(file[: _HEAD.size])
    if magic != MAGIC or length > MAX_FULL_BYTES:
        raise Malformed("shape", "no list of cards")
    full = read_full(file[_HEAD.size : _HEAD.size + length], city.name, name, city.key)
    whole = Whole(full, file, _start(length))
    if len(file) != whole.start + full.count * RECORD_BYTES:
        raise Malformed("shape", "not as long as its word says")
    if any(digest(whole.part(number)) != part for number, part in enumerate(full.parts)):
        raise Malformed("digest", "a part is not the one that was signed")
    return whole


def _start(length: int) -> int:
    """Where the pseudonyms begin."""
    return -(-(_HEAD.size + length) // RECORD_BYTES) * RECORD_BYTES


class Making:
    """A whole list on its way: parts come in any order, each to its place."""

    def __init__(self, making: Path, whole: Path, payload: bytes, full: Full) -> None:
        self.full = full
        self._making, self._whole = making, whole
        self._start = _start(len(payload))
        self._came = [False] * len(full.parts)
        self._edges: dict[int, tuple[bytes, bytes]] = {}
        making.unlink(missing_ok=True)
        self._fd = os.open(making, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        try:
            os.ftruncate(self._fd, self._start + full.count * RECORD_BYTES)
            _write_all(self._fd, _HEAD.pack(MAGIC, len(payload)) + payload, 0)
        except OSError:
            self.drop()
            raise

    def missing(self, most: int) -> list[int]:
        """Parts that have not come, ``most`` of them."""
        return [number for number, came in enumerate(self._came) if not came][:most]

    @property
    def whole(self) -> bool:
        return all(self._came)

    def put(self, part: Part) -> None:
        """A part that ``read_part`` took. Raises OSError."""
        _write_all(self._fd, part.records, self._start + part.number * _PART_BYTES)
        self._came[part.number] = True
        self._edges[part.number] = part.records[:RECORD_BYTES], part.records[-RECORD_BYTES:]

    def put_same(self, older: Whole) -> None:
        """What an older list has already. Raises OSError."""
        for number, (part, old) in enumerate(zip(self.full.parts, older.full.parts, strict=False)):
            if part == old:
                self.put(Part(number, older.part(number)))

    def in_order(self) -> bool:
        """Whether the parts follow one another as their pseudonyms do."""
        edges = [self._edges[number] for number in range(len(self._came))]
        return all(a[1] < b[0] for a, b in itertools.pairwise(edges))

    def finish(self) -> None:
        """It is the list now, durably. Raises OSError; the one before stays then."""
        os.fsync(self._fd)
        self._close()
        self._making.rename(self._whole)
        sync_folder(self._whole.parent)

    def drop(self) -> None:
        """It comes to nothing. Harmless twice, and after ``finish``."""
        self._close()
        with suppress(OSError):  # the next one takes its place anyway
            self._making.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _write_all(fd: int, data: bytes, at: int) -> None:
    """``pwrite`` may write less, before it says that the disk is full."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written
