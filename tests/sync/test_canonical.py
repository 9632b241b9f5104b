"""Canonical JSON and the chain: golden vectors, and the properties every hash rests on."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core.canonical import MAX_DEPTH, MAX_INTEGER, NotCanonical, canonical, parse_canonical
from kiosk.core.chain import ZERO, digest, link, link_all, seal

# Texts worked out by hand from RFC 8785, section 3.2.2.2 (strings) and 3.2.3 (sorting).
GOLDEN = [
    ({}, b"{}"),
    ({"b": 1, "a": [True, False, None]}, b'{"a":[true,false,null],"b":1}'),
    ({"a_1": 0, "a1": -7, "a": 2**53, "_": -(2**53)},
     b'{"_":-9007199254740992,"a":9007199254740992,"a1":-7,"a_1":0}'),
    ("\x01\b\t\n\x0b\f\r\x1f\"\\/\x7f", b'"\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\x7f"'),
    ("ペット\u2028😀", '"ペット\u2028😀"'.encode()),
]  # fmt: skip

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z0-9_]{1,6}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(("value", "text"), GOLDEN)
def test_golden_texts_are_written_and_read_back(value: object, text: bytes) -> None:
    assert canonical(value) == text
    assert parse_canonical(text) == value


@settings(derandomize=True, max_examples=150, deadline=None)
@given(VALUES)
def test_what_is_written_is_read_back_and_any_json_reader_agrees(value: object) -> None:
    text = canonical(value)
    assert parse_canonical(text) == value
    assert json.loads(text) == value
    again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert text == again.encode()


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), 2**53 + 1, -(2**53) - 1, "a\0b", "\ud800", {"A": 1}, {"": 1}, {"a-b": 1},
     {"a\n": 1}, {"é": 1}, {1: 1}, b"x", {"a": [0.5]}],
)  # fmt: skip
def test_a_value_outside_the_subset_has_no_text(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


@pytest.mark.parametrize(
    "text",
    [b"", b" 1", b"1 ", b"[1, 2]", b'{"b":1,"a":2}', b'{"a":1,"a":1}', b"-0", b"1.0", b"1e2",
     b"01", b"9007199254740993", b'"\\u0041"', b'"\\/"', b'"\\u001F"', b'"\\u0000"', b'"\\ud800"',
     b'"\xff"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf1", b"NaN", b"{", b"[" * 100_000, b"9" * 10_000,
     b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), b'{"a":1}{"b":2}', b"1\n"],
)  # fmt: skip
def test_bytes_that_are_not_the_one_text_are_refused(text: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse_canonical(text)


def test_depth_up_to_the_bound_is_taken() -> None:
    text = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert canonical(parse_canonical(text)) == text


def test_the_chain_is_the_contracts_formula() -> None:
    body = canonical({"kind": "boot", "seq": 1})
    by_hand = hashlib.sha256(
        b"kiosk-ledger-v1" + bytes(32) + hashlib.sha256(body).digest()
    ).digest()
    assert link(ZERO, digest(body)) == by_hand
    assert link_all(ZERO, [digest(body), digest(body)]) == [by_hand, link(by_hand, digest(body))]
    assert by_hand.hex().startswith("2f01600115cbd821")


def test_a_seal_hides_the_pseudonym_behind_its_salt() -> None:
    salt, pseudonym = bytes(range(16)), bytes(16)
    assert seal(salt, pseudonym) == hashlib.sha256(salt + pseudonym).digest()
    with pytest.raises(ValueError, match="16 bytes"):
        seal(salt, b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        link(ZERO, b"short")
