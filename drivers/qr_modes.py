"""In which modes a QR code's text stands (ISO/IEC 18004:2015, clause 7): which bytes are kanji.

A decoder gives a symbol's bytes; that some of them are kanji (Shift JIS by definition) and not bytes
of whatever kind stands in the symbol alone. The decoder has already proved the bytes (Reed-Solomon),
so here the modules are read as they were seen, and only mode and length of each segment are
taken from them: a reading whose lengths do not add up to the bytes that are known is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.vision import Gray

Bits = NDArray[np.bool_]
Places = NDArray[np.int64]

MAX_VERSION = 40
LEVELS = "LMQH"
KANJI, BYTE = 8, 4

# Per version from 1: check codewords a block, and blocks (table 9).
_CHECK = {
    "L": "7 10 15 20 26 18 20 24 30 18 20 24 26 30 22 24 28 30 28 28 28 28 30 30 26 28 30 30 30 30"
    " 30 30 30 30 30 30 30 30 30 30",
    "M": "10 16 26 18 24 16 18 22 22 26 30 22 22 24 24 28 28 26 26 26 26 28 28 28 28 28 28 28 28 28"
    " 28 28 28 28 28 28 28 28 28 28",
    "Q": "13 22 18 26 18 24 18 22 20 24 28 26 24 20 30 24 28 28 26 30 28 30 30 30 30 28 30 30 30 30"
    " 30 30 30 30 30 30 30 30 30 30",
    "H": "17 28 22 16 22 28 26 26 24 28 24 28 22 24 24 30 28 28 26 28 30 24 30 30 30 30 30 30 30 30"
    " 30 30 30 30 30 30 30 30 30 30",
}
_BLOCKS = {
    "L": "1 1 1 1 1 2 2 2 2 4 4 4 4 4 6 6 6 6 7 8 8 9 9 10 12 12 12 13 14 15 16 17 18 19 19 20 21 22"
    " 24 25",
    "M": "1 1 1 2 2 4 4 4 5 5 5 8 9 9 10 10 11 13 14 16 17 17 18 20 21 23 25 26 28 29 31 33 35 37 38"
    " 40 43 45 47 49",
    "Q": "1 1 2 2 4 4 6 6 8 8 8 10 12 16 12 17 16 18 21 20 23 23 25 27 29 34 34 35 38 40 43 45 48 51"
    " 53 56 59 62 65 68",
    "H": "1 1 2 4 4 4 5 6 8 8 11 11 16 16 18 16 19 21 25 25 25 34 30 32 35 37 40 42 45 48 51 54 57 60"
    " 63 66 70 74 77 81",
}
_COUNT_BITS = {1: (10, 12, 14), 2: (9, 11, 13), BYTE: (8, 16, 16), KANJI: (8, 10, 12)}
"""By mode, for versions to 9, to 26 and to 40 (table 3); 1 is digits, 2 alphanumeric."""
_MASKS: tuple[Any, ...] = (
    lambda y, x: (y + x) % 2,
    lambda y, _x: y % 2,
    lambda _y, x: x % 3,
    lambda y, x: (y + x) % 3,
    lambda y, x: (y // 2 + x // 3) % 2,
    lambda y, x: y * x % 2 + y * x % 3,
    lambda y, x: (y * x % 2 + y * x % 3) % 2,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2,
)
"""A module is turned where this is 0 (table 10)."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the text; ``length`` in bytes."""

    kanji: bool
    length: int


