"""The city's catalogue and tariff at the station: which is in force, and what becomes of the city's words.

Theory. Words come in on the control socket's threads, are proven, ordered (``kiosk.core.schedule``) and
kept durably. The main thread looks once a second whether one's moment has come, and then hands the
rules an event: its entry is written first, and visits that begin after it count by it. Until a first
word counts, and where nothing kept can be proven, the station's own files do. What is refused is an
``alarm`` entry, so that the city sees it too.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from kiosk.core.catalogue import Catalogue, TariffTable
from kiosk.core.config import StationRules
from kiosk.core.entries import Alarm, AnyDraft, CatalogueBegun, TariffBegun
from kiosk.core.events import Moment, TownSaid
from kiosk.core.schedule import Term
from kiosk.settings import Points, Settings
from kiosk.town import fitting
from kiosk.town.file import Damaged, Kept, Told, TownFile
from kiosk.words import Verdict
from sync.messages import Malformed
from sync.messages.town import KINDS, Kind, TownWord, read, table_of

LOG = logging.getLogger("kiosk.town")

FOLDER = "town"
"""Below the data folder."""
ALARM = "city_word"
"""Code of the alarm; its subject is ``catalogue`` or ``tariff``, its detail why."""
ALARM_EVERY_MS = 3_600_000
"""Whoever may write on the broker fills no ledger with alarms."""
MAX_DETAIL = 200


@dataclass(frozen=True, slots=True)
class InForce:
    """What counts now. ``effective_ms`` UTC, None for the station's own file."""

    source: Literal["city", "file"]
    version: int
    digest: str
    effective_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The last message that did not count: why, where in it, and when (boottime)."""

    reason: str
    detail: str
    t_ms: int


@dataclass(slots=True)
class _One:
    """The catalogue's, or the tariff's."""

    kind: Kind
    wanted: bool
    file: TownFile
    own: InForce
    now: InForce
    kept: Kept = field(default_factory=Kept)
    refused: Refused | None = None
    unfit: dict[str, str] = field(default_factory=dict)
    """What does not fit, by digest of what was looked at; of the words that are kept."""
    posted: InForce | None = None
    alarm_posted: Refused | None = None
    off_posted: bool = False
    alarmed_ms: int | None = None


class Town:
    """A taker of ``/catalogue`` and ``/tariff`` (``kiosk.words``), and what they bring into force."""

    def __init__(self, settings: Settings, own: Catalogue, now: Callable[[], Moment]) -> None:
        """``own`` is the catalogue in the station's file."""
        self._settings, self._own, self._now = settings, own, now
        self._lock = threading.Lock()
        self.catalogue: Catalogue = own
        self.points: Points = settings.points
        self._ones: dict[Kind, _One] = {}
        city = settings.city
        if city is None:
            return
        owns = {
            "catalogue": InForce("file", own.version, _digest(own)),
            "tariff": InForce("file", settings.points.tariff, _digest(settings.points)),
        }
        for kind in KINDS:
            file = TownFile(settings.paths.data / FOLDER, kind, settings.station.city, city.key)
            one = _One(kind, getattr(city, kind) == "city", file, owns[kind], owns[kind])
            self._ones[kind] = one
            self._load(one)
        self._choose(now())

    # -- the control socket's threads -----------------------------------------------------------

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(f"/{one.kind}" for one in self._ones.values() if one.wanted)

    def takes(self, topic: str) -> bool:
        return topic in self.topics

    def accept(self, topic: str, payload: bytes) -> Verdict:
        """A message of the city's."""
        one = next(each for each in self._ones.values() if f"/{each.kind}" == topic)
        city, now = self._settings.city, self._now()
        assert city is not None, "without a city nothing is listened to"
        with self._lock:
            try:
                words = read(one.kind, payload, self._settings.station.city, city.key)
                reason, detail = self._take(one, words)
            except Malformed as malformed:
                reason, detail = malformed.code, f"{malformed}"
            except OSError as error:
                reason, detail = "storage", error.strerror or "?"
            if reason is None:
                one.refused = None
            else:
                LOG.warning("the city's %s was refused: %s: %s", one.kind, reason, detail)
                one.refused = Refused(reason, detail[:MAX_DETAIL], now.boot_ms)
            return Verdict(reason)

    def _take(self, one: _One, words: list[TownWord]) -> tuple[str | None, str]:
        """All of a message or nothing; then whether this station can live with it."""
        kept = one.kept
        for word in words:
            refusal = kept.schedule.refusal(word.term)
            if refusal == "conflict" or (refusal and word is words[-1]):
                return refusal, f"version {word.term.version}"
            if refusal is None:
                kept = kept.with_word(word)
        if kept != one.kept:
            one.file.save(kept)
            one.kept = kept
        misfit = self._misfit(one, kept.words[-1])
        return (None, "") if misfit is None else ("misfit", misfit)

    # -- the main thread ------------------------------------------------------------------------

    def tick(self, now: Moment) -> TownSaid | None:
        """Called every second or so: what the rules have to be told, once."""
        if not self._ones or not self._lock.acquire(blocking=False):
            return None
        try:
            self._choose(now)
            drafts = [draft for one in self._ones.values() for draft in self._news(one, now)]
        finally:
            self._lock.release()
        return TownSaid(now.boot_ms, tuple(drafts), self.rules()) if drafts else None

    def rules(self) -> StationRules:
        """The settings' rules, with what is in force."""
        settings = msgspec.structs.replace(self._settings, points=self.points)
        return settings.rules(self.catalogue)

    def committed(self, drafts: Iterable[AnyDraft]) -> None:
        """Entries are durable: what is told in them is not told again."""
        for draft in drafts:
            if isinstance(draft, CatalogueBegun | TariffBegun):
                kind: Kind = "catalogue" if isinstance(draft, CatalogueBegun) else "tariff"
                with self._lock:
                    told = Told(draft.source, draft.version, draft.digest)
                    self._keep(self._ones[kind], told=told)
            elif isinstance(draft, Alarm) and draft.code == ALARM:
                reason = draft.detail.partition(":")[0] if draft.state == "on" else None
                with self._lock:
                    self._keep(
                        self._ones["tariff" if draft.subject == "tariff" else "catalogue"],
                        refused=reason,
                    )

    def in_force(self, kind: Kind) -> InForce:
        """What counts now."""
        return self._ones[kind].now

    def waiting(self, kind: Kind) -> InForce | None:
        """What comes into force next."""
        one = self._ones[kind]
        terms = one.kept.schedule.waiting() if one.wanted else ()
        return _in_force(terms[0]) if terms else None

    def refused(self, kind: Kind) -> Refused | None:
        return self._ones[kind].refused

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Both, or none without a city: then only the settings count."""
        return tuple(self._ones)

    # -- what is in force -----------------------------------------------------------------------

    def _load(self, one: _One) -> None:
        now = self._now()
        try:
            one.kept = one.file.load()
        except Damaged as damaged:
            LOG.warning("the city's %s is damaged: %s", one.kind, damaged.reason)
            # What the ledger was told last is not known: it is told again.
            one.kept = Kept(told=Told("city", 0, ""))
            one.refused = Refused("damaged", damaged.reason, now.boot_ms)
            return
        if one.kept.refused is not None:
            one.refused = Refused(one.kept.refused, "", now.boot_ms)

    def _choose(self, now: Moment) -> None:
        """Brings into force what is due and fits; catalogue first, since rates are of its items."""
        before = [one.now for one in self._ones.values()]
        for one in self._ones.values():
            if not one.wanted:
                continue
            for version in one.kept.schedule.due(now):
                word = one.kept.word(version)
                assert word is not None
                misfit = self._misfit(one, word)
                if misfit is None:
                    self._begin(one, version)
                    break
                one.refused = one.refused or Refused("misfit", misfit, now.boot_ms)
            one.now = self._counting(one, now)
        if [one.now for one in self._ones.values()] != before:
            self._use()

    def _counting(self, one: _One, now: Moment) -> InForce:
        """What was brought into force, where the settings have not changed so that it cannot be."""
        word = one.kept.word(one.kept.schedule.in_force)
        if word is None:
            return one.own
        misfit = self._misfit(one, word)
        if misfit is None:
            return _in_force(word.term)
        one.refused = one.refused or Refused("misfit", misfit, now.boot_ms)
        return one.own

    def _begin(self, one: _One, version: int) -> None:
        one.kept = one.kept.begun(version)
        if one.refused is not None and one.refused.reason == "misfit":
            one.refused = None
        self._keep(one)

    def _use(self) -> None:
        """The tables of what is in force, parsed once."""
        self.catalogue, self.points = self._own, self._settings.points
        for one in self._ones.values():
            word = one.kept.word(one.now.version) if one.now.source == "city" else None
            if word is None:
                continue
            table = table_of(one.kind, word.term.version, word.content)
            if isinstance(table, Catalogue):
                self.catalogue = table
            else:
                self.points = fitting.points_of(self._settings, table, self.catalogue)

    def _misfit(self, one: _One, word: TownWord) -> str | None:
        """Looked at once: settings do not change while the station runs."""
        digest = word.term.digest
        if digest not in one.unfit:
            held = {each.term.digest for each in one.kept.words}
            one.unfit = {key: value for key, value in one.unfit.items() if key in held}
            table = table_of(one.kind, word.term.version, word.content)
            found = (
                fitting.tariff_misfit(self._settings, table)
                if isinstance(table, TariffTable)
                else fitting.catalogue_misfit(self._settings, table)
            )
            one.unfit[digest] = found or ""
        return one.unfit[digest] or None

    # -- what the ledger is told ----------------------------------------------------------------

    def _news(self, one: _One, now: Moment) -> Iterable[AnyDraft]:
        told, here = one.kept.told, one.now
        if told is None:
            known = here.source == "file"
        else:
            known = (told.source, told.version, told.digest) == (
                here.source, here.version, here.digest,
            )  # fmt: skip
        if not known and one.posted != here:
            one.posted = here
            draft = CatalogueBegun if one.kind == "catalogue" else TariffBegun
            yield draft(here.version, here.source, here.digest, here.effective_ms)
        yield from self._alarm(one, now)

    def _alarm(self, one: _One, now: Moment) -> Iterable[AnyDraft]:
        """Refused begins or ends; nothing while the ledger says so already, or is about to."""
        refused = one.refused
        if refused is None:
            one.alarm_posted = None
            if one.kept.refused is not None and not one.off_posted:
                one.off_posted = True
                yield Alarm(ALARM, one.kind, "off", "")
            return
        one.off_posted = False
        said = one.alarm_posted is not None and one.alarm_posted.reason == refused.reason
        quiet = one.alarmed_ms is not None and now.boot_ms - one.alarmed_ms < ALARM_EVERY_MS
        if refused.reason != one.kept.refused and not said and not quiet:
            one.alarm_posted, one.alarmed_ms = refused, now.boot_ms
            yield Alarm(ALARM, one.kind, "on", f"{refused.reason}: {refused.detail}".rstrip(": "))

    def _keep(self, one: _One, **changes: object) -> None:
        one.kept = replace(one.kept, **changes)  # type: ignore[arg-type]
        try:
            one.file.save(one.kept)
        except OSError as error:
            LOG.warning("the city's %s cannot be written down: %s", one.kind, error)


def _in_force(term: Term) -> InForce:
    return InForce("city", term.version, term.digest, term.effective_ms)


def _digest(table: Catalogue | Points) -> str:
    return hashlib.sha256(msgspec.json.encode(table, order="deterministic")).hexdigest()
