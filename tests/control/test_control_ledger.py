"""The uplink's four questions, asked over the real socket of a real ledger."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.control import ControlClient, ControlServer, StationError
from kiosk.control.ledger_ops import ledger_ops
from kiosk.core.effects import Item
from kiosk.core.entries import At, Boot
from kiosk.core.errors import OperatorError
from kiosk.ledger import AckVerdict, Ledger
from sync.messages import MAX_ENTRIES, Ack, AckError, decode_batch, encode_ack, verify_batch
from sync.signing import Signer
from sync.station_link import StationLink

STATION = Signer(b"s" * 32)
CITY = Signer(b"c" * 32)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(
        tmp_path / "data",
        station="hall-1",
        city="demo",
        signer=STATION,
        city_key=CITY.public_key,
        software="test",
        openings={},
        items={},
        clock=lambda: At(boot="0" * 32, boot_ms=1, utc_ms=1, clock="synced"),
        day_of=lambda utc_ms: utc_ms // 86_400_000,
    )
    yield opened
    opened.close()


@pytest.fixture
def verdicts() -> list[AckVerdict]:
    return []


@pytest.fixture
def uplink(tmp_path: Path, ledger: Ledger, verdicts: list[AckVerdict]) -> Iterator[ControlClient]:
    path = tmp_path / "control.sock"
    ops = ledger_ops(
        ledger,
        station="hall-1",
        city="demo",
        software="test",
        listens=("closed/full",),
        on_ack=verdicts.append,
    )
    server = ControlServer(path, ops)
    server.start()
    with ControlClient(path) as client:
        yield client
    server.stop()


def boot(ledger: Ledger) -> None:
    ledger.append([Item(Boot(software="test", settings="0" * 64))])


def test_hello_says_whose_ledger_and_how_far(uplink: ControlClient, ledger: Ledger) -> None:
    assert uplink.call("hello") == {
        "station": "hall-1",
        "city": "demo",
        "ledger": ledger.ledger_id,
        "head_seq": 1,
        "watermark": 0,
        "epoch": 0,
        "software": "test",
        "listens": ["closed/full"],
    }


def test_a_batch_comes_through_byte_for_byte(
    uplink: ControlClient, ledger: Ledger, tmp_path: Path
) -> None:
    """Also a large one, that comes in many pieces, and a word after it."""
    for _ in range(5):
        ledger.append([Item(Boot(software="test", settings="0" * 64))] * 200)
    link = StationLink(tmp_path / "control.sock", timeout_s=10)
    for after, most in ((1, 1), (0, MAX_ENTRIES), (3, 500)):
        batch = link.batch(after, most)
        assert batch is not None
        last, payload = batch
        assert payload == ledger.batch(after, most)
        decoded = decode_batch(payload)
        assert (decoded.first, decoded.last) == (after + 1, last)
        assert verify_batch(decoded, STATION.public_key)
    assert link.batch(1001, 1) is None
    assert link.hello().head_seq == 1001
    link.close()
    assert uplink.call("batch", after=1001) == {"first": None}


def test_a_caller_that_wants_no_bytes_is_told_so(uplink: ControlClient, ledger: Ledger) -> None:
    with pytest.raises(OperatorError, match="out of turn"):
        uplink.call("batch", after=0)
    assert uplink.call("hello")["head_seq"] == 1, "and speaks on, over a connection of its own"


def test_an_acknowledgement_moves_the_watermark(
    uplink: ControlClient, ledger: Ledger, verdicts: list[AckVerdict]
) -> None:
    seq, head = ledger.head
    error = AckError("gap", 2)
    payload = encode_ack(Ack(ledger.ledger_id, 1, seq, head, error), CITY).decode()
    assert uplink.call("ack", payload=payload) == {
        "accepted": True,
        "reason": None,
        "watermark": 1,
        "epoch": 1,
        "error": {"code": "gap", "seq": 2},
    }
    forged = encode_ack(Ack(ledger.ledger_id, 1, seq, head), Signer(b"f" * 32)).decode()
    assert uplink.call("ack", payload=forged)["reason"] == "bad_signature"
    beyond = encode_ack(Ack(ledger.ledger_id, 1, 9, bytes(32)), CITY).decode()
    assert uplink.call("ack", payload=beyond)["reason"] == "unknown_seq"
    assert [verdict.restart for verdict in verdicts] == [False, False, True]


def test_a_long_poll_ends_with_the_next_entry(uplink: ControlClient, ledger: Ledger) -> None:
    answers: list[dict[str, Any]] = []
    asking = threading.Thread(
        target=lambda: answers.append(uplink.call("wait", after=1, timeout_ms=30_000))
    )
    asking.start()
    boot(ledger)
    asking.join(30)
    assert answers == [{"head_seq": 2, "watermark": 0, "epoch": 0}]


@pytest.mark.parametrize(
    ("op", "args"),
    [
        ("hello", {"who": "me"}),
        ("wait", {"after": 1}),
        ("wait", {"after": 1, "timeout_ms": 30_001}),
        ("wait", {"after": -1, "timeout_ms": 1}),
        ("batch", {"after": 1, "max_entries": 0}),
        ("batch", {"after": "1; DROP TABLE ledger"}),
        ("ack", {"payload": 5}),
    ],
)
def test_wrong_arguments_are_named(uplink: ControlClient, op: str, args: dict[str, Any]) -> None:
    with pytest.raises(StationError) as refused:
        uplink.call(op, **args)
    assert refused.value.code == "bad_arguments"
    assert uplink.call("hello")["head_seq"] == 1
