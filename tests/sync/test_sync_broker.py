"""The whole way, with real processes over a real mosquitto."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from city_site import (
    Listener,
    Mosquitto,
    Station,
    ask,
    eventually,
    receiver,
    rewriting_examples,
)
from ends_site import Overheard, check, jsonschema, plain
from sync_site import CITY, STATION, STATION_KEY, TOPIC, Book

from sync.asyncapi import EXAMPLES, TARGET, document, to_yaml
from sync.messages import Ack, encode_ack
from sync.signing import Signer

yaml: Any = importlib.import_module("yaml")  # it has no types


class City(Overheard[Station]):
    """A usual station's."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        super().__init__(folder, broker, Station)

    def same_at_both_ends(self) -> None:
        """0 lost, 0 twice, nothing waiting, nothing set aside, and every chain holds."""
        seq, head = self.station.ledger.head
        assert self.database.rows("SELECT count(*), max(seq) FROM entry") == [(seq, seq)]
        assert self.database.rows("SELECT hash FROM entry ORDER BY seq DESC LIMIT 1") == [(head,)]
        assert self.database.count("parked") == self.database.count("quarantine") == 0
        (checked,) = ask("verify", "--database", self.url)
        assert (checked["entries"], checked["head"], checked["faults"]) == (seq, head.hex(), [])


@pytest.fixture
def town(tmp_path: Path, broker: Mosquitto) -> Iterator[City]:
    city = City(tmp_path, broker)
    yield city
    city.close()


def test_a_receiver_signs_nothing_more_once_the_citys_key_is_another(
    tmp_path: Path, broker: Mosquitto
) -> None:
    """It ends, so that whoever starts it again (systemd) finds the new key in the file, or is told."""
    url, key, new = f"sqlite:///{tmp_path / 'city.db'}", tmp_path / "city.key", tmp_path / "new.key"
    running = receiver(tmp_path / "receiver.log", url, broker.port)
    ask("key", "--database", url, "--key", str(new), "--make")
    ask("key", "--database", url, "--key", str(new), "--replace")
    eventually(lambda: running.code is not None, "it has noticed")
    assert running.code == 2 and running.has_said("which its stations believe")
    new.replace(key)
    again = receiver(tmp_path / "again.log", url, broker.port)
    assert again.terminate() == 0


def test_a_drop_reaches_the_citys_database_and_the_watermark_comes_back(town: City) -> None:
    town.receiver()
    up = town.uplink()
    eventually(lambda: bool(town.listener.on("state")), "the birth")
    town.station.know_the_time()
    town.station.check_in()
    town.station.drop()
    eventually(town.arrived, "the watermark at the head")
    town.same_at_both_ends()
    assert town.database.count("weighing_resolved") == town.database.count("seal") == 1
    well = {"online": True, "code": None, "words": ""}
    eventually(lambda: town.station.links[-1] == well, "the station hears that all is well")

    town.station.stop()
    eventually(lambda: plain(town.listener.on("state")[-1]).get("station") == "down", "down")
    town.station.start()
    eventually(lambda: plain(town.listener.on("state")[-1]).get("station") == "up", "up again")
    eventually(lambda: bool(town.listener.on("health")), "health")
    assert up.terminate() == 0
    eventually(lambda: plain(town.listener.on("state")[-1]) == {"online": False}, "offline")

    captured = {
        "batch": [plain(message) for message in town.listener.on("ledger")],
        "ack": [plain(message) for message in town.listener.on("ack")],
        "online": [plain(m) for m in town.listener.on("state") if plain(m)["online"]],
        "offline": [plain(m) for m in town.listener.on("state") if not plain(m)["online"]],
        "health": [plain(message) for message in town.listener.on("health")],
    }
    for name, messages in captured.items():
        assert messages, f"no {name} was captured"
        for message in messages:
            check(name, message)
        if rewriting_examples():
            EXAMPLES.mkdir(exist_ok=True)
            example = msgspec.json.format(msgspec.json.encode(messages[-1]), indent=1)
            (EXAMPLES / f"{name}.json").write_bytes(example + b"\n")


def test_a_station_that_comes_back_is_announced_once_and_not_lost_again(town: City) -> None:
    """The uplink's connections to the process that went end without touching those to the new one."""
    town.receiver()
    town.uplink()
    eventually(town.arrived, "the watermark at the head")
    eventually(lambda: bool(town.station.links), "the uplink's first word")
    for number in range(4):
        told = len(town.listener.on("state"))
        town.station.stop()
        eventually(lambda: len(town.listener.on("state")) > told, "down")  # noqa: B023
        town.station.links.clear()
        town.station.start()
        town.station.drop(number + 1)
        eventually(town.arrived, "the drops after the restart")
        eventually(lambda: bool(town.station.links), "the new process hears how the link is")
    states = [plain(message).get("station") for message in town.listener.on("state")]
    assert states == ["up"] + ["down", "up"] * 4


