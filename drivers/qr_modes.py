"""In which modes a QR code's text stands (ISO/IEC 18004:2015, clause 7): which bytes are kanji.

A decoder gives a symbol's bytes; that some of them are kanji (Shift JIS by definition) and not bytes
of whatever kind stands in the symbol alone. The decoder has already proved the bytes (Reed-Solomon),
so here the modules are read as they were seen, and only mode and length of each segment are
taken from them: a reading whose lengths do not add up to the bytes that are known is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.vision import Gray

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
_MASKS = (
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
    width = len(modules)
    version = (width - 17) // 4
    if width != 17 + 4 * version or not 1 <= version <= MAX_VERSION or level not in LEVELS:
        return None
    black = modules < 128
    bits = [bool(black[y, x]) ^ (_MASKS[mask](y, x) == 0) for y, x in _path(version)]
    found: list[Segment] = []
    for segment in _read(_data(bits, version, level), version):
        if segment is None:
            return None
        found.append(segment)
    return found if sum(one.length for one in found) == size else None


def likely_kanji(modules: Gray, level: str, mask: int, text: bytes) -> bool:
    """Whether a symbol that is ``text`` and nothing else says it in kanji mode, not as bytes.

    For a symbol so smudged that :func:`segments` finds none: both ways to say the text are compared
    with the modules as they were seen. Three quarters of the bits have to agree; by chance it is half.
    """
    version = (len(modules) - 17) // 4
    values = _kanji_values(text)
    if values is None or len(modules) != 17 + 4 * version or not 1 <= version <= MAX_VERSION:
        return False
    black = modules < 128
    seen = [bool(black[y, x]) ^ (_MASKS[mask](y, x) == 0) for y, x in _path(version)]
    data = list(_data(seen, version, level))
    size_class = (version > 9) + (version > 26)
    agreed = []
    for mode, width, units in ((KANJI, 13, values), (BYTE, 8, list(text))):
        said = f"{mode:04b}{len(units):0{_COUNT_BITS[mode][size_class]}b}"
        said += "".join(f"{unit:0{width}b}" for unit in units)
        same = [bit == (letter == "1") for bit, letter in zip(data, said, strict=False)]
        agreed.append(sum(same) / len(said))
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


def _path(version: int) -> list[tuple[int, int]]:
    """The places of the data's modules, in the order of its bits (7.7.3)."""
    width = 17 + 4 * version
    taken = _taken(version)
    path = []
    upward = True
    for right in (*range(width - 1, 6, -2), *range(5, 0, -2)):
        rows = range(width - 1, -1, -1) if upward else range(width)
        path += [(y, x) for y in rows for x in (right, right - 1) if not taken[y, x]]
        upward = not upward
    return path


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


def _data(bits: list[bool], version: int, level: str) -> Iterator[bool]:
    """The data's bits without the check codewords, the blocks taken apart again (7.6)."""
    words = [bits[at : at + 8] for at in range(0, len(bits) - 7, 8)]
    check = int(_CHECK[level].split()[version - 1])
    blocks = int(_BLOCKS[level].split()[version - 1])
    short = len(words) // blocks - check
    longer = len(words) % blocks  # so many of the last blocks hold one codeword more
    for block in range(blocks):
        for at in range(short):
            yield from words[at * blocks + block]
        if block >= blocks - longer:
            yield from words[short * blocks + block - (blocks - longer)]


def _read(bits: Iterator[bool], version: int) -> Iterator[Segment | None]:
    """Mode and length of each segment; None for a mode that is not read here."""
    size_class = (version > 9) + (version > 26)
    while (mode := _number(bits, 4)) not in (0, None):
        if mode == 3:  # one of several symbols: which, of how many, and their parity
            _number(bits, 16)
            continue
        count = _number(bits, _COUNT_BITS[mode][size_class]) if mode in _COUNT_BITS else None
        if count is None:
            yield None
            return
        if mode == 1:
            length, content = count, 10 * (count // 3) + (0, 4, 7)[count % 3]
        elif mode == 2:
            length, content = count, 11 * (count // 2) + 6 * (count % 2)
        else:
            length, content = (2 * count, 13 * count) if mode == KANJI else (count, 8 * count)
        if _number(bits, content) is None:
            yield None
            return
        yield Segment(mode == KANJI, length)


def _number(bits: Iterator[bool], count: int) -> int | None:
    """The next bits as a number; None where fewer are left."""
    value = 0
    for _ in range(count):
        bit = next(bits, None)
        if bit is None:
            return None
        value = value << 1 | bit
    return value
