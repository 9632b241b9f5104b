"""What the city says of its lists, and what is not taken for it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from list_site import CITY, CITY_KEY, OTHER_KEY, TODAY, CityList, card, cards

from sync.messages import MAX_PLAIN_BYTES, Malformed
from sync.messages.card_lists import (
    MAX_DELTA_RECORDS,
    PART_RECORDS,
    Delta,
    Word,
    encode_delta,
    read_delta,
    read_full,
    read_part,
)

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
KEY = CITY_KEY.public_key


def a_city() -> CityList:
    city = CityList()
    city.publish_full(cards(0, PART_RECORDS + 3))
    city.change(add=cards(90_000, 90_003), remove=[card(1)])
    return city


SENT = a_city().retained


def test_the_signed_texts_are_the_contracts() -> None:
    full, delta = json.loads(SENT["closed/full"]), json.loads(SENT["closed/delta"])
    parts = [base64.b64decode(json.loads(SENT[f"closed/full/{n}"])["records"]) for n in (0, 1)]
    assert full["parts"] == [hashlib.sha256(part).hexdigest() for part in parts]
    said = f"kiosk-list-full-v1\n{CITY}\nclosed\n1\n1\n{TODAY}\n6003\n{','.join(full['parts'])}"
    assert base64.b64decode(full["sig"]) == CITY_KEY.sign(said.encode())
    said = f"kiosk-list-delta-v1\n{CITY}\nclosed\n1\n2\n1\n{TODAY}\n{delta['added']}\n{delta['removed']}"
    assert base64.b64decode(delta["sig"]) == CITY_KEY.sign(said.encode())
    assert base64.b64decode(delta["removed"]) == card(1)


def test_what_was_sent_is_what_is_read() -> None:
    full = read_full(SENT["closed/full"], CITY, "closed", KEY)
    assert (full.count, len(full.parts), full.word) == (PART_RECORDS + 3, 2, Word(1, 1, TODAY))
    records = b"".join(read_part(SENT[f"closed/full/{n}"], full).records for n in (0, 1))
    assert records == b"".join(sorted(cards(0, PART_RECORDS + 3)))
    delta = read_delta(SENT["closed/delta"], CITY, "closed", KEY)
    assert (delta.base, delta.added, delta.removed) == (1, cards(90_000, 90_003), cards(1, 2))


def test_a_word_on_one_list_is_none_on_the_other_nor_of_another_city_or_key() -> None:
    for city, name, key in (
        ("other", "closed", KEY),
        (CITY, "allowed", KEY),
        (CITY, "closed", OTHER_KEY.public_key),
    ):
        with pytest.raises(Malformed) as caught:
            read_full(SENT["closed/full"], city, name, key)  # type: ignore[arg-type]
        assert caught.value.code == "bad_signature"
        with pytest.raises(Malformed) as caught:
            read_delta(SENT["closed/delta"], city, name, key)  # type: ignore[arg-type]
        assert caught.value.code == "bad_signature"


CHANGES: list[tuple[str, dict[str, Any], str]] = [
    ("full", {"count": 6004}, "bad_signature"),
    ("full", {"count": 0}, "shape"),
    ("full", {"parts": []}, "shape"),
    ("full", {"version": 2}, "bad_signature"),
    ("full", {"day": TODAY + 1}, "bad_signature"),
    ("full", {"epoch": 2}, "bad_signature"),
    ("full", {"more": 1}, "shape"),
    ("full", {"parts": ["AB" * 32, "00" * 32]}, "shape"),
    ("delta", {"base": 2}, "bad_signature"),
    ("delta", {"added": ""}, "bad_signature"),
    ("delta", {"added": "x"}, "shape"),
    ("delta", {"removed": base64.b64encode(card(2)).decode()}, "bad_signature"),
    ("delta", {"version": 0}, "shape"),
]


@pytest.mark.parametrize(("which", "change", "code"), CHANGES)
def test_a_changed_word_is_refused(which: str, change: dict[str, Any], code: str) -> None:
    wire = json.dumps(json.loads(SENT[f"closed/{which}"]) | change).encode()
    with pytest.raises(Malformed) as caught:
        if which == "full":
            read_full(wire, CITY, "closed", KEY)
        else:
            read_delta(wire, CITY, "closed", KEY)
    assert caught.value.code == code


def test_a_part_that_was_tampered_with_is_refused_as_is_one_in_anothers_place() -> None:
    full = read_full(SENT["closed/full"], CITY, "closed", KEY)
    part = json.loads(SENT["closed/full/0"])
    records = bytearray(base64.b64decode(part["records"]))
    records[5] ^= 1
    for change in (
        {"records": base64.b64encode(records).decode()},
        {"records": base64.b64encode(records[:-16]).decode()},
        {"part": 1},
        {"part": 2},
    ):
        with pytest.raises(Malformed) as caught:
            read_part(json.dumps(part | change).encode(), full)
        assert caught.value.code == "digest"


def test_what_the_city_signs_in_error_is_refused_too() -> None:
    """Out of order, or on the list and off it at once."""
    both = Delta(Word(1, 2, TODAY), 1, cards(0, 2), cards(1, 3))
    ahead = Delta(Word(1, 2, TODAY), 3, cards(0, 2), frozenset())
    for delta in (both, ahead):
        with pytest.raises(Malformed) as caught:
            read_delta(encode_delta(CITY, "closed", delta, CITY_KEY), CITY, "closed", KEY)
        assert caught.value.code == "records"
    with pytest.raises(ValueError, match="5000"):
        big = Delta(Word(1, 2, TODAY), 1, cards(0, MAX_DELTA_RECORDS + 1), frozenset())
        encode_delta(CITY, "closed", big, CITY_KEY)


def test_the_largest_messages_are_within_128_kib() -> None:
    city = CityList()
    city.publish_full(cards(0, PART_RECORDS))
    assert len(city.retained["closed/full/0"]) <= MAX_PLAIN_BYTES
    big = Delta(Word(1, 2, TODAY), 1, cards(0, MAX_DELTA_RECORDS), frozenset())
    assert len(encode_delta(CITY, "closed", big, CITY_KEY)) <= MAX_PLAIN_BYTES


def readers(data: bytes) -> None:
    full = read_full(SENT["closed/full"], CITY, "closed", KEY)
    for read in (
        lambda: read_full(data, CITY, "closed", KEY),
        lambda: read_delta(data, CITY, "closed", KEY),
        lambda: read_part(data, full),
    ):
        with pytest.raises(Malformed):
            read()


@settings(max_examples=100 * SIZE, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_malformed_and_nothing_else(data: bytes) -> None:
    readers(data)


@settings(max_examples=60 * SIZE, deadline=None)
@given(st.sampled_from(sorted(SENT)), st.data())
def test_a_message_with_one_byte_changed_is_refused_or_says_the_same(
    topic: str, data: st.DataObject
) -> None:
    sent = SENT[topic]
    at = data.draw(st.integers(0, len(sent) - 1))
    changed = bytearray(sent)
    changed[at] ^= data.draw(st.integers(1, 255))
    full = read_full(SENT["closed/full"], CITY, "closed", KEY)
    try:
        if topic == "closed/full":
            assert read_full(bytes(changed), CITY, "closed", KEY) == full
        elif topic == "closed/delta":
            told = read_delta(SENT[topic], CITY, "closed", KEY)
            assert read_delta(bytes(changed), CITY, "closed", KEY) == told
        else:
            # A part's own epoch and version are for people: its digest alone makes it count.
            assert read_part(bytes(changed), full) == read_part(sent, full)
    except Malformed:
        pass
