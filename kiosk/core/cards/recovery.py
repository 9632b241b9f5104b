"""The recovery code: what a resident keeps at home, so that a lost card's points follow without a name.

25 characters of Crockford's base32 (``0-9 A-Z`` without ``I L O U``), printed in five groups of five on the
slip that is torn off beside the card, and as a QR code there. Nothing is stored for it:

========== ========= =================================================================================
characters bits      field
========== ========= =================================================================================
1 to 16    80        the card's random id
17 to 24   40        tag: first 5 bytes of HMAC-SHA256(key, ``kiosk-recovery-v1`` NUL kind id), where
                     ``kind`` is one byte: 0x20 for a household's card, else 0, as in the card's token;
                     the key is the card's own, for signed cards (version 2) the pseudonym key
25         5         check character over the 24 before it
========== ========= =================================================================================

The tag has a domain of its own: whoever has a card, or a photograph of it, cannot make its code. 40 bits
are enough because only a station can say whether a guess is right. The check character is the sum of
``x^(i+1) * c_i`` in GF(32) with x^5 = x^2 + 1: it finds every single wrong character and every two that
changed places.

Test vectors (key 00..1f, 32 bytes):

>>> key = bytes(range(32))
>>> code(bytes(range(10)), key)
'000G40R40M30E209ZARY09T4W'
>>> grouped(code(bytes(range(9)) + b"\\x02", key, household=True))
'000G4-0R40M-30E20-2ZWBB-160MY'
>>> parse("O00g4-0r40m-30e20-9zary-09t4w", [key]) == Recovered(bytes(range(10)))
True
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from kiosk.core.cards.token import HOUSEHOLD, KEY_BYTES, RANDOM_BYTES, account_id
from kiosk.core.errors import OperatorError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHARS, GROUP_CHARS = 25, 5
TAG_BYTES = 5
MAX_TYPED_CHARS = 200

_DOMAIN = b"kiosk-recovery-v1\0"
_VALUES = {char: value for value, char in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_BETWEEN = frozenset(" \t-‐‑‒–—―−ー_.,:・、。")
"""What people and Japanese keyboards put between groups."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """Whose code it is."""

    random_id: bytes = field(repr=False)
    household: bool = False

    @property
    def account_id(self) -> bytes:
        return account_id(self.random_id, household=self.household)


def code(random_id: bytes, key: bytes, *, household: bool = False) -> str:
    """The 25 characters of a card's code. Raises ValueError for an id or key of another size."""
    if len(random_id) != RANDOM_BYTES or len(key) != KEY_BYTES:
        raise ValueError(
            f"a code is made of an id of {RANDOM_BYTES} and a key of {KEY_BYTES} bytes"
        )
    bits = int.from_bytes(random_id + _tag(random_id, key, household=household), "big")
    values = [bits >> (5 * place) & 31 for place in reversed(range(CHARS - 1))]
    return "".join(ALPHABET[value] for value in (*values, _check(values)))


def grouped(text: str) -> str:
    """As it is printed, a code or a line of one."""
    groups = [text[at : at + GROUP_CHARS] for at in range(0, len(text), GROUP_CHARS)]
    return "-".join(groups)


def parse(typed: str, keys: Iterable[bytes]) -> Recovered:
    """Whose code was typed: groups, spaces, small and full-width letters, O for 0, I for 1 are all one.

    Raises OperatorError, which never repeats what was typed: ``recovery_length``,
    ``recovery_character``, ``recovery_mistyped`` (the check character), ``recovery_forged``.
    """
    bits = 0
    for value in typed_values(typed)[:-1]:
        bits = bits << 5 | value
    raw = bits.to_bytes(RANDOM_BYTES + TAG_BYTES, "big")
    random_id, tag = raw[:RANDOM_BYTES], raw[RANDOM_BYTES:]
    for key in keys:
        for household in (False, True):
            if hmac.compare_digest(tag, _tag(random_id, key, household=household)):
                return Recovered(random_id, household)
    raise OperatorError(
        "recovery_forged",
        "This is no recovery code of this town's cards.",
        "Compare it with the slip. A slip of another town cannot be used here.",
    )


def typed_values(typed: str) -> list[int]:
    """The characters' values, all 25 of them, as far as can be judged without a key. Raises as
    ``parse``, but for ``recovery_forged``."""
    text = unicodedata.normalize("NFKC", typed[:MAX_TYPED_CHARS]).upper()
    letters = [char for char in text if char not in _BETWEEN]
    for place, char in enumerate(letters):
        if char not in _VALUES:
            group, inside = divmod(place, GROUP_CHARS)
            raise OperatorError(
                "recovery_character",
                f"Group {group + 1} has a character in place {inside + 1} that no recovery code has.",
                "A code is made of digits and of letters without I, L, O and U.",
                group=group + 1,
                place=inside + 1,
            )
    if len(letters) != CHARS:
        raise OperatorError(
            "recovery_length",
            f"A recovery code has {CHARS} characters, this one {len(letters)}.",
            "Type all five groups of five.",
            count=len(letters),
            chars=CHARS,
        )
    values = [_VALUES[char] for char in letters]
    if _check(values[:-1]) != values[-1]:
        raise OperatorError(
            "recovery_mistyped",
            "The recovery code has a wrong character, or two that changed places.",
            "Compare it with the slip, group by group.",
        )
    return values


def _check(values: list[int]) -> int:
    """Horner's scheme: each step multiplies by x, the last one too."""
    total = 0
    for value in reversed(values):
        total = _times_x(total ^ value)
    return total


def _times_x(value: int) -> int:
    value <<= 1
    return value ^ 0b100101 if value & 32 else value


def _tag(random_id: bytes, key: bytes, *, household: bool) -> bytes:
    message = _DOMAIN + bytes((HOUSEHOLD if household else 0,)) + random_id
    return hmac.digest(key, message, hashlib.sha256)[:TAG_BYTES]
