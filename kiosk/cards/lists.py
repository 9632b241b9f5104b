"""The city's lists of cards at the station: taken in word by word, and looked into by every reader.

Theory. A reader's thread takes one reference to what is held now and looks; nobody waits for anybody.
Words come in through the control socket, one at a time under a lock: proven by the city's signature,
newer than what is held, written durably, and only then held. What the station needs of a whole list
it asks for (``wants``), a few parts at a time, so nothing queues anywhere and a station that has the
list is not sent it again.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.cards.list_files import City, Damaged, ListFiles, Making, Whole
from kiosk.cards.list_memory import Memory, MemoryFile
from kiosk.cards.local import ClosedHere
from kiosk.core.cards.knowledge import Standing
from kiosk.core.cards.lists import DAY_MS, CardList, ListUse, holds
from kiosk.core.cards.staleness import StaleRules, Worth
from kiosk.core.errors import KioskError
from kiosk.core.events import Moment
from kiosk.words import Verdict
from sync.messages import Malformed
from sync.messages.card_lists import (
    MAX_PARTS,
    NAMES,
    Delta,
    ListName,
    Word,
    read_delta,
    read_full,
    read_part,
)

LOG = logging.getLogger("kiosk.lists")

WANTS_AT_ONCE = 4
_PART = re.compile(r"[0-9]{1,3}")
SAVE_MS = 600_000
QUIET = frozenset({"old", "other_base", "not_asked"})
"""Ordinary: a retained word come again, or words that overtook each other."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The last word that did not count: why, and when (boottime)."""

    reason: str
    t_ms: int


@dataclass(slots=True)
class _One:
    """One list: what is held, and what is on its way."""

    files: ListFiles
    whole: Whole | None = None
    delta: Delta | None = None
    making: Making | None = None
    refused: Refused | None = None
    wants_delta: bool = False
    passed_over: set[int] = field(default_factory=set)
    """Parts that were refused: not asked for again before the city, or the uplink, begins anew."""


