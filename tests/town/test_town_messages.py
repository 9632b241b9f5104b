"""Catalogue and tariff on the wire: what the city signed is what is read, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import os

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from town_site import CITY, ITEMS, KEY, NOON, OTHER, items, message, tariff, word

from kiosk.core.canonical import canonical
from kiosk.core.catalogue import Factor
from sync.messages import MAX_PLAIN_BYTES, Malformed, deflate
from sync.messages.town import Kind, TownWord, content_of, encode, read, sign, table_of

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
RATES = tariff(4, mode="kg", per_kg={"pet-bottle": 10, "can-alu": 30})
SENT: dict[Kind, bytes] = {"catalogue": message(word(ITEMS)), "tariff": message(word(RATES))}


def refusal(kind: Kind, data: bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        read(kind, data, CITY, KEY.public_key)
    return caught.value


def test_the_signed_text_is_the_contracts() -> None:
    (wire,) = json.loads(SENT["tariff"])["words"]
    digest = hashlib.sha256(canonical(wire["content"])).hexdigest()
    said = f"kiosk-tariff-v1\n{CITY}\n4\n{NOON}\n{wire['signed_ms']}\n{digest}"
    assert base64.b64decode(wire["sig"]) == KEY.sign(said.encode())


def test_the_usual_catalogue_travels_whole_and_small() -> None:
    (read_word,) = read("catalogue", SENT["catalogue"], CITY, KEY.public_key)
    assert table_of("catalogue", ITEMS.version, read_word.content) == ITEMS
    assert len(deflate(SENT["catalogue"])[1]) < 6_000
    (read_word,) = read("tariff", SENT["tariff"], CITY, KEY.public_key)
    assert table_of("tariff", 4, read_word.content) == RATES


def test_a_word_is_of_its_kind_its_city_and_its_key() -> None:
    for kind, data, code in (
        ("tariff", SENT["catalogue"], "bad_signature"),
        ("catalogue", message(word(ITEMS, key=OTHER)), "bad_signature"),
        ("catalogue", message(word(ITEMS, city="other"), city="other"), "city"),
        ("catalogue", message(word(ITEMS, city="other")), "bad_signature"),
        ("catalogue", b"", "shape"),
        ("catalogue", b" " * (MAX_PLAIN_BYTES + 1), "too_large"),
        ("tariff", message(word(tariff(5)), word(tariff(4))), "shape"),
    ):
        assert refusal(kind, data).code == code  # type: ignore[arg-type]


def signed(content: object) -> bytes:
    return message(sign("catalogue", CITY, 1, NOON, NOON, canonical(content), KEY))


def test_a_signed_catalogue_that_means_nothing_is_refused_with_its_place() -> None:
    """Even the city's own mistakes: an older receiver, or another program, may have signed it."""
    content = json.loads(content_of(ITEMS))
    for place, change in (
        ("$.items[0]", lambda item: item.pop("ja")),
        ("bag_limit_g", lambda item: item.update(bag_limit_g=1)),
        ("factor.grade", lambda item: item["factor"].update(grade="D", value="1.5")),
        ("short_ja[0]", lambda item: item.update(short_ja=["長すぎる短い名前です", "か"])),
        ("factor.value", lambda item: item["factor"].update(value="1e5")),
        ("more", lambda item: item.update(more=1)),
    ):
        first = json.loads(json.dumps(content["items"][0]))
        change(first)
        told = refusal("catalogue", signed({"items": [first, *content["items"][1:]]}))
        assert told.code == "content" and place in f"{told}", f"{told}"
    for listed in (content["items"][::-1], content["items"][:1] * 2, []):
        assert refusal("catalogue", signed({"items": listed})).code == "content"
    spaced = content_of(ITEMS).replace(b'":', b'": ', 1)
    assert refusal("catalogue", message(sign("catalogue", CITY, 1, 0, 0, spaced, KEY))).code in (
        "content", "shape",
    )  # fmt: skip


@pytest.mark.parametrize("value", [0.1, 2.9, 100.0, 1e-6, 33.333333])
def test_a_co2_value_comes_back_as_the_same_number(value: float) -> None:
    item = msgspec.structs.replace(
        ITEMS.items["can-alu"],
        factor=Factor(grade="A", source="x", boundary="y", value=value),
    )
    table = msgspec.structs.replace(ITEMS, items={"can-alu": item})
    assert table_of("catalogue", table.version, content_of(table)) == table


def test_a_catalogue_of_before_there_were_sources_for_residents_keeps_its_digest() -> None:
    item = msgspec.structs.replace(ITEMS.items["can-alu"], factor=Factor(grade="D", source="None"))
    table = msgspec.structs.replace(ITEMS, items={"can-alu": item})
    factor = (
        b'{"boundary":null,"grade":"D","source":"None","unit":"kg-co2/kg","value":null,"year":null}'
    )
    assert b'"factor":' + factor in content_of(table)


def test_a_value_with_more_digits_than_the_wire_takes_is_not_signed() -> None:
    item = msgspec.structs.replace(
        ITEMS.items["can-alu"],
        factor=Factor(grade="A", source="x", boundary="y", value=1e-7),
    )
    with pytest.raises(Malformed) as caught:
        content_of(msgspec.structs.replace(ITEMS, items={"can-alu": item}))
    assert "value" in f"{caught.value}"


def test_more_than_a_message_is_not_sent() -> None:
    words = [word(items(n)) for n in range(1, 9)]
    with pytest.raises(Malformed) as caught:
        encode(CITY, words)
    assert caught.value.code == "too_large"


@settings(derandomize=True, max_examples=300 * SIZE, deadline=None)
@given(st.data(), st.sampled_from(["set", "cut", "add"]), st.integers(0, 255))
def test_a_damaged_message_is_never_taken_for_another(
    data: st.DataObject, how: str, byte: int
) -> None:
    sent = SENT["tariff"]
    place = data.draw(st.integers(0, len(sent) - 1))
    end = place if how == "add" else place + 1
    damaged = sent[:place] + (b"" if how == "cut" else bytes([byte])) + sent[end:]
    try:
        found = read("tariff", damaged, CITY, KEY.public_key)
    except Malformed:
        return
    assert found == read("tariff", sent, CITY, KEY.public_key)  # white space of the envelope


@settings(derandomize=True, max_examples=100 * SIZE, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_malformed(noise: bytes) -> None:
    for kind in SENT:
        refusal(kind, noise)


def test_words_keep_their_place_and_their_bytes() -> None:
    words: list[TownWord] = [word(tariff(n), NOON + n) for n in range(1, 6)]
    assert read("tariff", message(*words), CITY, KEY.public_key) == words
