"""Commands over a real mosquitto: from ``kiosk-receiver command`` to the station's rules, and back."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from city_site import (
    Mosquitto,
    ask,
    eventually,
    rewriting_examples,
)
from command_site import ObedientStation
from ends_site import Overheard, check, plain
from sync_site import CITY, STATION, STATION_KEY

from kiosk.core.orders import LockBin, UnlockBin
from sync.asyncapi import EXAMPLES
from sync.messages import Reply
from sync.messages.commands import encode_command, encode_reply, read_reply
from sync.receiver import command_table
from sync.receiver.cli import main
from sync.receiver.command_table import add, answered, claim, listed, signed, station_is_there
from sync.receiver.database import opened
from sync.receiver.registry import add_station
from sync.signing import Signer

MINUTE_MS = 60_000
PREFIX = f"kiosk/v1/{CITY}/{STATION}/"


def said(*words: str) -> Any:
    """``kiosk-receiver command … --json``, in this process."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
        main(["command", *words, "--json"])
    assert ended.value.code == 0
    return json.loads(out.getvalue())


class Hall(Overheard[ObedientStation]):
    """A station that obeys."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        super().__init__(folder, broker, ObedientStation)
        self.signer = Signer.load(folder / "city.key")

    def order(self, *words: str) -> dict[str, Any]:
        """``kiosk-receiver command``, which does not wait."""
        told: dict[str, Any] = said(STATION, *words, "--city", CITY, "--database", self.url)
        return told

    def told(self) -> list[dict[str, Any]]:
        """What became of the commands, the newest first."""
        told: list[dict[str, Any]] = said("list", "--database", self.url)
        return told

    def becomes(self, state: str, code: str | None = None) -> None:
        """The newest command's fate."""

        def there() -> bool:
            (row,) = self.database.rows(
                "SELECT code, answered_ms, sent FROM station_command ORDER BY made_ms DESC LIMIT 1"
            )
            return row[1] is not None and row[0] == code if state != "sent" else row[2] > 0

        eventually(there, f"the command is {state} ({code})")
        assert (self.told()[0]["state"], self.told()[0]["code"]) == (state, code)

    def again(self) -> None:
        """As if a minute had passed."""
        with opened(self.url) as engine, engine.begin() as connection:
            connection.exec_driver_sql("UPDATE station_command SET due_ms = 1, answered_ms = NULL")

    def sent(self) -> bytes:
        return self.listener.on("command")[-1].payload

    def replies(self) -> int:
        return len(self.listener.on("reply"))


@pytest.fixture
def hall(tmp_path: Path, broker: Mosquitto) -> Iterator[Hall]:
    hall = Hall(tmp_path, broker)
    yield hall
    hall.close()


def test_a_command_is_done_answered_under_the_stations_key_and_in_the_ledger(hall: Hall) -> None:
    hall.receiver()
    hall.listener.publish(PREFIX + "closed/delta", b"{}", retain=True)
    hall.uplink()
    ran = ask(
        "command", STATION, "lock_bin", "b1", "--wait", "40s",
        "--city", CITY, "--database", hall.url,
    )  # fmt: skip
    assert (ran["state"], ran["code"], ran["op"]) == ("done", None, "lock_bin")
    assert hall.station.locked() == ["b1"]
    hall.order("identify", "--seconds", "1")
    hall.becomes("done")
    assert hall.station.beeps == ["here"]
    hall.order("lock_bin", "b9")
    hall.becomes("refused", "no_such_bin")
    heard = {name: len(hall.listener.on(name)) for name in ("state", "health")}
    assert hall.station.handed.count("closed/delta") == 1
    hall.order("refresh")
    hall.becomes("done")
    for name, count in heard.items():
        eventually(lambda: len(hall.listener.on(name)) > count, f"{name} is said anew")  # noqa: B023
    eventually(
        lambda: hall.station.handed.count("closed/delta") == 2, "the lists are asked for anew"
    )
    eventually(
        lambda: hall.database.rows("SELECT count(*) FROM entry WHERE kind = 'command'") == [(3,)],
        "the city holds an entry for each that was done",
    )
    for name in ("command", "reply"):
        message = hall.listener.on(name)[0]
        check(name, plain(message))
        assert not message.retained
        if rewriting_examples():
            example = msgspec.json.format(msgspec.json.encode(plain(message)), indent=1)
            (EXAMPLES / f"{name}.json").write_bytes(example + b"\n")


def test_a_station_that_is_away_gets_it_when_it_comes_and_never_what_is_over(hall: Hall) -> None:
    hall.receiver()
    hall.order("lock_bin", "b2", "--for", "1s")
    hall.order("lock_bin", "b1")
    hall.becomes("sent")
    eventually(lambda: hall.told()[1]["state"] == "expired", "the first one's end")
    hall.uplink()
    hall.becomes("done")
    assert hall.station.locked() == ["b1"]
    assert [one["state"] for one in hall.told()] == ["done", "expired"]
    # Somebody kept the first one, and hands it in now.
    for (payload,) in hall.database.rows("SELECT payload FROM station_command"):
        hall.listener.publish(PREFIX + "command", payload)
    eventually(lambda: hall.station.commands.refused is not None, "what is over is refused")
    assert hall.station.locked() == ["b1"]


