"""``hw-sim fleet N``: a city's stations in one process, against a real broker, receivers and database.

Real are the bytes: each station has a key and a ledger of its own, signed and chained batches, the
product's uplink rules and MQTT 5 to the broker. Scenarios: ``ramp`` (all connect, each with a queue),
``day`` (people come), ``outage`` (a day, the broker killed in it, everybody's return), ``receivers`` (a
day, the receivers killed in it). At the end each station's entries must be at the city, once.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import closing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

import msgspec

from hw_sim.demo_site import DemoError
from hw_sim.fleet.book import Book
from hw_sim.fleet.rates import Comeback, comeback, percentile
from hw_sim.fleet.site import City, Given
from hw_sim.fleet.station import Fleet, Station
from sync.reconnecting import STEADY_MS

Scenario = Literal["ramp", "day", "outage", "receivers"]

OPEN_S = 12 * 3600
"""A station's day."""
RAMP_PER_S = 50
SPARE_FILES = 200
GIVE_UP_S = 300.0
"""For the connecting, and again for the draining."""
LOOK_S = 0.05
MAX_STATIONS = 50_000


@dataclass(frozen=True, slots=True)
class Wish:
    """``visits_a_day`` of each station: ten times the field's 14.25 (741 in 26 days at two sites).
    ``speed`` runs the stations' clocks faster: waits, days and outages shrink, wires and processors do not.
    """

    stations: int
    scenario: Scenario = "outage"
    seconds: float = 20.0
    outage_s: float = 30.0
    visits_a_day: float = 143.0
    queued_visits: int = 5
    speed: float = 1.0
    seed: int = 1
    given: Given = field(default_factory=Given)


class Summary(msgspec.Struct):
    """What came of it; times in real seconds but those in ``comeback``, which are the stations'."""

    stations: int
    scenario: str
    seed: int
    speed: float
    database: str
    took_s: float = 0.0
    entries: int = 0
    batches: int = 0
    tries: int = 0
    comeback: Comeback | None = None
    peak_queue: int = 0
    drained_s: float = 0.0
    drained_entries_per_s: float | None = None
    steady_p50_ms: float | None = None
    steady_p99_ms: float | None = None
    cpu_s: dict[str, float] = {}
    bytes_per_entry: float | None = None
    reports: dict[str, int] = {}
    wrong: list[str] = []


def run(wish: Wish, say: Callable[[str], None] = lambda _: None) -> Summary:
    """DemoError where it cannot start."""
    if not 1 <= wish.stations <= MAX_STATIONS:
        raise DemoError(f"{wish.stations} stations are not from 1 to {MAX_STATIONS}.")
    if wish.scenario == "outage" and wish.given.broker:
        raise DemoError("Somebody else's broker is not killed. Leave --broker out, or run a day.")
    _demand_files(wish.stations + SPARE_FILES)
    with closing(City(wish.given)) as city:
        return asyncio.run(_Play(wish, city, say).run())


