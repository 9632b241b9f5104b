"""What can be wrong before the demo begins is said in a sentence, and nobody's folder is emptied."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from random import Random

import pytest
from hw_sim import demo_site, kills
from hw_sim.demo_site import DemoError, Site
from hw_sim.scenario import load
from hw_sim.wishes import Wishes

from kiosk import catalogue, settings
from kiosk.core.cards import CardDesk
from kiosk.core.events import CardRefused, CardSeen

CITY_KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
"""RFC 8032, 7.1, the first test's."""


def test_without_wishes_it_runs_until_ctrl_c() -> None:
    assert Wishes.from_environment({}) == Wishes(seconds=None, speed=1, seed=1, port=8080)


def test_every_wish_is_read() -> None:
    given = {
        "DEMO_S": "90",
        "DEMO_SPEED": "10",
        "DEMO_SEED": "7",
        "DEMO_PORT": "8123",
        "DEMO_KEEP": "1",
        "DEMO_KILLS": "20",
        "DEMO_DIR": "/tmp/somewhere",
    }
    assert Wishes.from_environment(given) == Wishes(
        Path("/tmp/somewhere"), 90.0, 10.0, 7, 8123, keep=True, kills=20
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEMO_S", "soon"),
        ("DEMO_S", "0"),
        ("DEMO_SPEED", "0"),
        ("DEMO_SEED", "-1"),
        ("DEMO_PORT", "70000"),
        ("DEMO_PORT", "9" * 5_000),
        ("DEMO_KEEP", "yes"),
        ("DEMO_KILLS", "nan"),
        ("DEMO_KILLS", "1.5"),
    ],
)
def test_a_wish_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(DemoError, match=f"^{name}={value} is no .*number from "):
        Wishes.from_environment({name: value})


def test_an_empty_wish_is_none() -> None:
    given = dict.fromkeys(("DEMO_S", "DEMO_SPEED", "DEMO_PORT", "DEMO_KEEP", "DEMO_DIR"), "")
    assert Wishes.from_environment(given) == Wishes()


def test_a_taken_port_is_said_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(DemoError, match=f"{port} is taken.*DEMO_PORT"):
            demo_site.demand_port(port)


def test_a_folder_that_the_demo_did_not_make_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "thesis.txt"
    precious.write_text("three years")
    with pytest.raises(DemoError, match="not made by the demo"):
        demo_site.claim(Site(tmp_path))
    assert precious.read_text() == "three years"


def test_a_place_for_no_folder_is_told(tmp_path: Path) -> None:  # its name counts in the paths
    (tmp_path / "l").write_text("milk")
    for place in (tmp_path / "l", tmp_path / "l" / "demo", Path("/proc/demo")):
        with pytest.raises(DemoError, match=f"{place} cannot be.*DEMO_DIR"):
            demo_site.claim(Site(place))
    with pytest.raises(DemoError, match=r"too long for a socket's path.*DEMO_DIR"):
        demo_site.claim(Site(tmp_path / ("long" * 30)))


def test_a_stale_folder_goes_and_a_kept_one_stays(tmp_path: Path) -> None:
    site = Site(tmp_path / "demo")
    with demo_site.claim(site):
        demo_site.clear(site, keep=False)
        site.truth.write_text("yesterday")
        demo_site.clear(site, keep=True)
        assert site.truth.exists()
        demo_site.clear(site, keep=False)
        assert not site.truth.exists()
    with demo_site.claim(site):
        pass


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    site = Site(tmp_path / "demo")
    with demo_site.claim(site), pytest.raises(DemoError, match="already"):
        demo_site.claim(site)


def test_the_station_that_is_written_is_one_that_the_station_reads(tmp_path: Path) -> None:
    site = Site(tmp_path / 'the "new" デモ')
    with demo_site.claim(site):
        demo_site.clear(site, keep=False)
    demo_site.make_keys(site)
    scenario = demo_site.make_scenario(site, screen_port=8080, seed=3, speed=1.0)
    demo_site.write_settings(site, scenario, CITY_KEY, mqtt_port=1883)
    read = settings.load(site.settings)
    rules = read.rules(catalogue.load(read.paths.catalogue))
    assert [bin_.scale is not None for bin_ in rules.bins] == [True, True, True, False]
    assert rules.crowd == "one_by_one"
    assert rules.link_days > 0
    assert load(site.scenario) == scenario


def test_the_cards_are_what_the_list_says_they_are(tmp_path: Path) -> None:
    """Each good card is seen under the pseudonym in cards.json, each other one is refused."""
    site = Site(tmp_path)
    demo_site.clear(site, keep=False)
    demo_site.make_keys(site)
    scenario = demo_site.make_scenario(site, screen_port=8080, seed=3, speed=1.0)
    _, card_key = (site.keys / "card.key").read_text().split()
    pseudonym_key = (site.keys / "pseudonym.key").read_text()
    desk = CardDesk({demo_site.KEY_ID: bytes.fromhex(card_key)}, bytes.fromhex(pseudonym_key))
    listed = json.loads(site.cards.read_text())
    assert set(listed) == {card.name for card in scenario.cards}
    for card in scenario.cards:
        if card.kind == "qr":
            seen = desk.identify_qr(card.token.encode(), t_ms=0, day=None)
        else:
            seen = desk.identify_nfc(bytes.fromhex(card.token), t_ms=0)
        if card.good:
            assert isinstance(seen, CardSeen) and seen.pseudonym.hex() == listed[card.name]
        else:
            assert isinstance(seen, CardRefused) and listed[card.name] is None


@pytest.mark.parametrize("times", [0, 1, 4, 7, 20, 101])
def test_kills_are_spread_over_the_run_and_spare_nobody(times: int) -> None:
    planned = kills.plan(times, 300.0, Random(times))
    moments = [kill.at_s for kill in planned]
    assert len(planned) == times
    assert moments == sorted(moments)
    assert all(kills.FIRST_S <= at_s <= 300.0 - kills.LAST_S for at_s in moments)
    victims = [kill.victim for kill in planned]
    for victim in kills.VICTIMS:
        assert victims.count(victim) >= times // len(kills.VICTIMS)
