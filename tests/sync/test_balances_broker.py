"""A balance over a real mosquitto: a touch and a card at the station, the city's answer on its screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from city_site import Mosquitto, eventually, rewriting_examples
from ends_site import check, plain
from sync_site import CITY, STATION
from test_commands_broker import PREFIX, Hall

from kiosk.core.events import CardSeen, LinkChanged, Touch
from sync.asyncapi import EXAMPLES
from sync.messages.points import encode_balance
from sync.receiver.corrections import correct
from sync.receiver.database import opened
from sync.signing import Signer

ANN = b"\xab" * 16
DAY_MS = 86_400_000


@pytest.fixture
def hall(tmp_path: Path, broker: Mosquitto) -> Iterator[Hall]:
    hall = Hall(tmp_path, broker)
    yield hall
    hall.close()


def ask(hall: Hall) -> str:
    """A touch, then the card; the ask as it stands in the ledger."""
    head, t_ms = hall.station.ledger.head[0], hall.station.now().boot_ms
    hall.station.post(LinkChanged(t_ms, True))
    hall.station.post(Touch(t_ms, "balance"))
    hall.station.post(CardSeen(t_ms, ANN, "qr", True))
    eventually(lambda: hall.station.ledger.head[0] == head + 1, "the ask is written")
    payload = hall.station.ledger.batch(head, 1)
    assert payload is not None
    (entry,) = json.loads(payload)["entries"]
    assert entry["kind"] == "balance_asked"
    asked: str = entry["ask"]
    return asked


def shows(hall: Hall, phase: str, points: int | None) -> bool:
    return (hall.station.view.phase, hall.station.view.balance) == (phase, points)


def test_a_resident_asks_and_nobody_else_can_answer_or_learn_whose_it_is(hall: Hall) -> None:
    program = hall.receiver()
    with opened(hall.url) as engine, engine.begin() as connection:
        correct(connection, CITY, ANN, 120, "for the harvest festival", 1)
    up = hall.uplink()
    eventually(lambda: up.has_said("online=True"), "the line is there")
    first = ask(hall)
    eventually(lambda: shows(hall, "balance", 120), "the balance stands on the screen")
    (message,) = hall.listener.on("points")
    check("balance", plain(message))
    assert (message.topic, message.retained) == (PREFIX + "points", False)
    assert plain(message).keys() == {"ask", "points", "as_of_ms", "sig"}
    assert (plain(message)["ask"], plain(message)["points"]) == (first, 120)
    if rewriting_examples():
        example = msgspec.json.format(msgspec.json.encode(plain(message)), indent=1)
        (EXAMPLES / "balance.json").write_bytes(example + b"\n")

    program.kill()
    second = ask(hall)
    eventually(lambda: shows(hall, "balance_asked", None), "asked again, and the city is away")
    handed = hall.station.handed.count("points")
    hall.listener.publish(PREFIX + "points", message.payload)

    def by(signer: Signer, station: str) -> bytes:
        return encode_balance(signer, CITY, station, ask=second, points=9, as_of_ms=1)

    lies = (by(Signer(b"x" * 32), STATION), by(hall.signer, "hall-2"), b"{}", b"\xff")
    for number, lie in enumerate(lies, 2):
        hall.station.balances.refused = None
        hall.listener.publish(PREFIX + "points", lie)
        eventually(lambda: hall.station.balances.refused is not None, f"{lie!r} is told")
        assert hall.station.handed.count("points") == handed + number
        assert shows(hall, "balance_asked", None), "neither a kept answer nor a forged one"
    hall.receiver()
    eventually(lambda: shows(hall, "balance", 120), "who comes back in time still answers")

    for each in hall.listener.heard:
        assert each.topic.endswith("/ledger") or ANN.hex().encode() not in each.payload
    eventually(lambda: hall.database.count("seal") == 2, "as of a check-in")
    assert hall.station.ledger.forget_due(90) == 0
    hall.station.wall_off_ms = DAY_MS
    assert hall.station.ledger.forget_due(90) == 2, "gone at the day's end"
    eventually(lambda: hall.database.count("seal") == 0, "in the city, too")
