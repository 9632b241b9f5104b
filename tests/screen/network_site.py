"""The network of a hall: a real broker on the settings' port, a receiver behind it, the hall's uplink."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from journey_site import Hall

from sync.signing import Signer

sys.path.insert(0, str(Path(__file__).parents[1] / "sync"))

from city_site import CityDatabase, Mosquitto, Program, ask, receiver


class Network:
    """Not there yet. ``hall``, before its start, learns the city's key and where its broker will be."""

    def __init__(self, hall: Hall) -> None:
        folder = hall.folder / "city"
        folder.mkdir()
        self._hall, self._folder = hall, folder
        self._url = f"sqlite:///{folder / 'city.db'}"
        key = ask("key", "--database", self._url)["public_key"]
        own = Signer.load(hall.folder / "keys/station.key").public_key.hex()
        where = ("--city", "demo", "--database", self._url)
        ask("station", "add", "field-1", "--key", own, *where)
        self._broker = Mosquitto(folder)
        self._broker.kill()
        text = hall.settings.read_text(encoding="utf-8")
        text, places = re.subn(
            r"(\[mqtt\]\nhost = .*\nport = )\d+", rf"\g<1>{self._broker.port}", text
        )
        assert places == 1
        hall.settings.write_text(f'{text}\n[city]\npublic_key = "{key}"\n', encoding="utf-8")
        self._receiver: Program | None = None
        self._database = CityDatabase(self._url)

    def come(self) -> None:
        self._broker.start()
        if self._receiver is None:
            self._receiver = receiver(self._folder / "city.log", self._url, self._broker.port)
            self._hall.start_uplink()

    def go(self) -> None:
        self._broker.kill()

    def entries(self) -> list[dict[str, Any]]:
        """What the city has of the hall."""
        rows = self._database.rows("SELECT body FROM entry ORDER BY seq")
        return [json.loads(body) for (body,) in rows]

    def close(self) -> None:
        for program in (self._receiver, self._hall.uplink):
            if program is not None:
                program.kill()
        self._broker.kill()
        self._database.close()
