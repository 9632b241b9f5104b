"""A real station, its camera, and cards that change hands: begun at the screen, lost, replaced, closed."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from field_station import KIOSK, LONG_S, FieldStation

from kiosk.control.client import ControlClient


class Hall(FieldStation):
    """A station whose town lets residents begin pre-printed cards."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.change_settings('city = "demo"', 'city = "demo"\nvisit_idle_s = 5')
        with self.settings.open("a", encoding="utf-8") as file:
            file.write('\n[cards]\nself_issue = true\n\n[points]\nmode = "visit"\n')

    def hide(self) -> None:
        """Out of the picture, for long enough to count as gone."""
        assert self.camera is not None
        self.camera.hide()
        self.until(lambda: self.view()["phase"] == "waiting", "the station never came to rest")

    def until_phase(self, phase: str) -> None:
        self.until(lambda: self.view()["phase"] == phase, f"the screen never said {phase}")

    def touch(self, action: str) -> None:
        with ControlClient(self.folder / "run/control.sock") as client:
            client.call("touch", action=action)

    @contextmanager
    def asked(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A command at work, after it has said what is to be shown."""
        command = [KIOSK, "card", *words, "--json", "--config", self.settings]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            yield running
            running.wait(LONG_S)

    def entries(self, *kinds: str) -> list[tuple[dict[str, Any], bytes | None]]:
        """What stands in the ledger, with the pseudonym of its seal."""
        with closing(sqlite3.connect(f"file:{self.folder}/ledger.db?mode=ro", uri=True)) as db:
            rows = db.execute(
                "SELECT body, pseudonym FROM ledger LEFT JOIN seal USING (seq) ORDER BY seq"
            ).fetchall()
        found = [(json.loads(body), name) for body, name in rows]
        return [one for one in found if one[0]["kind"] in kinds]


def said(running: subprocess.Popen[str]) -> dict[str, Any]:
    assert running.stdout is not None
    line: dict[str, Any] = json.loads(running.stdout.readline())
    return line


@pytest.fixture
def hall() -> Iterator[Hall]:
    with tempfile.TemporaryDirectory(prefix="kiosk") as folder, Hall(Path(folder)) as made:
        made.plug_camera()
        made.start()
        yield made


def test_a_card_is_begun_lost_and_replaced_and_its_day_goes_on(hall: Hall) -> None:
    first, second = hall.cards("--spare", "--count", "2")
    hall.show(first["token"])
    hall.until_phase("spare")
    hall.hide()

    hall.touch("begin_card")
    hall.show(first["token"])
    hall.until_phase("welcome")
    hall.hide()
    (begun, name), (checkin, holder) = hall.entries("card_begun", "checkin")
    assert name == holder and checkin["points"] == 1 and begun["seq"] == checkin["seq"] - 1

    with hall.asked("replace", *first["recovery"].lower().split()) as running:
        assert said(running) == {"show": "card", "wait_s": 30}
        hall.show(second["token"])
        assert said(running) == {"done": True}
    (closed, old), (joined, new) = hall.entries("card_closed", "card_joined")
    assert (closed["reason"], old, joined["of"]) == ("replaced", holder, closed["seq"])
    assert new != old
    hall.hide()

    for life in range(2):
        hall.show(first["token"])
        hall.until_phase("refused")
        hall.hide()
        hall.show(second["token"])
        hall.until_phase("greeting")
        checkins = hall.entries("checkin")
        assert len(checkins) == 2 + life
        again, account = checkins[-1]
        assert account == holder, "the new card is the old one's account"
        assert again["points"] == 0, "whose day had its point"
        hall.hide()
        if life == 0:
            hall.stop()
            hall.start()
    spent = hall.said("card", "replace", first["recovery"], "--lang", "en")
    assert "closed already" in spent
    nothing_raw(hall, first, second)


def test_a_slip_before_the_camera_and_a_card_found_in_the_street(hall: Hall) -> None:
    lost, sister = hall.cards("--household", "2")
    (spare,) = hall.cards("--spare")
    with hall.asked("replace") as running:
        assert said(running)["show"] == "slip"
        hall.show(lost["recovery"])
        assert said(running)["show"] == "card"
        hall.show(spare["token"])
        assert said(running) == {"done": True}
    hall.hide()
    hall.show(sister["token"])
    hall.until_phase("greeting")
    hall.hide()
    kinds = hall.entries("card_closed", "card_account", "card_joined", "checkin")
    assert [one["kind"] for one, _ in kinds] == [
        "card_closed", "card_account", "card_joined", "checkin",
    ]  # fmt: skip
    assert kinds[1][1] == kinds[3][1], "the household's account, by whichever card"

    with hall.asked("revoke", "--show", "--reason", "revoked") as running:
        assert said(running)["show"] == "any"
        hall.show(sister["token"])
        assert said(running) == {"done": True}
    hall.until_phase("stopped")
    hall.hide()
    hall.show(sister["token"])
    hall.until_phase("refused")
    hall.hide()
    hall.show(spare["token"])
    hall.until_phase("greeting")
    nothing_raw(hall, lost, sister, spare)


def test_a_caretaker_who_thinks_better_of_it_closes_nobodys_card(hall: Hall) -> None:
    (card,) = hall.cards()
    with hall.asked("revoke", "--show") as running:
        said(running)
        hall.until(lambda: hall.view()["awaiting"] == "close", "the station waits for no card")
        running.terminate()
    hall.until(lambda: hall.view()["awaiting"] is None, "the station still waits for a card")
    hall.show(card["token"])
    hall.until_phase("greeting")
    assert hall.entries("card_closed") == []


def nothing_raw(hall: Hall, *cards: dict[str, Any]) -> None:
    """No token, no code and no random id in ledger, logs or any other file of the station."""
    from kiosk.core.cards import base45

    wanted = []
    for card in cards:
        random_id = base45.decode(card["token"].encode())[4:14]
        wanted += [card["token"].encode(), card["recovery"].encode(), random_id]
        wanted.append(random_id.hex().encode())
    for file in hall.folder.rglob("*"):
        if file.is_file() and not file.name.startswith(("cards-", "bench.mem")):
            data = file.read_bytes()
            assert not [one for one in wanted if one in data], file
