"""A station that obeys: its real rules on their loop, its ledger, and its control socket."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

from city_site import Station
from sync_site import CITY, STATION, STATION_KEY

from kiosk import words
from kiosk.answers import Answers
from kiosk.balances import Balances
from kiosk.cards.list_files import City as CityKey
from kiosk.cards.lists import CardLists
from kiosk.commands import Commands
from kiosk.control import ControlServer
from kiosk.control.ledger_ops import ledger_ops
from kiosk.core.cards.staleness import StaleRules
from kiosk.core.config import BinRules, StationRules
from kiosk.core.effects import Beep, Lamp
from kiosk.core.entries import At, Opening
from kiosk.core.events import Event, Moment
from kiosk.core.station import Station as Rules
from kiosk.core.view import View
from kiosk.ledger import Ledger
from kiosk.loop import INBOX_EVENTS, Loop, poster

BINS = {"b1": "pet-bottle", "b2": "carton"}


class ObedientStation(Station):
    """Two bins without scales; residents may ask for their points. ``clock`` is the quality of its clock;
    ``wall_off_ms`` how wrong it is."""

    clock: Any = "synced"
    wall_off_ms = 0

    def __init__(self, folder: Path, city_key: bytes) -> None:
        self._city = city_key
        super().__init__(folder, city_key)

    def start(self) -> None:
        self.ledger = Ledger.open(
            self.folder,
            station=STATION,
            city=CITY,
            signer=STATION_KEY,
            city_key=self._city,
            software="test",
            openings={bin_id: Opening(None, None, 0) for bin_id in BINS},
            items=BINS,
            clock=self._stamp,
            day_of=lambda utc_ms: utc_ms // 86_400_000,
        )
        inbox: queue.Queue[Event] = queue.Queue(INBOX_EVENTS)
        self.post = poster(inbox)
        answers = Answers(self.post)
        self.beeps: list[str] = []
        bins = tuple(BinRules(bin_id, item, None) for bin_id, item in BINS.items())
        self.rules = Rules(StationRules(bins, balance=True), self.ledger.memory())
        self._loop = Loop(
            self.rules,
            append=self.ledger.append,
            signals=self,
            publish=self._drawn,
            moment=self.now,
            each_tick=lambda _now: None,
            answer=answers.tell,
            inbox=inbox,
        )
        self.lists = CardLists(
            self.folder / "cards",
            city=CityKey(CITY, self._city),
            use="as_sent",
            rules=StaleRules(30, 90, "accept_proving"),
            now=self.now,
        )
        self.commands = Commands(
            STATION,
            city=CityKey(CITY, self._city),
            signer=STATION_KEY,
            ledger=self.ledger,
            answers=answers,
            now=self.now,
            listens=lambda: words.topics(self._takers()),
        )
        self.balances = Balances(
            STATION,
            city=CityKey(CITY, self._city),
            wanted=True,
            now=self.now,
            post=self.post,
        )
        ops = dict(
            ledger_ops(
                self.ledger,
                station=STATION,
                city=CITY,
                software="test",
                listens=words.topics(self._takers()),
            )
        )
        ops["word"] = self._word
        ops["link"] = lambda args: self.links.append(args) or {}  # type: ignore[func-returns-value]
        ops["health"] = lambda _: {"queue": 0, "uptime_s": 1, "scales": {}, "readers": {}}
        self._thread = threading.Thread(target=self._loop.run, name="rules")
        self._thread.start()
        self._server = ControlServer(self.socket, ops)
        self._server.start()

    def _takers(self) -> tuple[words.Taker, ...]:
        return self.lists, self.commands, self.balances

    def _word(self, args: dict[str, Any]) -> dict[str, Any]:
        self.handed.append(args["topic"])
        return words.handler(self._takers())(args)

    def stop(self) -> None:
        self.ledger.end_waits()
        self._server.stop()
        self._loop.stop()
        self._thread.join()
        self.ledger.close()

    def now(self) -> Moment:
        real = super().now()
        return Moment(real.boot_ms, real.utc_ms + self.wall_off_ms, self.clock, real.day)

    def _stamp(self) -> At:
        now = self.now()
        return At("b0" * 16, now.boot_ms, now.utc_ms, now.clock)

    def _drawn(self, view: View) -> None:
        self.view = view

    def beep(self, effect: Beep) -> None:
        self.beeps.append(effect.tone)

    def lamp(self, effect: Lamp) -> None:
        pass

    def locked(self) -> list[str]:
        return list(self.rules.standing.locked)

    def commanded(self) -> int:
        """Entries of what the city ordered."""
        count = 0
        for seq in range(1, self.ledger.head[0] + 1):
            payload = self.ledger.batch(seq - 1, 1)
            count += payload is not None and b'"kind":"command"' in payload
        return count
