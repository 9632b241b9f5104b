"""Batches and acknowledgements: what proves itself is taken, and nothing else."""

from __future__ import annotations

import base64
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync_site import CITY_KEY, STATION_KEY, Book

from kiosk.core import chain
from sync.messages import (
    CONTENT_ZLIB,
    MAX_PLAIN_BYTES,
    Ack,
    AckError,
    Malformed,
    decode_batch,
    deflate,
    encode_ack,
    inflate,
    room_for,
    verify_ack,
    verify_batch,
)
from sync.messages.batch import FRAME_BYTES
from sync.signing import Signer

OTHER_KEY = Signer(b"some-other-key-of-the-tests-32-b")


def a_book() -> Book:
    book = Book()
    book.check_in(b"p")
    book.weigh(2)
    return book


SENT = a_book().batch(0)


def test_a_batch_carries_the_bodies_verbatim_and_proves_them() -> None:
    book = a_book()
    batch = decode_batch(SENT)
    assert [bytes(body) for body in batch.bodies] == [body for body, _ in book.rows]
    assert (batch.first, batch.last, batch.head) == (1, 4, book.hashes[-1])
    assert verify_batch(batch, STATION_KEY.public_key)
    assert not verify_batch(batch, OTHER_KEY.public_key)
    for body, _ in book.rows:
        assert body is not None
        assert body in SENT


def test_the_signed_texts_are_the_contracts() -> None:
    wire = json.loads(SENT)
    text = f"kiosk-batch-v1\n{wire['ledger']}\n{wire['last']}\n{wire['head']}"
    assert STATION_KEY.sign(text.encode()).hex() == decode_batch(SENT).signature.hex()
    ack = Ack("a1" * 16, 3, 4, b"\x07" * 32, AckError("gap", 5))
    told = json.loads(encode_ack(ack, CITY_KEY))
    assert told.keys() == {"ledger", "epoch", "seq", "head", "error", "sig"}
    by_hand = f"kiosk-ack-v1\n{'a1' * 16}\n3\n4\n{'07' * 32}\ngap\n5"
    assert verify_ack(encode_ack(ack, CITY_KEY), CITY_KEY.public_key) == ack
    assert told["sig"] == base64.b64encode(CITY_KEY.sign(by_hand.encode())).decode()


def test_a_thinned_body_travels_as_its_digest_and_the_chain_holds() -> None:
    book = a_book()
    body, digest = book.rows[2]
    assert body is not None
    book.rows[2] = (None, digest)
    batch = book.decoded()
    assert batch.bodies[2] is None
    assert batch.head == chain.link_all(chain.ZERO, [digest for _, digest in book.rows])[-1]
    assert verify_batch(batch, STATION_KEY.public_key)


def test_entries_in_another_order_or_with_another_byte_are_refused() -> None:
    for before, after in [
        (b'"net_g":100', b'"net_g":900'),
        (b'"seq":3', b'"seq":4'),
        (b'"prev":"00', b'"prev":"01'),
        (b'"first":1', b'"first":2'),
        (b'{"adjustment":1,', b'{ "adjustment":1,'),
        (b'"bag":"bag-1"', b'"bag":"bag\\u002d1"'),
    ]:
        assert before in SENT
        with pytest.raises(Malformed):
            decode_batch(SENT.replace(before, after))


def test_a_seal_that_its_salt_does_not_open_is_refused() -> None:
    salt = json.loads(SENT)["seals"][0]["salt"].encode()
    with pytest.raises(Malformed) as caught:
        decode_batch(SENT.replace(salt, b"ff" * 16))
    assert caught.value.code == "seal"


def test_a_seal_may_be_forgotten_before_it_is_sent() -> None:
    book = a_book()
    book.seals.clear()
    assert verify_batch(book.decoded(), STATION_KEY.public_key)


def test_unseals_are_signed_apart_and_for_one_place() -> None:
    book = a_book()
    sent = book.batch(0, unseal=(2,))
    assert verify_batch(decode_batch(sent), STATION_KEY.public_key)
    forged = sent.replace(b'"seqs":[2]', b'"seqs":[3]')
    assert forged != sent
    assert not verify_batch(decode_batch(forged), STATION_KEY.public_key)


def test_the_room_that_is_reckoned_is_never_too_small() -> None:
    book = a_book()
    for _ in range(30):
        book.check_in(b"q")
    reckoned = FRAME_BYTES + sum(
        room_for(body, sealed=seq in book.seals) for seq, (body, _) in enumerate(book.rows, 1)
    )
    assert len(book.batch(0)) <= reckoned


def test_our_own_breach_of_the_bounds_is_our_mistake() -> None:
    book = Book()
    book.weigh(1000)
    with pytest.raises(ValueError, match="breaks the bounds"):
        book.batch(0)


def test_a_bomb_is_not_inflated_beyond_the_bound() -> None:
    with pytest.raises(Malformed) as caught:
        inflate(CONTENT_ZLIB, zlib.compress(bytes(50 * 1024 * 1024)))
    assert caught.value.code == "too_large"
    for payload in (b"", b"no zlib", zlib.compress(b"{}")[:-1], zlib.compress(b"{}") + b"x"):
        with pytest.raises(Malformed):
            inflate(CONTENT_ZLIB, payload)
    with pytest.raises(Malformed):
        inflate("text/html", b"{}")
    with pytest.raises(Malformed):
        inflate(None, bytes(MAX_PLAIN_BYTES + 1))


def test_compressed_and_plain_mean_the_same() -> None:
    assert inflate(*deflate(SENT)) == SENT
    assert deflate(b"{}") == ("application/json", b"{}")


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.integers(0, len(SENT) - 1), st.integers(0, 255), st.sampled_from(["set", "cut", "add"]))
def test_a_damaged_batch_is_never_taken_for_another(place: int, byte: int, how: str) -> None:
    end = place if how == "add" else place + 1
    damaged = SENT[:place] + (b"" if how == "cut" else bytes([byte])) + SENT[end:]
    try:
        batch = decode_batch(damaged)
    except Malformed:
        return
    if verify_batch(batch, STATION_KEY.public_key):
        assert batch == decode_batch(SENT)  # white space between the fields of the envelope


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_malformed(noise: bytes) -> None:
    with pytest.raises(Malformed):
        decode_batch(noise)
    assert verify_ack(noise, CITY_KEY.public_key) is None


@pytest.mark.parametrize("field", ["ledger", "epoch", "seq", "head", "error", "sig"])
def test_no_field_of_an_acknowledgement_can_be_changed(field: str) -> None:
    ack = Ack("a1" * 16, 3, 4, b"\x07" * 32, AckError("gap", 5))
    told = json.loads(encode_ack(ack, CITY_KEY))
    changed = {
        "ledger": "a2" * 16, "epoch": 4, "seq": 5, "head": "08" * 32, "error": None,
        "sig": json.loads(encode_ack(ack, OTHER_KEY))["sig"],
    }  # fmt: skip
    told[field] = changed[field]
    assert verify_ack(json.dumps(told).encode(), CITY_KEY.public_key) is None