def test_a_broker_that_was_started_anew_retains_the_last_word_again(town: City) -> None:
    """Nobody needs to drop anything first: whoever asks the broker hears how far the city is."""
    town.receiver()
    town.uplink()
    town.station.drop(3)
    eventually(town.arrived, "the watermark at the head")
    town.broker.kill()
    town.broker.start()

    def retained() -> bool:
        late = Listener(town.broker.port)
        try:
            eventually(lambda: bool(late.on("state")), "the birth is retained")
            return any(
                message.retained and plain(message)["seq"] == 4 for message in late.on("ack")
            )
        finally:
            late.close()

    eventually(retained, "the acknowledgement is retained")


def test_old_words_that_a_restored_broker_retains_hold_nobody_up(
    town: City, tmp_path: Path
) -> None:
    """Of an earlier seq, and of a ledger that ended: passed over, and replaced by the standing word."""
    town.receiver()
    up = town.uplink()
    town.station.drop()
    eventually(town.arrived, "the first drop")
    topic = TOPIC.replace("ledger", "ack")
    old = town.listener.on("ack")[-1].payload
    town.station.drop()
    eventually(town.arrived, "the second drop")
    up.kill()
    other = encode_ack(Ack("f" * 32, 9, 7, b"h" * 32), Signer.load(tmp_path / "city.key"))
    for word in (old, other):
        town.listener.publish(topic, word, retain=True)
        up = town.uplink()
        town.station.drop()
        eventually(town.arrived, "the way goes on")
        up.kill()
    assert town.station.ledger.turn_over is None
    town.same_at_both_ends()


def test_kill_9_of_receivers_uplink_and_broker_in_mid_drain_loses_nothing(town: City) -> None:
    for _ in range(3):
        town.station.drop(500)
    first, second = town.receiver(), town.receiver()
    up = town.uplink()
    eventually(lambda: town.database.count("entry") > 0, "the first batch")
    first.kill()
    for _ in range(3):
        town.station.drop(500)
    first.start()
    up.kill()
    up.start()
    eventually(lambda: town.database.count("entry") > 1600, "more batches")
    town.broker.kill()
    second.kill()
    town.station.drop(500)
    town.broker.start()
    second.start()
    eventually(town.arrived, "the watermark at the head")
    town.same_at_both_ends()


def test_noise_on_the_topic_is_set_aside_and_the_receiver_goes_on(town: City) -> None:
    town.receiver()
    town.uplink()
    eventually(town.arrived, "the genesis")
    for payload in (b"", b"\xff" * 1000, b'{"ledger":1}', b"[" * 50_000):
        town.listener.publish(TOPIC, payload)
    eventually(lambda: town.database.count("quarantine") == 4, "four messages set aside")
    town.station.drop()
    eventually(town.arrived, "the next drop")


def test_a_station_that_sends_at_qos_0_stops_nobody_and_is_believed_by_its_signature(
    town: City,
) -> None:
    """Nobody may PUBACK such a message: the broker would throw the receiver off."""
    program = town.receiver()
    hasty = Book(signer=STATION_KEY)
    hasty.weigh(2)
    for _ in range(5):
        town.listener.publish(TOPIC, b"x", qos=0)
    town.listener.publish(TOPIC, hasty.batch(0), qos=0)
    eventually(lambda: town.database.count("entry") == 3, "the batch at QoS 0 is stored")
    town.uplink()
    eventually(town.arrived, "the others' entries")
    assert not program.has_said("ended"), "the receiver was never thrown off"


def test_a_station_whose_key_nobody_registered_keeps_everything_and_is_told_why(
    town: City,
) -> None:
    ask("station", "revoke", STATION, "--city", CITY, "--database", town.url)
    town.receiver()
    town.uplink()
    eventually(
        lambda: bool(town.station.links) and town.station.links[-1]["code"] == "unknown_key",
        "the station hears that its key is unknown",
    )
    assert town.database.count("entry") == 0
    ask(
        "station", "add", STATION, "--city", CITY,
        "--key", STATION_KEY.public_key.hex(), "--database", town.url,
    )  # fmt: skip
    eventually(town.arrived, "the watermark at the head")


def test_the_contracts_file_is_what_the_types_say() -> None:
    assert TARGET.read_text(encoding="utf-8") == to_yaml(document()), "run: python -m sync.asyncapi"


def test_the_contracts_file_is_yaml_of_the_same_value_and_its_examples_fit() -> None:
    assert yaml.safe_load(TARGET.read_text(encoding="utf-8")) == document()
    messages = document()["components"]["messages"]
    examples = {name: each["examples"] for name, each in messages.items() if "examples" in each}
    assert examples.keys() == messages.keys(), "every message has a capture"
    for name, given in examples.items():
        check(name, given[0]["payload"])


def test_the_schemas_refuse_what_the_contract_refuses() -> None:
    batch = json.loads((EXAMPLES / "batch.json").read_text(encoding="utf-8"))
    check("batch", batch)
    changes: list[dict[str, Any]] = [{"first": 0}, {"head": "x"}, {"extra": 1}, {"entries": []}]
    for change in changes:
        with pytest.raises(jsonschema.ValidationError):
            check("batch", batch | change)
    batch["entries"][0].pop("at", None)
    with pytest.raises(jsonschema.ValidationError):
        check("batch", batch)