def segments(modules: Gray, level: str, mask: int, size: int) -> list[Segment] | None:
    """The segments of a symbol whose text has ``size`` bytes.

    ``modules`` a pixel a module, 0 black, without a margin, the missing corner at the lower right. None
    where they do not make ``size`` bytes: too much was smudged, or modes stand there that are not read.
    """
    data = _data(modules, level, mask)
    if data is None:
        return None
    found = _read(data, (len(modules) - 17) // 4)
    return found if found is not None and sum(one.length for one in found) == size else None


def likely_kanji(modules: Gray, level: str, mask: int, text: bytes) -> bool:
    """Whether a symbol that is ``text`` and nothing else says it in kanji mode, not as bytes.

    For a symbol so smudged that :func:`segments` finds none: both ways to say the text are compared
    with the modules as they were seen. Three quarters of the bits have to agree; by chance it is half.
    """
    values = _kanji_values(text)
    data = _data(modules, level, mask)
    if values is None or data is None:
        return False
    version = (len(modules) - 17) // 4
    size_class = (version > 9) + (version > 26)
    agreed = []
    for mode, width, units in ((KANJI, 13, values), (BYTE, 8, list(text))):
        said = f"{mode:04b}{len(units):0{_COUNT_BITS[mode][size_class]}b}"
        said += "".join(f"{unit:0{width}b}" for unit in units)
        bits = np.frombuffer(said.encode(), np.uint8)[: len(data)] == ord("1")
        agreed.append(int((data[: len(bits)] == bits).sum()) / len(said))
    return agreed[0] > max(0.75, agreed[1])


def _kanji_values(text: bytes) -> list[int] | None:
    """The 13-bit values of Shift JIS pairs (7.4.6); None where it is not made of those alone."""
    values = []
    for high, low in zip(text[::2], text[1::2], strict=False):
        pair = high << 8 | low
        if 0x8140 <= pair <= 0x9FFC:
            pair -= 0x8140
        elif 0xE040 <= pair <= 0xEBBF:
            pair -= 0xC140
        else:
            return None
        values.append((pair >> 8) * 0xC0 + (pair & 0xFF))
    return values if values and len(text) % 2 == 0 else None


@cache
def _path(version: int) -> tuple[Places, Places]:
    """The places of the data's modules, rows and columns, in the order of its bits (7.7.3)."""
    width = 17 + 4 * version
    rows, columns = [], []
    for turn, right in enumerate((*range(width - 1, 6, -2), *range(5, 0, -2))):
        down = np.arange(width) if turn % 2 else np.arange(width - 1, -1, -1)
        rows.append(np.repeat(down, 2))
        columns.append(np.tile((right, right - 1), width))
    y, x = np.concatenate(rows), np.concatenate(columns)
    free = _taken(version)[y, x] == 0
    return y[free], x[free]


def _taken(version: int) -> Gray:
    """Where no data stands: finders with format information, timing, alignment, version."""
    width = 17 + 4 * version
    taken = np.zeros((width, width), np.uint8)
    taken[:9, :9] = taken[:9, -8:] = taken[-8:, :9] = 1
    taken[6, :] = taken[:, 6] = 1
    centres = _alignment(version)
    for y in centres:
        for x in centres:
            at_finder = (y, x) in ((6, 6), (6, width - 7), (width - 7, 6))
            if not at_finder:
                taken[y - 2 : y + 3, x - 2 : x + 3] = 1
    if version >= 7:
        taken[:6, -11:-8] = taken[-11:-8, :6] = 1
    return taken


def function_patterns(version: int) -> NDArray[np.int8]:
    """Modules that are the same in every symbol of a version: -1 dark, 1 light, 0 not fixed (6.3)."""
    width = 17 + 4 * version
    fixed = np.zeros((width, width), np.int8)
    along = np.arange(width)
    fixed[6, :] = fixed[:, 6] = np.where(along % 2 == 0, -1, 1)
    centres = _alignment(version)
    y, x = np.mgrid[-4:5, -4:5]
    ring = np.maximum(abs(x), abs(y))
    for row in centres:
        for column in centres:
            if (row, column) not in ((6, 6), (6, width - 7), (width - 7, 6)):
                pattern = np.where(ring[2:7, 2:7] == 1, 1, -1)
                fixed[row - 2 : row + 3, column - 2 : column + 3] = pattern
    finder = np.where((ring == 2) | (ring == 4), 1, -1)
    fixed[:8, :8] = finder[1:, 1:]
    fixed[:8, -8:] = finder[1:, :8]
    fixed[-8:, :8] = finder[:8, 1:]
    return fixed


def _alignment(version: int) -> list[int]:
    """Rows and columns of the alignment patterns' centres (annex E)."""
    if version == 1:
        return []
    count = version // 7 + 2
    step = 26 if version == 32 else (version * 4 + count * 2 + 1) // (count * 2 - 2) * 2
    last = 17 + 4 * version - 7
    return [6, *(last - step * n for n in range(count - 2, -1, -1))]


def _data(modules: Gray, level: str, mask: int) -> Bits | None:
    """The data's bits as they were seen, without the check codewords."""
    width = len(modules)
    version = (width - 17) // 4
    if width != 17 + 4 * version or not 1 <= version <= MAX_VERSION or level not in LEVELS:
        return None
    y, x = _path(version)
    bits = (modules[y, x] < 128) ^ (_MASKS[mask](y, x) == 0)
    return np.asarray(bits[_order(version, level)], np.bool_)


@cache
def _order(version: int, level: str) -> Places:
    """Which bits of the symbol are the data's, in their order: the blocks taken apart again (7.6)."""
    words = len(_path(version)[0]) // 8
    check = int(_CHECK[level].split()[version - 1])
    blocks = int(_BLOCKS[level].split()[version - 1])
    short = words // blocks - check
    longer = words % blocks  # so many of the last blocks hold one codeword more
    order: list[int] = []
    for block in range(blocks):
        order += range(block, short * blocks, blocks)
        if block >= blocks - longer:
            order.append(short * blocks + block - (blocks - longer))
    return np.asarray(np.add.outer(np.array(order) * 8, np.arange(8)).ravel(), np.int64)


def _read(bits: Bits, version: int) -> list[Segment] | None:
    """Mode and length of each segment; None for a mode that is not read here."""
    size_class = (version > 9) + (version > 26)
    found: list[Segment] = []
    at = 0
    while at + 4 <= len(bits) and (mode := _number(bits, at, 4)) != 0:
        at += 4
        if mode == 3:  # one of several symbols: which, of how many, and their parity
            at += 16
            continue
        if mode not in _COUNT_BITS:
            return None
        count = _number(bits, at, _COUNT_BITS[mode][size_class])
        at += _COUNT_BITS[mode][size_class]
        if mode == 1:
            length, content = count, 10 * (count // 3) + (0, 4, 7)[count % 3]
        elif mode == 2:
            length, content = count, 11 * (count // 2) + 6 * (count % 2)
        else:
            length, content = (2 * count, 13 * count) if mode == KANJI else (count, 8 * count)
        at += content
        if at > len(bits):
            return None
        found.append(Segment(mode == KANJI, length))
    return found


def _number(bits: Bits, at: int, count: int) -> int:
    """The ``count`` bits from ``at`` on as a number; what is beyond the end is 0."""
    value = 0
    for bit in bits[at : at + count].tolist():
        value = value << 1 | bit
    return value
