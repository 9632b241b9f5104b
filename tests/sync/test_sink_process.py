"""``kiosk-receiver sink``: real processes, killed and started again, over HTTP and a real mosquitto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from city_site import BIN, Listener, Mosquitto, Program, ask, eventually
from sink_site import Platform, a_day, drain, set_clock, silent, store_all
from sync_site import Book

from sync.mqtt import Broker
from sync.receiver.cli import main
from sync.receiver.fiware.mqtt_sink import MqttSink
from sync.receiver.fiware.settings import Settings
from sync.receiver.sinks import Follower
from sync.receiver.sinks.standing import standings

SETTINGS = """
apikey = "key-1"
tenant = "minato"
service_path = "/recycling"
entities = ["WasteContainer", "RecyclingDeposit"]

[stations.hall-1]
location = [139.75, 35.66]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "fiware.toml"
    file.write_text(SETTINGS, encoding="utf-8")
    return file


@pytest.fixture
def platform() -> Iterator[Platform]:
    made = Platform()
    yield made
    made.close()


def url_of(city: sa.Engine) -> str:
    return city.url.render_as_string(hide_password=False)


def test_killed_in_mid_delivery_it_goes_on_where_the_cursor_was(
    city: sa.Engine, tmp_path: Path, settings: Path, platform: Platform
) -> None:
    book = Book()
    a_day(book)
    store_all(city, book)
    platform.script = [silent]
    arguments = [
        BIN / "kiosk-receiver", "sink", "fiware", "--database", url_of(city), "--to", platform.url,
        "--settings", settings,
    ]  # fmt: skip
    first = Program(tmp_path / "first.log", *arguments)
    eventually(lambda: len(platform.requests) == 1, "the first request")
    first.kill()
    with city.begin() as connection:  # a minute later
        connection.execute(sa.text("UPDATE sink_state SET until_ms = 0"))
    second = Program(tmp_path / "second.log", *arguments)
    other = Program(tmp_path / "other.log", *arguments)
    try:
        eventually(lambda: len(platform.requests) == 2, "the same again")
        assert platform.requests[1].body == platform.requests[0].body
        assert platform.requests[1].headers["ngsild-tenant"] == "minato"
        eventually(lambda: behind(city) == 0, "the cursor at the watermark")
        book.weigh(1)
        store_all(city, book, book.head - 1)
        eventually(lambda: len(platform.requests) == 3, "what comes later")
        assert sum(program.has_said("delivers") for program in (second, other)) == 1
        assert second.terminate() == other.terminate() == 0
    finally:
        second.kill()
        other.kill()
    assert len(platform.requests) == 3, "of two side by side one delivers"
    (told,) = ask("sink", "list", "--database", url_of(city))
    assert (told["sink"], told["behind"], told["trouble"], told["aside"]) == ("fiware", 0, None, [])


def test_measures_go_over_a_real_broker_and_through_its_restart(
    city: sa.Engine, broker: Mosquitto
) -> None:
    book = Book()
    a_day(book)
    store_all(city, book)
    agent = Listener(broker.port, "/json/#")
    sink = MqttSink("fiware", Broker("127.0.0.1", broker.port), Settings(apikey="key-1"))
    follower = Follower(city, sink)
    try:
        drain(follower)
        eventually(lambda: len(agent.heard) == 2, "a message for each bin")
        first, second = sorted(agent.heard, key=lambda message: message.topic)
        assert first.topic == "/json/key-1/demo:hall-1:b1/attrs"
        assert [one["cargoWeight"] for one in json.loads(first.payload)] == [
            0.1, 0.2, 0.3, 0.4, 0.0, 0.0,
        ]  # fmt: skip
        assert json.loads(second.payload)["pieces"] == 3
        broker.kill()
        book.weigh(1)
        store_all(city, book, book.head - 1)
        eventually(lambda: follower.step() > 0 and trouble(city) is not None, "it is told")
        assert trouble(city) in ("broker_unreachable", "connection_lost", "hung_up")
        broker.start()
        again = Listener(broker.port, "/json/#")
        eventually(lambda: follower.step() > 0 and trouble(city) is None, "it is mended")
        eventually(lambda: len(again.heard) == 1, "the measure that waited")
        again.close()
    finally:
        sink.close()
        agent.close()


def behind(city: sa.Engine) -> int:
    with city.connect() as connection:
        return standings(connection)[0].behind


def trouble(city: sa.Engine) -> str | None:
    with city.connect() as connection:
        return standings(connection)[0].trouble_code


def test_the_devices_of_every_bin_are_printed_for_provisioning(
    city: sa.Engine, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = Book()
    set_clock(book)
    store_all(city, book)
    with pytest.raises(SystemExit):
        main(["sink", "devices", "--database", url_of(city), "--settings", str(settings)])
    body = json.loads(capsys.readouterr().out)
    (device,) = body["devices"]
    assert device["device_id"] == "demo:hall-1:b1"
    assert device["entity_name"] == "urn:ngsi-ld:WasteContainer:demo:hall-1:b1"
    assert (device["apikey"], device["timestamp"], device["transport"]) == ("key-1", False, "HTTP")
    units = {one["name"]: one.get("metadata") for one in device["attributes"]}
    assert units["cargoWeight"] == {"unitCode": {"type": "Text", "value": "KGM"}}
    assert {one["name"] for one in device["static_attributes"]} == {"binId", "isleId", "location"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["fiware", "--to", "https://u:p@x"], "platform_url"),
        (["fiware", "--to", "mqtt://x:y"], "broker_url"),
        (["fiware", "--to", "mqtt://x", "--form", "ngsi-ld"], "form"),
        (["fiware", "--to", "mqtt://x"], "no_apikey"),
        (["fiware", "--to", "https://x", "--name", "A B"], "sink_name"),
        (["fiware", "--to", "https://x", "--settings", "none.toml"], "settings_unreadable"),
        (["again", "nobody"], "no_sink"),
    ],
)
def test_a_wrong_call_is_refused_in_two_sentences(
    city: sa.Engine, arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["sink", *arguments, "--database", url_of(city)])
    said = capsys.readouterr()
    assert (end.value.code, said.out) == (2, "")
    assert said.err.count(". ") >= 1
    assert CODES[code] in said.err


CODES = {
    "platform_url": "https://HOST[:PORT][/PATH]",
    "broker_url": "mqtt://HOST:PORT",
    "form": "--form iot-json",
    "no_apikey": "apikey",
    "sink_name": "no name for a sink",
    "settings_unreadable": "none.toml",
    "no_sink": "sink list",
}
