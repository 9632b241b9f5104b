"""Commands and replies on the wire: what the signatures vouch for is taken whole, and nothing else."""

from __future__ import annotations

import json
import os
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync_site import CITY, CITY_KEY, STATION, STATION_KEY

from kiosk.core.orders import (
    MAX_LANGUAGES,
    MAX_TEXT,
    AnyOrder,
    Close,
    Identify,
    LockBin,
    Message,
    Open,
    Refresh,
    Resend,
    UnlockBin,
)
from sync.messages import Malformed
from sync.messages.commands import (
    MAX_COMMAND_BYTES,
    OPS,
    encode_command,
    encode_reply,
    is_signed,
    order_of,
    read_command,
    read_reply,
)
from sync.messages.wire import signature_text
from sync.signing import Signer

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
END_MS = 1_790_000_600_000
ORDERS: list[AnyOrder] = [
    Identify(5),
    Message({"ja": "明日は休みです", "en": "Closed <b>tomorrow</b>"}, END_MS),
    Message(None, 0),
    Resend("a1" * 16, 7),
    LockBin("b1"),
    UnlockBin("b1"),
    Close({"ja": "点検中"}),
    Close(None),
    Open(),
    Refresh(),
]


def sent(order: AnyOrder, *, city: str = CITY, station: str = STATION) -> bytes:
    return encode_command(CITY_KEY, city, station, command_id="c1", order=order, expires_ms=END_MS)


def resigned(**changes: Any) -> bytes:
    """A command that the city really signed, whatever stands in it."""
    wire = {"id": "c1", "op": "lock_bin", "args": {"bin": "b1"}, "expires_ms": END_MS, **changes}
    args = json.dumps(wire["args"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    text = f"kiosk-command-v1\n{CITY}/{STATION}\n{wire['id']}\n{wire['expires_ms']}\n{wire['op']}\n"
    wire["sig"] = signature_text(CITY_KEY.sign((text + args).encode()))
    return json.dumps(wire).encode()


def read(data: bytes) -> AnyOrder:
    return order_of(read_command(data, CITY, STATION, CITY_KEY.public_key))


def why(data: bytes) -> str:
    with pytest.raises(Malformed) as caught:
        read(data)
    return caught.value.code


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_what_the_city_asks_arrives_as_it_was_asked(order: AnyOrder) -> None:
    assert read(sent(order)) == order


def test_every_op_has_an_example_here() -> None:
    assert {json.loads(sent(order))["op"] for order in ORDERS} == set(OPS)


def test_the_signed_text_is_the_contracts() -> None:
    assert read(resigned()) == LockBin("b1")


@pytest.mark.parametrize(
    "forged",
    [
        sent(LockBin("b1"), station="hall-2"),
        sent(LockBin("b1"), city="other"),
        encode_command(
            Signer(b"x" * 32), CITY, STATION, command_id="c1", order=Refresh(), expires_ms=END_MS
        ),
        sent(LockBin("b1")).replace(b'"b1"', b'"b2"'),
        sent(LockBin("b1")).replace(b'"c1"', b'"c2"'),
        sent(LockBin("b1")).replace(b"lock_bin", b"unlock_bin"),
        sent(LockBin("b1")).replace(str(END_MS).encode(), str(END_MS + 1).encode()),
    ],
    ids=["another station's", "another city's", "another key", "args", "id", "op", "end"],
)
def test_what_the_city_has_not_signed_for_this_station_is_nobodys(forged: bytes) -> None:
    assert why(forged) == "bad_signature"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"op": "explode"}, "unknown_op"),
        ({"args": {}}, "wrong_args"),
        ({"args": {"bin": "B 1"}}, "wrong_args"),
        ({"args": {"bin": 1}}, "wrong_args"),
        ({"args": {"bin": "b1", "hard": True}}, "wrong_args"),
        ({"args": {"bin": "b1", "op": "open"}}, "wrong_args"),
        ({"op": "identify", "args": {"seconds": 61}}, "wrong_args"),
        ({"op": "identify", "args": {"seconds": True}}, "wrong_args"),
        ({"op": "message", "args": {"text": {}, "until_ms": 0}}, "wrong_args"),
        ({"op": "message", "args": {"text": {"ja": ""}, "until_ms": 0}}, "wrong_args"),
        ({"op": "message", "args": {"text": {"JA": "a"}, "until_ms": 0}}, "shape"),
        ({"op": "close", "args": {"reason": {"ja": "a" * (MAX_TEXT + 1)}}}, "wrong_args"),
        ({"op": "close", "args": {"reason": {"ja": "a\u202eb"}}}, "wrong_args"),
        ({"op": "close", "args": {"reason": {"ja": "a\nb"}}}, "wrong_args"),
        ({"op": "close", "args": {"reason": {"ja": "\x1b[2J"}}}, "wrong_args"),
        ({"op": "resend", "args": {"ledger": "a1" * 16, "from_seq": 0}}, "wrong_args"),
        ({"args": {"bin": 0.5}}, "shape"),
        ({"id": "a b"}, "shape"),
        ({"id": ""}, "shape"),
        ({"expires_ms": -1}, "shape"),
    ],
    ids=str,
)
def test_what_the_city_signed_and_nobody_can_do_is_said_by_its_code(
    changes: dict[str, Any], code: str
) -> None:
    assert why(resigned(**changes)) == code