def test_delivered_twice_and_its_reply_lost_it_is_done_once_and_answered_alike(hall: Hall) -> None:
    hall.uplink()
    program = hall.receiver()
    hall.order("lock_bin", "b1")
    hall.becomes("done")
    first, done = hall.sent(), hall.replies()
    hall.order("unlock_bin", "b1")
    hall.becomes("done")
    hall.listener.publish(PREFIX + "command", first)
    hall.listener.publish(PREFIX + "command", first)
    eventually(lambda: hall.replies() >= done + 3, "it is answered each time")
    replies = [json.loads(one.payload) for one in hall.listener.on("reply")]
    assert replies[0] == replies[-1]
    assert hall.station.locked() == []
    assert hall.station.commanded() == 2
    program.kill()  # the city loses the answers
    hall.again()
    program.start()
    eventually(
        lambda: {one["state"] for one in hall.told()} == {"done"}, "asked again and told again"
    )
    assert hall.station.commanded() == 2


def test_forged_and_another_stations_and_replayed_after_a_restart_are_told(hall: Hall) -> None:
    hall.receiver()
    up = hall.uplink()
    hall.order("lock_bin", "b1")
    hall.becomes("done")
    kept = hall.sent()
    hall.order("unlock_bin", "b1")
    hall.becomes("done")

    def by(signer: Signer, station: str) -> bytes:
        return encode_command(
            signer, CITY, station,
            command_id="x", order=LockBin("b2"), expires_ms=hall.station.now().utc_ms + MINUTE_MS,
        )  # fmt: skip

    for forged in (by(Signer(b"x" * 32), STATION), by(hall.signer, "hall-2"), b"{}", b"\xff"):
        hall.station.commands.refused = None
        hall.listener.publish(PREFIX + "command", forged)
        eventually(lambda: hall.station.commands.refused is not None, f"{forged!r} is told")
    replies = hall.replies()
    assert replies == 2, "and nobody is answered whom nobody knows"

    up.kill()
    hall.station.stop()
    hall.station.start()
    up.start()
    eventually(lambda: up.has_said("online=True"), "the uplink is there again")
    hall.listener.publish(PREFIX + "command", kept)
    eventually(lambda: hall.replies() > replies, "what was kept is answered as before")
    assert hall.station.locked() == [], "and not done again"

    lie = encode_reply(Signer(b"x" * 32), CITY, STATION, hall.order("refresh")["id"], None)
    up.kill()
    hall.listener.publish(PREFIX + "reply", lie)
    eventually(lambda: hall.programs[0].has_said("has not signed"), "a forged reply is told")


def test_a_station_without_a_clock_asks_the_city_for_the_time_and_a_kept_answer_tells_none(
    hall: Hall,
) -> None:
    hall.station.clock, hall.station.wall_off_ms = "unsynced", -10 * 365 * 86_400_000
    hall.receiver()
    up = hall.uplink()
    hall.order("lock_bin", "b1")
    hall.becomes("done")
    codes = [json.loads(one.payload)["code"] for one in hall.listener.on("reply")]
    assert codes == ["clock_unsure", None]
    hall.order("close", "--reason", "点検中")
    hall.becomes("done")
    assert hall.station.rules.standing.closed == {"ja": "点検中"}
    codes = [json.loads(one.payload)["code"] for one in hall.listener.on("reply")]
    assert codes == ["clock_unsure", None, None], "asked once in a boot"

    # The power goes; somebody has kept a signed time, and a command that was never handed in.
    kept = json.loads(hall.sent())
    up.kill()
    hall.station.stop()
    hall.station.start()
    now_ms = hall.station.now().utc_ms - hall.station.wall_off_ms
    withheld = encode_command(
        hall.signer, CITY, STATION, command_id="w", order=LockBin("b2"),
        expires_ms=now_ms + MINUTE_MS, nonce=kept.get("nonce") or "ab" * 16, signed_ms=now_ms,
    )  # fmt: skip
    up.start()
    eventually(lambda: up.has_said("online=True"), "the uplink is there again")
    for payload in (hall.listener.on("command")[1].payload, withheld):
        hall.listener.publish(PREFIX + "command", payload)
    eventually(lambda: hall.replies() == 5, "both are answered")
    codes = [json.loads(one.payload)["code"] for one in hall.listener.on("reply")][-2:]
    assert codes == [None, "clock_unsure"]
    assert hall.station.locked() == ["b1"]