class CardLists:
    """What ``kiosk.core.cards.knowledge.Lists`` asks for, and the station's end of the lists' topics."""

    def __init__(
        self,
        folder: Path,
        *,
        city: City | None,
        use: ListUse,
        rules: StaleRules,
        now: Callable[[], Moment],
    ) -> None:
        """``city`` None: nobody's word can be believed, and so there are no lists."""
        self._city, self._use, self._rules, self._now = city, use, rules, now
        self._lock = threading.Lock()
        self._here = ClosedHere(folder)
        self._closed_here: frozenset[bytes] = frozenset()
        self._here_trouble: str | None = None
        self._lists = {name: _One(ListFiles(folder, name)) for name in NAMES}
        self._held: dict[ListName, CardList] = {}
        self._file = MemoryFile(folder)
        self._memory = self._file.load(now())
        if city is not None:
            for name in self.wanted:
                self._load(name, city)

    @property
    def wanted(self) -> tuple[ListName, ...]:
        """The lists whose words are taken."""
        if self._city is None:
            return ()
        return NAMES if self._use == "allowed" else ("closed",)

    def in_force(self) -> tuple[ListName, ...]:
        """The lists that have to be there: by the settings, or because there was one."""
        needed = {"closed": {"closed"}, "allowed": {"allowed"}, "as_sent": set[str]()}[self._use]
        return tuple(n for n in self.wanted if n in needed or n in self._memory.held)

    # -- readers' threads -----------------------------------------------------------------------

    def standing(self, name: bytes, /, *, proves: bool = True) -> Standing:
        """Whether the lists let this card pass. ``proves`` whether the card proves itself: one that
        does may count a while longer than its list."""
        held = self._held
        if name in self._closed_here_now() or ("closed" in held and name in held["closed"]):
            return "closed"
        if "allowed" in held and name not in held["allowed"]:
            return "unlisted"
        ages = [self.age_days(one) for one in self.in_force()]
        if ages and not self._rules.admits(max(ages), proves=proves):
            return "list_old"
        return "good"

    def _closed_here_now(self) -> frozenset[bytes]:
        try:
            self._closed_here = self._here.names()
        except KioskError as error:
            if self._here_trouble != error.code:
                LOG.warning("%s", error)
            self._here_trouble = error.code
        else:
            self._here_trouble = None
        return self._closed_here

    def age_days(self, name: ListName) -> int:
        """Certain days since the city's last word on it. A list that is not there is an old one from
        the beginning, and ends as they do."""
        past = self._memory.past.at(self._now())
        held = self._held.get(name)
        if held is not None:
            return past.age_days(held.day)
        return max(past.age_days(None), self._rules.good_days + 1)

    def worth(self, name: ListName) -> Worth:
        """What it is worth now by the settings."""
        return self._rules.worth(self.age_days(name))

    # -- the control socket's threads -----------------------------------------------------------

    @property
    def topics(self) -> tuple[str, ...]:
        """What the uplink has to listen to; whole lists' parts are asked for one by one."""
        return tuple(f"{name}/{what}" for name in self.wanted for what in ("full", "delta"))

    def takes(self, topic: str) -> bool:
        return topic.split("/")[0] in NAMES

    def accept(self, topic: str, payload: bytes) -> Verdict:
        """A message of ``closed/…`` or ``allowed/…``; the topic without its prefix."""
        name, part = _place(topic)
        if self._city is None or name is None or name not in self.wanted:
            return Verdict("not_asked")
        city = self._city
        one, now = self._lists[name], self._now()
        with self._lock:
            try:
                if part == "full":
                    reason = self._full(name, one, payload, city, now)
                elif part == "delta":
                    reason = self._delta(name, one, payload, city, now)
                else:
                    one.passed_over.add(int(part))
                    reason = self._part(name, one, payload, city)
            except Malformed as malformed:
                reason = malformed.code
            except (Damaged, OSError, KioskError) as error:
                LOG.warning("the list of %s cards cannot be kept: %s", name, error)
                self._drop(one)
                reason = "damaged" if isinstance(error, Damaged) else "storage"
            if reason is not None and reason not in QUIET:
                LOG.warning("a word on %s was refused: %s", topic, reason)
                one.refused = Refused(reason, now.boot_ms)
            return Verdict(reason, self._wants(name, one))

    def _full(
        self, name: ListName, one: _One, payload: bytes, city: City, now: Moment
    ) -> str | None:
        full = read_full(payload, city.name, name, city.key)
        if _ahead(full.word, now):
            return "future"
        for known in (
            one.making.full if one.making else None,
            one.whole.full if one.whole else None,
        ):
            if known is not None and full.word <= known.word:
                one.passed_over.clear()
                return None if full == known else "old"
        self._drop(one)
        one.passed_over.clear()
        one.making = one.files.begin(payload, full)
        if one.whole is not None:
            one.making.put_same(one.whole)
        return self._completed(name, one, city)

    def _part(self, name: ListName, one: _One, payload: bytes, city: City) -> str | None:
        if one.making is None:
            return "not_asked"
        one.making.put(read_part(payload, one.making.full))
        return self._completed(name, one, city)

    def _completed(self, name: ListName, one: _One, city: City) -> str | None:
        """The list that was on its way is there, if its last part is."""
        making = one.making
        if making is None or not making.whole:
            return None
        if not making.in_order():
            self._drop(one)
            return "records"
        making.finish()
        one.making = None
        one.whole = one.files.load(city)
        if one.whole is None or (one.delta is not None and not _joins(one.delta, one.whole)):
            one.delta = None
        one.wants_delta = one.delta is None
        self._hold(name, one)
        return None

    def _delta(
        self, name: ListName, one: _One, payload: bytes, city: City, now: Moment
    ) -> str | None:
        delta = read_delta(payload, city.name, name, city.key)
        if _ahead(delta.word, now):
            return "future"
        if one.delta is not None and delta.word <= one.delta.word:
            return None if delta == one.delta else "old"
        if one.whole is None or not _joins(delta, one.whole):
            one.passed_over.clear()
            return "other_base"
        whole = one.whole
        if any(holds(whole.file, each, start=whole.start) for each in delta.added) or not all(
            holds(whole.file, each, start=whole.start) for each in delta.removed
        ):
            return "records"
        one.files.keep_delta(payload)
        one.delta, one.wants_delta = delta, False
        self._hold(name, one)
        return None

    def _wants(self, name: ListName, one: _One) -> tuple[str, ...]:
        if one.making is not None:
            missing = [n for n in one.making.missing(MAX_PARTS) if n not in one.passed_over]
            return tuple(f"{name}/full/{part}" for part in missing[:WANTS_AT_ONCE])
        if one.wants_delta:
            one.wants_delta = False  # asked once; the next word of the city's comes by itself
            return (f"{name}/delta",)
        return ()

    # -- what is held ---------------------------------------------------------------------------

    def _load(self, name: ListName, city: City) -> None:
        """What lies in the files. What does not prove itself is told, and asked for again."""
        one, now = self._lists[name], self._now()
        try:
            one.whole = one.files.load(city)
            if one.whole is not None:
                delta = one.files.load_delta(city)
                one.delta = delta if delta is not None and _joins(delta, one.whole) else None
                self._hold(name, one)
        except (Damaged, OSError, KioskError) as error:
            LOG.warning("the list of %s cards is damaged: %s", name, error)
            one.refused = Refused("damaged", now.boot_ms)
            if one.whole is not None:  # the delta alone: the city says it anew
                self._hold(name, one)

    def _hold(self, name: ListName, one: _One) -> None:
        """From now on this is what readers look into."""
        whole, delta = one.whole, one.delta
        if whole is None:
            return
        word = whole.full.word if delta is None else max(delta.word, whole.full.word)
        empty: frozenset[bytes] = frozenset()
        held = CardList(
            epoch=word.epoch,
            version=word.version,
            day=word.day,
            records=whole.file,
            start=whole.start,
            added=empty if delta is None else delta.added,
            removed=empty if delta is None else delta.removed,
        )
        self._held = {**self._held, name: held}
        now = self._now()
        self._remember(self._memory.told(name, word.day, now), now)
        if name == "closed":
            self._answered(held)

    def _answered(self, held: CardList) -> None:
        """What was closed here alone, and is on the city's list by now, is the city's to open."""
        try:
            self._here.discard_all(each for each in self._here.names() if each in held)
        except KioskError as error:
            LOG.warning("cards closed here: %s", error)

    def _drop(self, one: _One) -> None:
        if one.making is not None:
            one.making.drop()
            one.making = None

    # -- time -----------------------------------------------------------------------------------

    def tick(self, now: Moment) -> None:
        """Called every second or so: every SAVE_MS what is certainly past is written down."""
        if now.boot_ms - self._file.saved_ms < SAVE_MS or not self._lock.acquire(blocking=False):
            return
        try:
            self._remember(self._memory, now)
        finally:
            self._lock.release()

    def _remember(self, memory: Memory, now: Moment) -> None:
        self._memory = memory.at(now)
        try:
            self._file.save(self._memory, now)
        except OSError as error:
            LOG.warning("the lists' age cannot be written down: %s", error)

    # -- for status and doctor ------------------------------------------------------------------

    def held(self, name: ListName) -> CardList | None:
        return self._held.get(name)

    def refused(self, name: ListName) -> Refused | None:
        return self._lists[name].refused

    def missing_parts(self, name: ListName) -> int:
        """Of a whole list on its way."""
        making = self._lists[name].making
        return 0 if making is None else len(making.missing(MAX_PARTS))

    def closed_here(self) -> int:
        return len(self._closed_here_now())


def _joins(delta: Delta, whole: Whole) -> bool:
    word = whole.full.word
    return delta.base == word.version and delta.word.epoch == word.epoch and delta.word >= word


def _ahead(word: Word, now: Moment) -> bool:
    """A word of the day after tomorrow: the city's clock is wrong, or ours is not synchronised."""
    return now.clock == "synced" and word.day > now.utc_ms // DAY_MS + 1


def _place(topic: str) -> tuple[ListName | None, str]:
    """The list, and ``full``, ``delta`` or a part's number; None for what is no list's topic."""
    words = topic.split("/")
    for name in NAMES:
        if words in ([name, "full"], [name, "delta"]):
            return name, words[1]
        if words[:2] == [name, "full"] and len(words) == 3 and _PART.fullmatch(words[2]):
            return name, words[2]
    return None, ""