def test_the_longest_message_in_every_language_fits() -> None:
    text = {f"{'abcdefgh'[n]}x": "\U0001f600" * MAX_TEXT for n in range(MAX_LANGUAGES)}
    data = sent(Message(text, END_MS))
    assert len(data) <= MAX_COMMAND_BYTES
    assert read(data) == Message(text, END_MS)
    assert why(b" " * (MAX_COMMAND_BYTES + 1)) == "too_large"


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_being_refused(data: bytes) -> None:
    assert why(data) == "shape"
    with pytest.raises(Malformed):
        read_reply(data)


def test_a_command_damaged_anywhere_is_the_same_command_or_none() -> None:
    """Bytes changed, doubled, left out: nothing that the city has not signed is ever obeyed."""
    rng = random.Random(5)
    for _ in range(1_000 * SIZE):
        whole = sent(rng.choice(ORDERS))
        good = read_command(whole, CITY, STATION, CITY_KEY.public_key)
        data, place = bytearray(whole), rng.randrange(len(whole))
        match rng.randrange(4):
            case 0:
                data[place] = rng.randrange(256)
            case 1:
                del data[place : place + rng.randrange(1, 9)]
            case 2:
                data[place:place] = data[place : place + rng.randrange(1, 40)]
            case _:
                data[place] ^= 1 << rng.randrange(8)
        try:
            read = read_command(bytes(data), CITY, STATION, CITY_KEY.public_key)
        except Malformed as malformed:
            assert malformed.code in ("shape", "bad_signature")
        else:
            assert read == good


def test_a_reply_speaks_for_one_station_one_command_and_one_outcome() -> None:
    data = encode_reply(STATION_KEY, CITY, STATION, "c1", None)
    reply, signature = read_reply(data)
    assert (reply.id, reply.done, reply.code) == ("c1", True, None)
    assert is_signed(reply, signature, CITY, STATION, STATION_KEY.public_key)
    assert not is_signed(reply, signature, CITY, "hall-2", STATION_KEY.public_key)
    assert not is_signed(reply, signature, CITY, STATION, CITY_KEY.public_key)
    refused, signature = read_reply(encode_reply(STATION_KEY, CITY, STATION, "c1", "expired"))
    assert (refused.done, refused.code) == (False, "expired")
    lie = json.loads(data) | {"code": "expired", "done": False}
    reply, signature = read_reply(json.dumps(lie).encode())
    assert not is_signed(reply, signature, CITY, STATION, STATION_KEY.public_key)
    with pytest.raises(Malformed):
        read_reply(json.dumps(json.loads(data) | {"done": False}).encode())