def test_what_the_city_lacks_is_sent_again_and_the_watermark_stays(hall: Hall) -> None:
    hall.receiver()
    up = hall.uplink()
    for number in range(3):
        hall.order("message", f"{number}")
        hall.becomes("done")
    eventually(lambda: hall.station.ledger.watermark == 4, "the city has all")
    hall.listener.heard.clear()
    hall.order("resend", "2")
    hall.becomes("done")
    eventually(
        lambda: any(plain(one)["first"] == 2 for one in hall.listener.on("ledger")),
        "the entries from 2 on travel again",
    )
    eventually(
        lambda: hall.station.ledger.to_send == hall.station.ledger.progress, "the resend ends"
    )
    assert hall.station.ledger.watermark >= 4
    resent = [one for one in hall.listener.on("ledger") if plain(one)["first"] == 2]
    assert len(resent) == 1
    up.kill()
    up.start()
    hall.station.check_in()
    eventually(lambda: hall.station.ledger.watermark == hall.station.ledger.head[0], "life goes on")
    (checked,) = ask("verify", "--database", hall.url)
    assert checked["faults"] == []


def reply_to(command_id: str, code: str | None, nonce: str | None = None) -> Reply:
    return read_reply(encode_reply(STATION_KEY, CITY, STATION, command_id, code, nonce))[0]


# --- the city's table, on every kind of database -----------------------------------------------------


def test_each_sending_is_one_receivers_and_each_answer_is_kept_once(city_url: str) -> None:
    signer, now_ms = Signer(b"k" * 32), 10**12
    with opened(city_url) as engine:
        with engine.begin() as connection:
            add_station(connection, CITY, STATION, STATION_KEY.public_key)
            for order in (LockBin("b1"), UnlockBin("b1")):
                add(connection, signer, CITY, STATION, order, now_ms=now_ms, for_ms=MINUTE_MS * 3)
        with engine.begin() as connection:
            assert len(claim(connection, now_ms)) == 2
            assert claim(connection, now_ms) == [], "another receiver's look"
            station_is_there(connection, CITY, STATION, now_ms + 5)
            first, second = claim(connection, now_ms + 5)
            assert signed(first, signer, now_ms) == bytes(first.payload)
            reply = reply_to(first.id, None)
            assert answered(connection, CITY, STATION, reply, now_ms + 6)
            assert not answered(connection, CITY, STATION, reply, now_ms + 7)
            unsure = reply_to(second.id, "clock_unsure")
            assert answered(connection, CITY, STATION, unsure, now_ms + 6)
            later_ms = now_ms + 5 + command_table.AGAIN_MS
            assert [one.id for one in claim(connection, later_ms)] == [second.id]
            asks = reply_to(second.id, "clock_unsure", "ab" * 16)
            assert answered(connection, CITY, STATION, asks, later_ms + 1)
            (anew,) = claim(connection, later_ms + 1)
            wire = json.loads(signed(anew, signer, later_ms + 2))
            assert (wire["nonce"], wire["signed_ms"]) == ("ab" * 16, later_ms + 2)
            assert answered(connection, CITY, STATION, asks, later_ms + 3)
            assert claim(connection, later_ms + 3) == [], "two that disagree do not race"
            assert claim(connection, now_ms + 3 * MINUTE_MS) == []
            told = {one.id: one for one in listed(connection, now_ms + 3 * MINUTE_MS)}
    assert (told[first.id].state, told[first.id].answered_ms) == ("done", now_ms + 6)
    assert (told[second.id].state, told[second.id].code) == ("expired", "clock_unsure")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((STATION,), "wrong_call"),
        ((STATION, "explode"), "wrong_call"),
        ((STATION, "lock_bin"), "wrong_call"),
        ((STATION, "lock_bin", "B 1"), "wrong_call"),
        ((STATION, "lock_bin", "b1", "b2"), "wrong_call"),
        ((STATION, "identify", "--seconds", "99"), "wrong_call"),
        ((STATION, "message", "あ" * 61), "wrong_call"),
        ((STATION, "resend", "x"), "wrong_call"),
        ((STATION, "resend", "1"), "wrong_call"),
        ((STATION, "refresh", "--for", "8d"), "command_end"),
        ((STATION, "refresh", "--for", "soon"), "wrong_call"),
        (("hall-9", "refresh"), "no_such_station"),
        ((STATION.upper(), "refresh"), "identifier"),
    ],
    ids=str,
)
def test_a_wrong_command_is_refused_before_it_is_signed(
    tmp_path: Path, words: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'city.db'}"
    with opened(url) as engine, engine.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)
    Signer.generate(tmp_path / "city.key")
    with pytest.raises(SystemExit) as ended:
        main(["command", *words, "--city", CITY, "--database", url, "--json"])
    assert ended.value.code == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code
    with opened(url) as engine, engine.begin() as connection:
        assert listed(connection, 0) == []
