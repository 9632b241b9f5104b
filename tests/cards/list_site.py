"""A city that keeps a list of cards, and a station's clock that a test moves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.cards.list_files import City
from kiosk.cards.lists import CardLists, Verdict
from kiosk.core.cards.lists import ListUse
from kiosk.core.cards.staleness import StaleRules, WhenOld
from kiosk.core.entries import ClockQuality
from kiosk.core.events import Moment
from sync.messages.card_lists import Delta, ListName, Word, encode_delta, encode_full, join
from sync.signing import Signer

CITY = "demo"
CITY_KEY = Signer(b"city-key-of-the-tests---32-bytes")
OTHER_KEY = Signer(b"some-other-key-of-the-tests-32-b")
TODAY = 20_700
DAY_MS = 86_400_000


def card(number: int) -> bytes:
    """A pseudonym, as evenly spread as an HMAC's."""
    return hashlib.sha256(b"%d" % number).digest()[:16]


def cards(first: int, last: int) -> frozenset[bytes]:
    return frozenset(map(card, range(first, last)))


@dataclass
class CityList:
    """One list at the city: what was published as full, and what changed since."""

    name: ListName = "closed"
    signer: Signer = CITY_KEY
    city: str = CITY
    epoch: int = 1
    version: int = 0
    day: int = TODAY
    base: int = 0
    full: frozenset[bytes] = frozenset()
    now: frozenset[bytes] = frozenset()
    retained: dict[str, bytes] = field(default_factory=dict)

    def publish_full(self, names: Iterable[bytes]) -> None:
        self.version += 1
        self.base = self.version
        self.full = self.now = frozenset(names)
        word = Word(self.epoch, self.version, self.day)
        manifest, parts = encode_full(self.city, self.name, word, join(self.full), self.signer)
        self.retained = {f"{self.name}/full/{n}": body for n, body in enumerate(parts)}
        self.retained[f"{self.name}/full"] = manifest
        self.say_again()

    def change(self, *, add: Iterable[bytes] = (), remove: Iterable[bytes] = ()) -> None:
        self.version += 1
        self.now = (self.now | frozenset(add)) - frozenset(remove)
        self.say_again()

    def say_again(self) -> None:
        """The delta of today, changed or not."""
        delta = Delta(
            Word(self.epoch, self.version, self.day),
            self.base,
            self.now - self.full,
            self.full - self.now,
        )
        self.retained[f"{self.name}/delta"] = encode_delta(self.city, self.name, delta, self.signer)


@dataclass
class Clock:
    """The station's clocks."""

    boot_ms: int = 60_000
    day: float = TODAY
    quality: ClockQuality = "synced"

    def now(self) -> Moment:
        utc_ms = int(self.day * DAY_MS) + DAY_MS // 2
        return Moment(self.boot_ms, utc_ms, self.quality, utc_ms // DAY_MS)

    def pass_days(self, days: float) -> None:
        self.boot_ms += int(days * DAY_MS)
        self.day += days

    def reboot(self) -> None:
        self.boot_ms = 5_000


def lists(
    folder: Path,
    clock: Clock,
    *,
    use: ListUse = "as_sent",
    when_old: WhenOld = "accept_proving",
    key: Signer = CITY_KEY,
) -> CardLists:
    """A station's lists as they come up at a start."""
    city = City(CITY, key.public_key)
    rules = StaleRules(good_days=30, end_days=90, when_old=when_old)
    return CardLists(folder, city=city, use=use, rules=rules, now=clock.now)


def deliver(station: CardLists, city: CityList, *, limit: int = 500) -> list[str]:
    """What a broker and an uplink do after connecting: hand in what is retained on the topics that are
    always listened to, then what the station asks for. The topics of the parts that travelled."""
    topics = [f"{city.name}/full", f"{city.name}/delta"]
    travelled = []
    while topics:
        topic = topics.pop(0)
        limit -= 1
        assert limit, "the station never stops asking"
        payload = city.retained.get(topic)
        if payload is None:
            continue
        if topic.count("/") == 2:
            travelled.append(topic)
        verdict: Verdict = station.accept(topic, payload)
        topics += [topic for topic in verdict.wants if topic not in topics]
    return travelled
