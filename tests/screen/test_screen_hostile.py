"""What an enemy may write: into a touch, into a catalogue, into the city's message, into the town's file.

``KIOSK_SEARCH_SIZE`` multiplies the touches.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

import msgspec
from screen_people import LONG_S, Browser, Station
from screen_scenes import setup, view
from shots import LANGUAGES, PANELS, browser_page, publish
from town_scenes import value

from kiosk.core.events import TouchAction
from kiosk.screen.app import RESIDENT_ACTIONS
from kiosk.screen.setup import ItemWords

TOUCHES = 150 * int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>&lt;"
ACTIONS = (*TouchAction.__args__, "vote", "corner_open", "__proto__", "", EVIL)


def anything(dice: random.Random, depth: int = 0) -> Any:
    """Some JSON."""
    leaves = [None, True, -1, 2**70, 1e308, "", "b1", "b99", EVIL, "\u0000", "\ud800"]
    kind = dice.randrange(4 if depth < 3 else 2)
    if kind < 2:
        return dice.choice(leaves)
    some = [anything(dice, depth + 1) for _ in range(dice.randrange(4))]
    return (
        some if kind == 2 else {dice.choice(("bin", "action", "choice", "x")): one for one in some}
    )


def body(dice: random.Random) -> bytes:
    touch = {"action": dice.choice(ACTIONS), "bin": anything(dice), "choice": anything(dice)}
    for name in dice.sample(list(touch), dice.randrange(3)):
        del touch[name]
    raw = json.dumps(touch if dice.random() < 0.8 else anything(dice)).encode()
    if dice.random() < 0.3:
        at = dice.randrange(len(raw))
        raw = raw[:at] + dice.randbytes(dice.randrange(4)) + raw[at + dice.randrange(3) :]
    return raw


def test_no_touch_of_an_enemy_gets_past_its_shape(station: Station, browser: Browser) -> None:
    dice = random.Random(20261126)
    headers = {
        "content-type": "application/json",
        "origin": station.origin,
        "x-kiosk-token": browser.token(),
    }
    for _ in range(TOUCHES):
        raw = body(dice)
        answer = browser.ask("POST", "/act", headers, raw)
        assert answer.status in (200, 204, 400, 403, 409), (answer.status, raw)
    while not station.touched.empty():
        action, bin_ = station.touched.get(timeout=LONG_S)
        assert action in RESIDENT_ACTIONS
        assert bin_ is None or bin_ in setup(4).bins
    assert browser.touch({"action": "claim"}).status == 204


def test_markup_in_every_name_and_sentence_is_only_text() -> None:
    evil = dict.fromkeys(LANGUAGES, EVIL)
    usual = setup(4)
    hostile = msgspec.structs.replace(
        usual,
        station=EVIL,
        contact=EVIL,
        items={
            item: {one: ItemWords(EVIL, (EVIL, EVIL)) for one in LANGUAGES} for item in usual.items
        },
        bins={
            name: msgspec.structs.replace(one, overflow=evil) for name, one in usual.bins.items()
        },
    )
    town = msgspec.json.decode(msgspec.json.encode(value()).replace("ペットボトル".encode(), b"x"))
    told = json.loads(json.dumps(town))
    for notice in told["notices"]:
        notice.update({name: EVIL for name, said in notice.items() if isinstance(said, str)})
    station = Station(hostile)
    station.screen.start()
    with browser_page(PANELS["wide"]) as page:
        page.set_default_timeout(LONG_S * 1000)
        alarmed: list[str] = []
        page.on("dialog", lambda dialog: (alarmed.append(dialog.message), dialog.dismiss()))
        page.goto(f"{station.origin}/")
        station.screen.tell("town", told)
        for shown in (
            view(message=evil),
            view(phase="closed", closed=evil, message=evil),
            view(phase="recorded", bin="b1", net_g=420, visits_open=1),
            view(phase="refused"),
        ):
            publish(page, station.screen, shown)
            assert page.locator("img, body script:not(#setup)").count() == 0
            assert "<img" in page.inner_text("body")
    station.screen.stop()
    assert alarmed == []
