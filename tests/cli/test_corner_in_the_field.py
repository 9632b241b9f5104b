"""A caretaker at a real station's screen: in by card or number, and every task of a morning by touch.

The page's touches are posted as the page posts them; scales, cameras and cards are the simulated ones.
"""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from field_station import KIOSK, LONG_S, FieldStation

BOTTLE_G = 2_031
TRUE_COUNTS_PER_GRAM = 44.29
"""The settings say 43: this cell is 3 % off."""
NUMBER = "314159"


class Hall(FieldStation):
    """A station, and hands before its screen."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.change_settings('city = "demo"', 'city = "demo"\nvisit_idle_s = 5')
        self._token = ""

    def appear(self) -> None:
        """The page is loaded."""
        with urllib.request.urlopen(f"{self.origin}/", timeout=LONG_S) as page:
            found = re.search(r'name="kiosk-token" content="([^"]+)"', page.read().decode())
        assert found is not None
        self._token = found[1]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def touch(self, action: str, **fields: object) -> Any:
        """What the station answers: None, JSON, or the code of its refusal as ``{"refused": …}``."""
        headers = {
            "content-type": "application/json",
            "origin": self.origin,
            "x-kiosk-token": self._token,
        }
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=LONG_S)) as line:
            line.request("POST", "/act", json.dumps({"action": action, **fields}), headers)
            answer = line.getresponse()
            body = answer.read()
        if answer.status == 409:
            return {"refused": json.loads(body)["code"]}
        assert answer.status in (200, 204), (answer.status, body)
        return json.loads(body) if body else None

    def told(self) -> Any:
        """What the station tells of the work in the corner."""
        with urllib.request.urlopen(f"{self.origin}/events", timeout=LONG_S) as events:
            named = False
            for line in events:
                if named and line.startswith(b"data: "):
                    return json.loads(line[6:])["job"]
                named = line.startswith(b"event: corner")
        raise AssertionError("the screen's stream ended")

    def view(self) -> Any:
        with urllib.request.urlopen(f"{self.origin}/events", timeout=LONG_S) as events:
            aside = False
            for line in events:
                if line.startswith(b"event: "):
                    aside = True
                elif line.startswith(b"data: ") and not aside:
                    return json.loads(line[6:])
                elif line == b"\n":
                    aside = False
        raise AssertionError("the screen's stream ended")

    def until_bin(self, bin_id: str, **wanted: object) -> None:
        self.until(lambda: wanted.items() <= self.bin(bin_id).items(), f"never {wanted}")

    def until_view(self, **wanted: object) -> None:
        self.until(lambda: wanted.items() <= self.view().items(), f"the screen never said {wanted}")

    @property
    def corner(self) -> str:
        return str(self.view()["corner"])

    def until_told(self, **wanted: object) -> Any:
        self.until(
            lambda: wanted.items() <= (self.told() or {}).items(),
            f"the station never told {wanted}, but {self.told()}",
        )
        return self.told()

    def hide(self) -> None:
        assert self.camera is not None
        self.camera.hide()
        time.sleep(2.5)

    def appoint(self, card: dict[str, Any]) -> int:
        command = [KIOSK, "caretaker", "add", "--json", "--config", self.settings]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            assert json.loads(running.stdout.readline())["show"] == "any"
            self.until(lambda: self.view()["awaiting"] == "appoint", "nobody is appointed")
            self.show(card["token"])
            made = json.loads(running.stdout.readline())
        self.hide()
        return int(made["number"])

    def set_number(self) -> Any:
        done = subprocess.run(
            [KIOSK, "caretaker", "pin", "--json", "--config", self.settings],
            input=f"{NUMBER}\n",
            capture_output=True,
            encoding="utf-8",
            timeout=LONG_S,
        )
        return json.loads(done.stdout)

    def enter(self) -> None:
        """By number."""
        assert self.touch("corner_begin") is None
        assert self.touch("corner_pad")["set"]
        assert self.touch("corner_number", number=NUMBER) is None
        self.until(lambda: self.corner in ("open", "aside"), "the corner never opened")

    def entries(self, *kinds: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.folder}/ledger.db?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT body FROM ledger ORDER BY seq").fetchall()
        found = [json.loads(body) for (body,) in rows]
        return [one for one in found if one["kind"] in kinds]


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    with tempfile.TemporaryDirectory(prefix="kiosk") as folder, Hall(Path(folder)) as made:
        made.plug_indicator()
        made.plug_camera()
        made.start()
        made.until_ready("b1", "b2")
        made.appear()
        made.set_number()
        yield made


@pytest.fixture
def inside(hall: Hall) -> Iterator[Hall]:
    hall.enter()
    yield hall
    hall.touch("corner_end")
    hall.until(lambda: hall.corner == "closed", "the corner never closed")


def test_a_caretakers_card_opens_after_a_touch_and_without_it_is_greeted(hall: Hall) -> None:
    (card,) = hall.cards()
    assert hall.appoint(card) == 1
    assert hall.kiosk("caretaker", "list", "--json")["cards"][0]["number"] == 1
    hall.show(card["token"])
    hall.until(lambda: hall.view()["phase"] == "greeting", "a bare card says: I am here")
    assert hall.corner == "closed"
    hall.hide()
    hall.until_view(visits_open=0)
    hall.touch("corner_begin")
    hall.until_view(corner="card")
    hall.show(card["token"])
    hall.until(lambda: hall.corner in ("open", "aside"), "the card did not open the corner")
    hall.hide()
    assert len(hall.entries("checkin")) == 1, "it was no check-in"
    assert hall.touch("corner_end") is None
    hall.until_view(corner="closed")
    hall.kiosk("caretaker", "remove", "1", "--json")
    hall.touch("corner_begin")
    hall.show(card["token"])
    hall.until(lambda: len(hall.entries("checkin")) == 2, "a removed card is anybody's")
    hall.until_view(corner="closed")
    hall.hide()
    hall.until_view(visits_open=0)


def test_nothing_is_done_from_a_corner_that_is_not_open(hall: Hall) -> None:
    written = hall.entries("command", "adjustment", "card_begun")
    for action, fields in (
        ("corner_bin", {"bin": "b1", "what": "scale_broken"}),
        ("corner_bin", {"bin": "b1", "what": "lock"}),
        ("corner_close", {}),
        ("corner_notice", {"sentence": "sentence_rinse"}),
        ("corner_adjust", {"bin": "b1", "grams": 2000, "empty": True}),
        ("corner_card", {"work": "begin"}),
        ("corner_doctor", {}),
        ("corner_touch", {}),
    ):
        assert hall.touch(action, **fields) == {"refused": "corner_closed"}, action
    assert hall.entries("command", "adjustment", "card_begun") == written
    assert not hall.bin("b1")["broken"]


def test_the_morning_check_says_how_it_is_in_three_languages(inside: Hall) -> None:
    found = inside.touch("corner_doctor")
    assert found["level"] in ("OK", "WARN", "ERR")
    for one in found["findings"]:
        assert set(one["what"]) == set(one["todo"]) == {"ja", "easy", "en"}
        assert all(one["what"].values()) and all(one["todo"].values()), one


def test_a_bin_is_cleaned_closed_told_of_and_opened_again(inside: Hall) -> None:
    hall = inside
    hall.touch("corner_bin", bin="b2", what="lock")
    hall.until_bin("b2", locked=True)
    hall.touch("corner_bin", bin="b2", what="unlock")
    hall.until_bin("b2", locked=False)
    hall.touch("corner_close", reason="reason_repair")
    hall.until(lambda: (hall.view()["closed"] or {}).get("ja") == "修理しています", "never closed")
    hall.touch("corner_open")
    hall.until_view(closed=None)
    hall.touch("corner_notice", sentence="sentence_rinse", days=7)
    hall.until(lambda: "rinse" in (hall.view()["message"] or {}).get("en", ""), "no notice")
    hall.touch("corner_notice", sentence=None)
    hall.until_view(message=None)
    assert hall.kiosk("message", "あすは 祭りです", "--json") == {"op": "message", "code": "done"}
    hall.until_view(message={"ja": "あすは 祭りです"})
    hall.kiosk("message", "--clear", "--json")
    hall.until_view(message=None)
    assert hall.kiosk("message", "--json")["error"]["code"] == "wrong_call"
    assert hall.touch("corner_notice", sentence="open") == {"refused": "no_such_sentence"}
    assert {one["by"] for one in hall.entries("command")} == {"caretaker"}


def test_a_broken_scale_makes_a_bin_without_one_and_a_mended_one_comes_back(inside: Hall) -> None:
    inside.touch("corner_bin", bin="b2", what="scale_broken")
    inside.until_bin("b2", broken=True, counted=True)
    inside.touch("corner_bin", bin="b2", what="scale_mended")
    inside.until_ready("b2")


def test_the_bag_of_a_bin_without_a_scale_is_changed_by_one_touch(inside: Hall) -> None:
    before = inside.bin("b3")["bags"]
    inside.touch("corner_bin", bin="b3", what="bag_swap")
    inside.until(lambda: inside.bin("b3")["bags"] == before + 1, "no bag change")
    assert inside.bin("b3")["bag_g"] is None


def lay(hall: Hall, grams: float) -> None:
    hall.bench.load(0, 84_000.0 + TRUE_COUNTS_PER_GRAM * grams)


def test_a_bottle_of_water_adjusts_the_scale_and_only_the_last_touch_counts(inside: Hall) -> None:
    hall = inside
    begin = {"bin": "b1", "grams": BOTTLE_G, "empty": True}
    assert hall.touch("corner_adjust", **begin) is None
    hall.until_told(step="load")
    hall.until_bin("b1", state="away")
    assert hall.touch("corner_adjust", **begin) == {"refused": "corner_busy"}
    hall.touch("corner_cancel")
    hall.until_ready("b1")
    assert hall.told() is None
    hall.touch("corner_adjust", **begin)
    for placement in (1, 2):
        hall.until_told(step="load", placement=placement)
        lay(hall, BOTTLE_G)
        hall.until_told(step="unload", placement=placement)
        assert hall.told()["live"]
        lay(hall, 0)
    found = hall.until_told(step="agree")
    assert float(found["change"]) == pytest.approx(3.0, abs=0.2) and not found["asks"]
    assert len(hall.entries("adjustment")) == 0
    hall.touch("corner_agree")
    hall.until_told(step="kept")
    hall.touch("corner_cancel")
    (entry,) = hall.entries("adjustment")
    assert entry["method"] == "two_points"
    hall.until_ready("b1")


def test_an_indicator_and_a_light_bottle_adjust_nothing(inside: Hall) -> None:
    hall = inside
    assert hall.touch("corner_adjust", bin="b2", grams=2000, empty=True) == {
        "refused": "indicator_adjusts_itself"
    }
    assert hall.touch("corner_adjust", bin="b1", grams=200, empty=True) == {
        "refused": "adjust_load_small"
    }
    assert hall.touch("corner_adjust", bin="b3", grams=2000, empty=True) == {
        "refused": "bin_without_scale"
    }


def test_a_lost_card_is_replaced_by_slip_and_spare_while_the_corner_is_open(inside: Hall) -> None:
    hall = inside
    (lost,) = hall.cards()
    (spare,) = hall.cards("--spare")
    hall.touch("corner_card", work="replace")
    hall.until_told(step="slip")
    hall.until_view(awaiting="slip")
    hall.show(lost["recovery"])
    hall.until_told(step="card")
    hall.show(spare["token"])
    hall.until_told(step="done")
    hall.touch("corner_cancel")
    hall.hide()
    assert [one["kind"] for one in hall.entries("card_closed", "card_joined")] == [
        "card_closed",
        "card_joined",
    ]


def test_a_found_card_is_stopped_before_the_camera_and_stays_so(inside: Hall) -> None:
    hall = inside
    (found,) = hall.cards()
    seen, closed = hall.entries("checkin"), hall.entries("card_closed")
    hall.touch("corner_card", work="close")
    hall.until_told(step="any", work="close")
    hall.until_view(awaiting="close")
    assert hall.touch("corner_card", work="begin") == {"refused": "corner_busy"}
    hall.show(found["token"])
    hall.until_told(step="done")
    hall.until_view(phase="stopped", corner="open")
    assert [one["reason"] for one in hall.entries("card_closed")[len(closed) :]] == ["lost"]
    hall.touch("corner_cancel")
    hall.hide()
    hall.touch("corner_card", work="close")
    hall.until_view(awaiting="close")
    hall.show(found["token"])
    hall.until_told(step="ended", why="card_closed_already")
    hall.touch("corner_cancel")
    hall.hide()
    refusals = hall.view()["refusals"]
    hall.show(found["token"])
    hall.until(lambda: hall.view()["refusals"] == refusals + 1, "a stopped card is refused")
    hall.hide()
    assert hall.entries("checkin") == seen and len(hall.entries("card_closed")) == len(closed) + 1


def test_a_wish_to_stop_a_card_ends_with_a_touch_and_the_next_card_is_greeted(inside: Hall) -> None:
    hall = inside
    (card,) = hall.cards()
    closed = hall.entries("card_closed")
    hall.touch("corner_card", work="close")
    hall.until_view(awaiting="close")
    hall.touch("corner_cancel")
    hall.until_view(awaiting=None)
    hall.show(card["token"])
    hall.until_view(phase="greeting")
    hall.hide()
    assert hall.told() is None and hall.entries("card_closed") == closed
    hall.until_view(visits_open=0)


def test_a_resident_is_greeted_and_weighed_while_the_corner_is_open(inside: Hall) -> None:
    hall = inside
    (card,) = hall.cards()
    hall.show(card["token"])
    hall.until(lambda: hall.corner == "aside", "the corner stands before the resident")
    hall.until_view(phase="greeting")
    assert hall.touch("corner_touch") is None
    hall.until_view(corner="open")
    weighings = len(hall.entries("weighing"))
    assert hall.indicator is not None
    hall.indicator.grams += 640
    hall.until(lambda: len(hall.entries("weighing")) == weighings + 1, "nothing was recorded")
    hall.until_view(corner="aside")
    hall.hide()


def test_a_class_begins_in_the_corner_and_ends_at_the_command_line(inside: Hall) -> None:
    hall = inside
    hall.until_view(visits_open=0)
    assert hall.touch("corner_class", teams=3) is None
    assert hall.touch("play_team", team=2) is None
    assert hall.touch("corner_end") is None
    hall.until(lambda: hall.view()["classroom"]["team"] == 2, "nobody took the turn")
    assert hall.indicator is not None
    hall.indicator.grams += 560
    hall.until(lambda: hall.view()["classroom"]["grams"][2] > 500, "the team got nothing")
    assert hall.kiosk("class", "end", "--json") == {"teams": None, "code": "done"}
    assert "no_class" in hall.said("class", "end", "--json")
    begun, ended = hall.entries("class_begin", "class_end")
    assert begun["teams"] == 3 and ended["reason"] == "caretaker"
    assert ended["grams"][2] == hall.entries("weighing")[-1]["net_g"]


def test_thanks_are_sent_by_a_touch_and_only_once(hall: Hall) -> None:
    assert hall.touch("play_thanks", sentence="bag") == {"refused": "play_gone"}
    (hall.folder / "town.toml").write_text(
        '[[thanks]]\nid = "bag"\nja = "ありがとう"\n', encoding="utf-8"
    )
    hall.until(
        lambda: hall.touch("play_thanks", sentence="bag") == {"kept": True}, "nothing is taken"
    )
    assert hall.touch("play_thanks", sentence="bag") == {"refused": "play_rest"}
    (entry,) = hall.entries("thanked")
    assert set(entry) == {"at", "kind", "seq", "sentence"}


def test_the_number_is_found_nowhere_and_wrong_ones_are_slowed(hall: Hall) -> None:
    hall.touch("corner_begin")
    for _ in range(4):
        assert hall.touch("corner_number", number="271828") == {"refused": "number_wrong"}
    for _ in range(2):
        assert hall.touch("corner_number", number="271828") == {"refused": "number_paused"}
    assert hall.touch("corner_number", number=NUMBER) == {"refused": "number_paused"}
    assert hall.corner != "open"
    for file in hall.folder.rglob("*"):
        if file.is_file() and not file.name.startswith("bench.mem"):
            assert NUMBER.encode() not in file.read_bytes(), file
    for name in ("corner-number", "corner-tries"):
        (found,) = hall.folder.rglob(name)
        assert stat.S_IMODE(found.stat().st_mode) == 0o600
    hall.set_number()
    hall.enter()
    hall.touch("corner_end")