def _demand_files(count: int) -> None:
    """For us and, as they inherit it, for broker and receivers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise DemoError(f"{count} open files are needed and {hard} allowed. Raise ulimit -n.")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


class _Play:
    """One run."""

    def __init__(self, wish: Wish, city: City, say: Callable[[str], None]) -> None:
        self._wish = wish
        self._city = city
        self._say = say
        self._rng = Random(wish.seed)
        self._summary = Summary(
            wish.stations, wish.scenario, wish.seed, wish.speed, city.engine.dialect.name
        )

    async def run(self) -> Summary:
        wish, city, summary = self._wish, self._city, self._summary
        begun_s = time.monotonic()
        names = [f"s{number:05}" for number in range(1, wish.stations + 1)]
        books = [Book(name, wish.seed, city.key) for name in names]
        city.register(books)
        empty_bytes = city.size_bytes()
        self._fleet = Fleet(city.address, asyncio.get_running_loop(), wish.speed)
        self._stations = [Station(book, self._fleet, Random(book.ledger)) for book in books]
        telling = asyncio.create_task(self._tell())
        scenes: dict[Scenario, Callable[[], Coroutine[Any, Any, None]]] = {
            "ramp": self._ramp,
            "day": self._day,
            "outage": self._outage,
            "receivers": self._receivers,
        }
        try:
            await scenes[wish.scenario]()
            await self._drain()
        finally:
            telling.cancel()
            for station in self._stations:
                station.stop()
            with suppress(asyncio.CancelledError):
                await telling
        summary.took_s = time.monotonic() - begun_s
        summary.entries = sum(book.head for book in books)
        summary.batches, summary.tries = self._fleet.batches, self._fleet.tries
        summary.cpu_s = {"fleet": time.process_time(), **city.cpu_s()}
        summary.reports = dict(Counter(self._fleet.reports))
        summary.wrong += city.differences(books)
        summary.bytes_per_entry = (city.size_bytes() - empty_bytes) / summary.entries
        return summary

    # --- the scenes ------------------------------------------------------------------------------

    async def _ramp(self) -> None:
        """All connect, as many a second as a period of the rules would let them, each with a queue."""
        for station in self._stations:
            for _ in range(self._wish.queued_visits):
                station.book.visit()
        for station in self._stations:
            station.start()
            await asyncio.sleep(self._rng.expovariate(RAMP_PER_S * self._wish.speed))
        await self._all_up("everybody is connected")

    async def _day(self) -> None:
        await self._ramp()
        await self._drain()
        await self._people(self._wish.seconds)
        latencies_s = list(self._fleet.latencies_s)
        for share, name in ((0.5, "steady_p50_ms"), (0.99, "steady_p99_ms")):
            value = percentile(latencies_s, share)
            setattr(self._summary, name, None if value is None else value * 1000)

    async def _outage(self) -> None:
        await self._day()
        await self._people(STEADY_MS / 1000)  # every connection counts as a good one by now
        assert self._city.broker is not None, "only our own broker is killed"
        self._say("the broker is killed")
        self._city.broker.kill()
        await self._people(self._wish.outage_s)
        back_s = self._fleet.loop.time()
        self._city.broker.start()
        await asyncio.to_thread(self._city.await_broker, self._city.address)
        self._say("the broker is back")
        people = asyncio.create_task(self._people(GIVE_UP_S))
        await self._all_up("everybody is back")
        people.cancel()
        self._summary.comeback = comeback(self._fleet.connects_s, back_s, 1 / self._wish.speed)

    async def _receivers(self) -> None:
        await self._day()
        self._say("the receivers are killed")
        for receiver in self._city.receivers:
            receiver.kill()
        await self._people(self._wish.outage_s)
        for receiver in self._city.receivers:
            receiver.start()
        self._say("the receivers are back")

    async def _people(self, stations_s: float) -> None:
        """Visits for so long by the stations' clocks, each at a station drawn at random."""
        speed, wish = self._wish.speed, self._wish
        per_s = wish.stations * wish.visits_a_day / OPEN_S * speed
        loop = self._fleet.loop
        next_s, end_s = loop.time(), loop.time() + stations_s / speed
        while True:
            next_s += self._rng.expovariate(per_s)
            await asyncio.sleep(max(0.0, min(next_s, end_s) - loop.time()))
            if next_s >= end_s:
                return
            self._rng.choice(self._stations).visit()

    async def _all_up(self, what: str) -> None:
        await self._until(lambda: all(station.up for station in self._stations), what)

    async def _drain(self) -> None:
        began_s, queue = self._fleet.loop.time(), self._queue()
        await self._until(lambda: all(s.drained for s in self._stations), "nothing is left to send")
        took_s = self._fleet.loop.time() - began_s
        self._summary.drained_s = took_s
        self._summary.drained_entries_per_s = queue / took_s if took_s > 0 and queue else None

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        give_up_s = self._fleet.loop.time() + GIVE_UP_S
        while not true():
            if self._fleet.loop.time() > give_up_s:
                self._summary.wrong.append(f"never within {GIVE_UP_S:.0f} s: {what}")
                return
            await asyncio.sleep(LOOK_S)
        self._say(what)

    # --- what is told ----------------------------------------------------------------------------

    def _queue(self) -> int:
        return sum(station.book.head - station.book.watermark for station in self._stations)

    async def _tell(self) -> None:
        """A line a second."""
        fleet, before = self._fleet, (0, 0, 0, 0)
        while True:
            await asyncio.sleep(1.0)
            queue = self._queue()
            self._summary.peak_queue = max(self._summary.peak_queue, queue)
            now = (len(fleet.connects_s), fleet.tries, fleet.batches, fleet.appended)
            connects, tries, batches, appended = (a - b for a, b in zip(now, before, strict=True))
            before = now
            behind = max(station.book.head - station.book.watermark for station in self._stations)
            self._say(
                f"{fleet.connected:6} connected {connects:5}/s of {tries:5} tries/s "
                f"{batches:6} batches/s {appended:6} entries/s  queue {queue:7}, longest {behind}"
            )
