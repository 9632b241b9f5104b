"""Bodies read many at a time mean what each of them means alone, read the slow way."""

from __future__ import annotations

import os
import random
from typing import Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync_site import Book

from kiosk.core.canonical import NotCanonical, canonical, parse_canonical
from kiosk.core.entries import AnyDraft
from sync.messages import Malformed, decode_batch
from sync.messages.bodies import KNOWN, Known, read_bodies
from sync.receiver.projections import Rows

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))

AT = {"boot": "b0" * 16, "boot_ms": 5, "utc_ms": 1, "clock": "synced"}
TEXTS = st.sampled_from(
    [
        "b1",
        "ペット",
        "",
        'a"b',
        "\\u0000",
        "\x7f",
        "a/b",
        "\x1f",
        "😀",
        "び ん",
        "b" * 33,
        "estimate",
    ]
)
NUMBERS = st.integers(-3, 3) | st.sampled_from([2**53, -(2**53), 2**53 + 1, 2**63, 2**64, -(2**70)])
ODD = st.one_of(
    st.none(), st.booleans(), NUMBERS, TEXTS, st.just([]), st.just({"a": 1}), st.just(1.5)
)


def plain(value: Any) -> Any:
    """A read body as plain JSON has it."""
    if not isinstance(value, Known):
        return value
    return {"kind": value.kind, **msgspec.to_builtins(value)}


def read_slowly(text: bytes) -> Any:
    try:
        return parse_canonical(text)
    except NotCanonical:
        return "refused"


def read_alone(text: bytes) -> Any:
    try:
        return read_bodies([text])[0]
    except NotCanonical:
        return "refused"


def rows(value: Any) -> Rows:
    made = Rows()
    made.add_all("a1" * 16, 7, [value])
    return made


def body(kind: str, chosen: random.Random) -> dict[str, Any]:
    """A body as a station writes it, of any kind."""
    (draft,) = (each for each in get_args(AnyDraft) if each.__struct_config__.tag == kind)
    value: dict[str, Any] = {"seq": 7, "kind": kind, "at": dict(AT)}
    for field in msgspec.structs.fields(draft):
        if field.required or chosen.random() < 0.5:
            value[field.name] = _sample(field.type, chosen)
    return value


def _sample(kind: Any, chosen: random.Random) -> Any:
    options = [each for each in get_args(kind) if not isinstance(each, msgspec.Meta)]
    match kind:
        case _ if kind is int:
            return chosen.choice([0, 1, -5, 2**53])
        case _ if kind is bool:
            return chosen.random() < 0.5
        case _ if kind is str:
            return chosen.choice(["b1", "pet-bottle", "ペット"])
        case _ if kind is type(None):
            return None
        case _ if get_origin(kind) is tuple:
            return [_sample(options[0], chosen) for _ in range(chosen.randrange(3))]
        case _ if isinstance(kind, type) or kind in (dict, list) or not options:
            return {}
    picked = chosen.choice(options)
    return picked if isinstance(picked, str | int) else _sample(picked, chosen)


KINDS = sorted(each.__struct_config__.tag for each in get_args(AnyDraft))


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_each_kind_is_read_alike_both_ways(kind: str) -> None:
    chosen = random.Random(kind)
    for _ in range(20 * SIZE):
        text = canonical(body(kind, chosen))
        value = read_alone(text)
        assert plain(value) == parse_canonical(text)
        assert rows(value) == rows(parse_canonical(text))


def test_what_a_station_writes_of_known_kinds_is_read_the_fast_way() -> None:
    chosen = random.Random(1)
    for kind in KNOWN:
        assert any(
            isinstance(read_alone(canonical(body(kind, chosen))), Known) for _ in range(20)
        ), kind


@settings(derandomize=True, max_examples=250 * SIZE, deadline=None)
@given(
    st.sampled_from(KINDS), st.integers(0, 9),
    st.dictionaries(
        st.sampled_from(["bin", "item", "seq", "at", "net_g", "visit", "kind", "extra", "A", "ml"]),
        ODD, max_size=2,
    ),
    st.sets(st.sampled_from(["bin", "at", "seq", "mode", "points", "visit", "kind"]), max_size=1),
)  # fmt: skip
def test_bodies_of_other_shapes_mean_the_same_both_ways(
    kind: str, seed: int, changes: dict[str, Any], without: set[str]
) -> None:
    value = body(kind, random.Random(seed)) | changes
    text = msgspec.json.encode({k: v for k, v in value.items() if k not in without}, order="sorted")
    slow, fast = read_slowly(text), read_alone(text)
    assert plain(fast) == slow
    if isinstance(slow, dict):
        assert rows(fast) == rows(slow)


WHOLE = canonical(body("weighing", random.Random(3)) | {"item": "ペット \\u0000"})


@settings(derandomize=True, max_examples=400 * SIZE, deadline=None)
@given(
    st.integers(0, len(WHOLE) - 1),
    st.sampled_from([b"", b" ", b"\0", b"\\u0000", b"-0", b"1.0", b"1e3", b"\xff", b"\\", b'"', b"}",
                     b"\xed\xa0\x80", b"\\ud800", b",", b'"seq":7,', b"\n", b"9007199254740993"])
    | st.binary(max_size=2),
    st.integers(0, 3),
)  # fmt: skip
def test_a_damaged_body_is_refused_or_read_alike_both_ways_and_among_others(
    place: int, noise: bytes, length: int
) -> None:
    text = WHOLE[:place] + noise + WHOLE[place + length :]
    slow, fast = read_slowly(text), read_alone(text)
    assert plain(fast) == slow
    try:
        among = read_bodies([WHOLE, text, WHOLE])
    except NotCanonical:
        assert slow == "refused"
    else:
        assert [plain(each) for each in among] == [
            parse_canonical(WHOLE),
            slow,
            parse_canonical(WHOLE),
        ]


def test_an_odd_body_among_many_keeps_its_place_and_the_others_theirs() -> None:
    book = Book()
    book.weigh(3)
    book.add("weather", sky="rain")
    book.weigh(2)
    book.rows[3] = (None, book.rows[3][1])
    batch = book.decoded()
    assert batch.kinds == [
        "genesis",
        "weighing",
        "weighing",
        None,
        "weather",
        "weighing",
        "weighing",
    ]
    assert [value is None for value in batch.values] == [n == 3 for n in range(7)]
    assert batch.hashes == book.hashes[1:]


@pytest.mark.parametrize(
    "digest", [b'"digest":1', b'"digest":"ab"', b'"digest":"' + b"G" * 64 + b'"']
)
def test_what_stands_for_a_thinned_body_is_a_digest_or_the_batch_is_malformed(
    digest: bytes,
) -> None:
    book = Book()
    book.weigh(2)
    sent = book.batch(0)
    text, _ = book.rows[1]
    assert text is not None
    with pytest.raises(Malformed) as caught:
        decode_batch(sent.replace(text, b"{%b}" % digest))
    assert caught.value.code == "body"
