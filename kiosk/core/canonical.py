"""Canonical JSON: one value, one text, so that a hash over the text is a hash over the value.

Invariant: ``parse_canonical(canonical(v)) == v``, and of all texts that mean ``v`` only
``canonical(v)`` is taken by ``parse_canonical``.

The contract's subset of JSON: objects with keys ``[a-z0-9_]+``, arrays, strings without U+0000,
integers within +-2^53, true, false, null; keys sorted, no white space, UTF-8. On this subset the
text equals RFC 8785 (JCS): ASCII keys sort alike by UTF-16 unit and by byte (3.2.3), integers up to
2^53 print alike in ECMAScript (3.2.2.3), and strings escape only ``"``, ``\\`` and the controls
below U+0020, with the short forms and lower-case ``\\u00xx`` (3.2.2.2), which is what msgspec
writes. There are no floats: two languages print one float in two ways.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

MAX_INTEGER = 2**53
"""Integers beyond this are not exact in every JSON reader."""
MAX_DEPTH = 16
"""Arrays and objects inside one another; an entry needs 4, a recovered one 6."""

Json = Any
"""A value of the subset: ``dict[str, Json]``, ``list[Json]`` (or a tuple), str, int, bool or None."""

_KEY = re.compile(r"[a-z0-9_]+")
_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder()


class NotCanonical(ValueError):
    """The value has no canonical text, or the bytes are not one. The message holds no data."""


def canonical(value: Json) -> bytes:
    """The one text of ``value``; raises NotCanonical when it lies outside the subset."""
    _check(value, 0)
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        raise NotCanonical("a string holds a lone surrogate") from None


def parse_canonical(data: bytes) -> Json:
    """The value of exactly canonical bytes; raises NotCanonical for any others.

    Other texts of the same value (white space, key order, escapes, ``-0``, a key twice) are
    refused, because they would carry another hash.
    """
    try:
        value = _DECODER.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise NotCanonical("not JSON in UTF-8") from None
    if canonical(value) != data:
        raise NotCanonical("JSON, but not in its canonical form")
    return value


def _check(value: Json, depth: int) -> None:
    # Exact types: a subclass (IntEnum, a str with its own rules) might encode differently.
    kind = type(value)
    if kind is str:
        if "\0" in value:
            raise NotCanonical("a string holds U+0000")
    elif kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise NotCanonical("an integer is beyond 2^53")
    elif kind is dict or kind is list or kind is tuple:
        if depth == MAX_DEPTH:
            raise NotCanonical(f"more than {MAX_DEPTH} levels")
        if kind is not dict:
            for item in value:
                _check(item, depth + 1)
            return
        for key, item in value.items():
            if type(key) is not str or _KEY.fullmatch(key) is None:
                raise NotCanonical("a key is not of [a-z0-9_]+")
            _check(item, depth + 1)
    elif kind is not bool and value is not None:
        raise NotCanonical(f"no place for a {kind.__name__}")
