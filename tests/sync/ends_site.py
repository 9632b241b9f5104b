"""A station, the broker and its city: each begun when a story begins it, and all of it ended."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, Generic, TypeVar

from city_site import CityDatabase, Heard, Listener, Mosquitto, Program, Station, ask
from city_site import receiver as started_receiver
from city_site import uplink as started_uplink
from sync_site import CITY, STATION, STATION_KEY

from sync.asyncapi import document
from sync.messages import inflate

jsonschema: Any = importlib.import_module("jsonschema")  # it has no types

S = TypeVar("S", bound=Station)


class Ends(Generic[S]):
    """A city that knows the station's key, and the station, made by ``kind``."""

    def __init__(self, folder: Path, broker: Mosquitto, kind: type[S]) -> None:
        self.folder, self.broker = folder, broker
        self.url = f"sqlite:///{folder / 'city.db'}"
        key = bytes.fromhex(ask("key", "--database", self.url)["public_key"])
        ask(
            "station", "add", STATION, "--city", CITY,
            "--key", STATION_KEY.public_key.hex(), "--database", self.url,
        )  # fmt: skip
        (folder / "station").mkdir()
        self.station = kind(folder / "station", key)
        self.database = CityDatabase(self.url)
        self.programs: list[Program] = []

    def log(self) -> Path:
        """The next program's."""
        return self.folder / f"program-{len(self.programs)}.log"

    def begun(self, program: Program) -> Program:
        """It is ended with the others."""
        self.programs.append(program)
        return program

    def receiver(self) -> Program:
        return self.begun(started_receiver(self.log(), self.url, self.broker.port))

    def uplink(self) -> Program:
        return self.begun(started_uplink(self.log(), self.station.socket, self.broker.port))

    def arrived(self) -> bool:
        """The city signed for everything."""
        return self.station.ledger.watermark == self.station.ledger.head[0]

    def close(self) -> None:
        for program in self.programs:
            program.kill()
        self.database.close()
        self.station.stop()


class Overheard(Ends[S]):
    """With somebody who hears everything on the broker."""

    def __init__(self, folder: Path, broker: Mosquitto, kind: type[S]) -> None:
        super().__init__(folder, broker, kind)
        self.listener = Listener(broker.port)

    def close(self) -> None:
        super().close()
        self.listener.close()


def plain(message: Heard) -> Any:
    return json.loads(inflate(message.content_type, message.payload))


def check(name: str, value: Any) -> None:
    """``value`` is as the contract's schema of this message says."""
    contract = document()
    schema = contract["components"]["messages"][name]["payload"] | {
        "components": contract["components"]
    }
    jsonschema.Draft202012Validator(schema).validate(value)
