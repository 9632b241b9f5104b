"""A station whose SIM has expired, a stick, and a city whose database is wherever it is: real commands."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from city_site import Station
from hw_sim.station_file import head
from sync_site import CITY, CITY_KEY, STATION, STATION_KEY

from kiosk.cli import main as kiosk_main
from sync.receiver.cli import main as receiver_main
from sync.receiver.database import opened
from sync.receiver.registry import add_station

SETTINGS = """
[[bin]]
id = "b1"
item = "pet-bottle"

[[reader]]
id = "qr"
kind = "camera"

[city]
public_key = "{city_key}"
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        return json.loads(self.out)


def called(command: Any, *args: object) -> Said:
    """One call of a command line, as a process would answer it."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = command([str(arg) for arg in args])
        except SystemExit as end:
            code = end.code
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return Said(int(code or 0), out.getvalue(), err.getvalue())


class Site:
    """Station, stick and city, each in a folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.stick = folder / "stick"
        self.stick.mkdir()
        self.home = folder / "station"
        (self.home / "keys").mkdir(parents=True)
        _key(self.home / "keys/station.key", b"station-key-of-the-tests-32bytes")
        self.city_key = folder / "city-of-tests.key"
        _key(self.city_key, b"city-key-of-the-tests---32-bytes")
        self.settings = self.home / "station.toml"
        self.settings.write_text(
            head(STATION, CITY, folder=str(self.home), run=".")
            + SETTINGS.format(city_key=CITY_KEY.public_key.hex()),
            encoding="utf-8",
        )
        self.register()
        self.station = Station(self.home, CITY_KEY.public_key)

    def register(self) -> None:
        with opened(self.url) as engine, engine.begin() as connection:
            add_station(connection, CITY, STATION, STATION_KEY.public_key)

    def drop(self, count: int) -> None:
        """Drops of 100 g, a thousand in one transaction."""
        for start in range(0, count, 1000):
            self.station.drop(min(1000, count - start))

    def kiosk(self, *args: object) -> Said:
        return called(kiosk_main, *args, "--config", self.settings)

    def receiver(self, *args: object) -> Said:
        key = ("--key", self.city_key) if args[0] == "import" else ()
        return called(receiver_main, *args, "--database", self.url, *key)

    def export(self) -> Path:
        """The file on the stick, as the caretaker makes it."""
        said = self.kiosk("ledger", "export", "--to", self.stick, "--json")
        assert said.code == 0, said.out
        return Path(said.value["file"])

    def answered(self, *files: Path) -> tuple[Any, Path]:
        """What the city said of files, and its answer to the last."""
        said = self.receiver("import", *files, "--answer", self.stick, "--json")
        return said.value, Path(said.value[-1]["answer"])


def _key(path: Path, seed: bytes) -> None:
    path.write_text(seed.hex() + "\n", encoding="ascii")
    path.chmod(0o600)
