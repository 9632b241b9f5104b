"""What goes wrong around a real station, as its page tells it: calmly, rightly, while it lasts.

The city cannot be reached but where a story says so; residents need no turns here.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from journey_site import SAID, Hall, Panel, panel, said
from network_site import Network

NIGHT = Path(__file__).parent / "night_site.py"
CALM_ALARMS = ("エラー", "error", "Error", "undefined", "null", "NaN")
FIRST, SECOND = "04a1b2c3d4e5f6", "04f6e5d4c3b2a1"


@pytest.fixture(scope="module")
def wires() -> Iterator[Hall]:
    with (
        tempfile.TemporaryDirectory(prefix="kiosk") as folder,
        Hall(Path(folder), "together", camera=True) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def network(wires: Hall) -> Iterator[Network]:
    made = Network(wires)
    yield made
    made.close()


@pytest.fixture(scope="module")
def hall(wires: Hall, network: Network) -> Hall:
    wires.plug_camera()
    wires.start()
    wires.until_ready("b1", "b2")
    return wires


@pytest.fixture(scope="module")
def screen(hall: Hall) -> Iterator[Panel]:
    with panel(hall, "tall") as opened:
        yield opened


@pytest.fixture(autouse=True)
def calm(hall: Hall, screen: Panel) -> Iterator[None]:
    """Nothing that frightens stands on the page when a story is over."""
    yield
    text = screen.page.inner_text("body")
    assert [word for word in CALM_ALARMS if word in text] == []


def test_without_the_network_the_page_says_so_in_one_sentence_and_serves(
    hall: Hall, screen: Panel
) -> None:
    screen.shows("waiting", said("waiting"), said("offline"))
    hall.tap(FIRST)
    screen.saw("greeting", said("greeting"))
    hall.drop("b2", 300)
    screen.saw("recorded", "0.30kg", said("offline"))
    screen.touch(said("goodbye"))
    screen.saw("thanks", "0.30kg")


def test_the_network_comes_and_goes_while_a_visit_is_on_and_nothing_is_lost(
    hall: Hall, screen: Panel, network: Network
) -> None:
    hall.rest()
    network.come()
    screen.lacks(said("offline"))
    hall.tap(SECOND)
    screen.saw("greeting")
    hall.drop("b2", 400)
    screen.saw("recorded", "0.40kg")
    network.go()
    screen.saw("recorded", "0.40kg", said("offline"))
    hall.drop("b2", 340)
    screen.saw("recorded", "0.34kg", said("offline"))
    screen.touch(said("goodbye"))
    screen.saw("thanks", "0.74kg", said("offline"))
    network.come()
    screen.lacks(said("offline"))
    hall.rest()
    hall.until(lambda: network.entries() == hall.entries(), "something never came to the city")
    network.close()
    screen.shows("waiting", said("offline"))


def test_two_who_drop_at_once_are_asked_nothing_and_nobody_gets_the_others_grams(
    hall: Hall, screen: Panel
) -> None:
    hall.rest()
    written = len(hall.entries("weighing"))
    hall.tap(FIRST)
    screen.saw("greeting")
    hall.tap(SECOND)
    hall.until(lambda: hall.view()["visits_open"] == 2, "only one was there")
    hall.drop("b1", 500)
    text = screen.saw("recorded", "0.50kg")
    assert said("claim") not in text and said("turn") not in text
    hall.drop("b2", 700)
    screen.saw("recorded", "0.70kg")
    drops = hall.until_written(written + 2, "weighing")[-2:]
    assert [one["visit"] for one in drops] == [None, None]


def test_the_camera_gone_is_nobodys_trouble_while_another_reader_works(
    hall: Hall, screen: Panel
) -> None:
    hall.rest()
    hall.unplug_camera()
    hall.until(lambda: hall.logged("reader:qr is lost"), "nobody noticed")
    screen.shows("waiting", said("waiting"))
    (card,) = hall.cards()
    hall.show(card)
    screen.saw("greeting", said("greeting"))
    hall.unplug_nfc()
    hall.unplug_scanner()
    hall.until(lambda: not hall.view()["cards_readable"], "the other readers still work")
    hall.rest()
    screen.shows("waiting", said("no_reader"), "000-000-0000")
    hall.drop("b1", 260)
    screen.saw("recorded", "0.26kg")
    hall.plug_nfc()
    hall.until(lambda: hall.view()["cards_readable"], "the reader never came back")
    hall.rest()
    screen.shows("waiting", said("waiting"))


def test_one_scale_gone_says_put_it_in_as_usual_and_the_others_weigh(
    hall: Hall, screen: Panel
) -> None:
    hall.rest()
    hall.unplug_indicator()
    hall.until(lambda: hall.bin("b2")["state"] == "trouble", "the scale was not missed")
    screen.shows("waiting", said("trouble"), said("trouble_short"), "000-000-0000")
    hall.drop("b1", 340)
    screen.saw("recorded", "0.34kg")
    hall.plug_indicator()
    hall.until_ready("b2")
    hall.rest()
    text = screen.shows("waiting", said("waiting"))
    assert said("trouble") not in text


def test_killed_in_the_middle_of_a_visit_it_asks_for_the_card_again(
    hall: Hall, screen: Panel
) -> None:
    hall.rest()
    hall.tap(FIRST)
    screen.saw("greeting")
    hall.drop("b1", 620)
    screen.saw("recorded", "0.62kg")
    hall.process.send_signal(signal.SIGKILL)
    hall.process.wait()
    screen.saw("reconnecting", said("reconnecting"))
    hall.start()
    screen.saw("waiting", said("resumed"))
    checkins = len(hall.entries("checkin"))
    hall.tap(FIRST)
    screen.saw("greeting", said("greeting"))
    hall.until_written(checkins + 1, "checkin")
    hall.until_ready("b1", "b2")
    hall.drop("b1", 180)
    screen.saw("recorded", "0.18kg")


def test_after_a_night_without_power_and_with_a_wrong_clock_it_serves_as_ever(
    hall: Hall, screen: Panel
) -> None:
    hall.rest()
    hall.process.send_signal(signal.SIGKILL)
    hall.process.wait()
    usual, hall.program = hall.program, [sys.executable, NIGHT]
    try:
        hall.start()
        screen.saw("waiting", said("waiting"))
        hall.until_ready("b1", "b2")
        hall.tap(SECOND)
        screen.saw("greeting", said("greeting"))
        hall.drop("b1", 440)
        screen.saw("recorded", "0.44kg")
        boots = hall.entries("boot")
        drop = hall.entries("weighing")[-1]
        assert drop["at"]["clock"] == "unsynced"
        assert drop["at"]["boot"] == boots[-1]["at"]["boot"] != boots[0]["at"]["boot"]
        for language in SAID:
            screen.speak(language)
            screen.saw("thanks", language=language)
    finally:
        hall.program = usual
