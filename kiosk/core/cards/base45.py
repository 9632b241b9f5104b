"""base45 (RFC 9285): bytes in the 45 characters of QR's alphanumeric set.

>>> encode(b"Hello!!"), decode(b"%69 VD92EX0")
(b'%69 VD92EX0', b'Hello!!')
"""

from __future__ import annotations

ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {char: value for value, char in enumerate(ALPHABET)}


def encode(data: bytes) -> bytes:
    """Two bytes become three characters, a last single byte two."""
    out = bytearray()
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            value, digit = divmod(value, 45)
            out.append(ALPHABET[digit])
    return bytes(out)


def decode(text: bytes) -> bytes:
    """The bytes that :func:`encode` made ``text`` of; one text only for each. Raises
    ValueError for every other text, without repeating it."""
    if len(text) % 3 == 1:
        raise ValueError("base45 has no such length")
    out = bytearray()
    for at in range(0, len(text), 3):
        group = text[at : at + 3]
        value = 0
        for char in reversed(group):
            digit = _VALUES.get(char)
            if digit is None:
                raise ValueError("a character that is not base45")
            value = value * 45 + digit
        size = len(group) - 1
        if value >= 1 << (8 * size):
            raise ValueError("a base45 group is out of range")
        out += value.to_bytes(size, "big")
    return bytes(out)
