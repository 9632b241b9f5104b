"""Codes that somebody else hands out, such as a library's card: taken where the settings describe them.

They identify and do not prove: whoever knows the number can print it. Check digits are not ours to check.

A pattern describes the whole code and can do little, so that no code makes a reader think for long:

============= ==============================================================================
``A``         itself: a letter, a digit, or any of ``space ! " # % & ' , / : ; < = > @ _ ` ~ -``
``\\.``        itself: a character that means something, after a backslash
``[0-9A-F]``  one of these characters and ranges; no ``[^…]``
``.``         any printable ASCII character
``\\d``        a digit
``{8}``       the one before, so often; ``{7,9}`` from 7 to 9 times; ``?`` is ``{0,1}``
============= ==============================================================================

There is no ``|``, no group and no endless repeat (two kinds of codes are two entries).

>>> library = Pattern("[0-9]{7}-?[A-D]")
>>> [library.matches(code) for code in (b"1234567-C", b"1234567C", b"1234567", b"x1234567C")]
[True, True, False, False]
"""

from __future__ import annotations

from dataclasses import dataclass

MIN_CHARS = 4
"""A shorter code tells no people apart."""
MAX_CHARS = 64
MAX_PATTERN = 100

_PRINTABLE = frozenset(range(0x20, 0x7F))
_DIGITS = frozenset(b"0123456789")
_SPECIAL = frozenset("\\[].{}?*+|()^$")


class PatternError(ValueError):
    """No pattern. ``code`` says what is wrong, ``at`` at which character (from 1)."""

    def __init__(self, code: str, at: int) -> None:
        super().__init__(f"{code} at character {at}")
        self.code = code
        self.at = at


@dataclass(frozen=True, slots=True)
class _Part:
    """From ``least`` to ``most`` characters, each one of ``chars``."""

    chars: frozenset[int]
    least: int = 1
    most: int = 1


class Pattern:
    """Matches whole codes in a time that depends on the lengths alone. Raises PatternError."""

    __slots__ = ("_parts", "max_chars", "min_chars")

    def __init__(self, text: str) -> None:
        self._parts = _Parser(text).parts()
        self.min_chars = sum(part.least for part in self._parts)
        self.max_chars = sum(part.most for part in self._parts)
        if self.min_chars < MIN_CHARS:
            raise PatternError("too_short", len(text))
        if self.max_chars > MAX_CHARS:
            raise PatternError("too_long", len(text))

    def matches(self, code: bytes) -> bool:
        if not self.min_chars <= len(code) <= self.max_chars:
            return False
        places = {0}
        """How much of the code the parts so far may have taken."""
        for part in self._parts:
            places = {end for start in places for end in _ends(part, code, start)}
        return len(code) in places


def _ends(part: _Part, code: bytes, start: int) -> range:
    taken = 0
    while taken < part.most and start + taken < len(code) and code[start + taken] in part.chars:
        taken += 1
    return range(start + part.least, start + taken + 1)


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > MAX_PATTERN:
            raise PatternError("too_long", MAX_PATTERN)
        self._text = text
        self._at = 0

    def parts(self) -> tuple[_Part, ...]:
        parts = []
        while self._at < len(self._text):
            chars = self._chars()
            parts.append(_Part(chars, *self._repeat()))
        return tuple(parts)

    def _fail(self, code: str) -> PatternError:
        return PatternError(code, self._at)

    def _next(self) -> str:
        """The next character; "" at the end."""
        char = self._text[self._at : self._at + 1]
        self._at += len(char)
        if char and ord(char) not in _PRINTABLE:
            raise self._fail("not_ascii")
        return char

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _chars(self) -> frozenset[int]:
        char = self._next()
        if char == ".":
            return _PRINTABLE
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escaped()
        if char in _SPECIAL:
            raise self._fail("not_known")
        return frozenset((ord(char),))

    def _escaped(self) -> frozenset[int]:
        char = self._next()
        if char == "d":
            return _DIGITS
        if not char or char.isalnum():
            raise self._fail("not_known")
        return frozenset((ord(char),))

    def _class(self) -> frozenset[int]:
        chars: set[int] = set()
        if self._peek() == "^":
            raise self._fail("not_known")
        while (char := self._next()) != "]":
            if char in ("", "["):
                raise self._fail("class")
            found = self._escaped() if char == "\\" else frozenset((ord(char),))
            if self._peek() == "-" and len(found) == 1 and self._text[self._at + 1 :][:1] != "]":
                found = self._range(min(found))
            chars |= found
        if not chars:
            raise self._fail("class")
        return frozenset(chars)

    def _range(self, first: int) -> frozenset[int]:
        self._next()
        char = self._next()
        if char in ("", "[", "\\") or ord(char) < first:
            raise self._fail("class")
        return frozenset(range(first, ord(char) + 1))

    def _repeat(self) -> tuple[int, int]:
        if self._peek() == "?":
            self._next()
            return 0, 1
        if self._peek() != "{":
            return 1, 1
        self._next()
        least = self._count()
        most = least
        end = self._next()
        if end == ",":
            most, end = self._count(), self._next()
        if end != "}" or not least <= most:
            raise self._fail("repeat")
        return least, most

    def _count(self) -> int:
        digits = ""
        while self._peek() and self._peek() in "0123456789" and len(digits) < 3:
            digits += self._next()
        if not digits:
            raise self._fail("repeat")
        return int(digits)
