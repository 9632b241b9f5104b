"""Gathers the facts of the running station for ``status``, ``doctor`` and the health topic."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from drivers.clock import boottime_ms
from kiosk import __version__
from kiosk.core import certified
from kiosk.facts import (
    BinFacts,
    CardFacts,
    DeviceFacts,
    Facts,
    LinkFacts,
    ListFacts,
    OrderFacts,
    TownFacts,
)
from kiosk.loop import INBOX_EVENTS
from kiosk.nodump import may_dump_core

if TYPE_CHECKING:
    from drivers.worker import Device
    from kiosk.balances import Balances
    from kiosk.cards.lists import CardLists
    from kiosk.clock import StationClock
    from kiosk.commands import Commands
    from kiosk.core.station import Station
    from kiosk.core.view import BinView
    from kiosk.ledger import Ledger
    from kiosk.ledger.acks import AckVerdict
    from kiosk.loop import Loop
    from kiosk.noticing import Noticing
    from kiosk.settings import Settings
    from kiosk.town.town import Town


DAY_MS = 86_400_000
UPLINK_SILENT_MS = 30_000
"""The uplink asks for news at least every ten seconds; after so much silence it does not run."""


class Screen(Protocol):
    """What is asked of the residents' screen."""

    def beat_ms(self) -> int: ...


class Gathering:
    """Reads what other threads own, without a lock: each value is one reference, a moment old."""

    def __init__(
        self,
        settings: Settings,
        clock: StationClock,
        ledger: Ledger,
        station: Station,
        loop: Loop,
        devices: Sequence[Device],
        screen: Screen,
        noticed: Noticing,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._ledger = ledger
        self._station = station
        self._loop = loop
        self._devices = devices
        self._screen = screen
        self._noticed = noticed
        self._started_ms = boottime_ms()
        self._acked_ms: int | None = None
        self._link = LinkFacts()
        self._linked_ms: int | None = None
        self._trouble: tuple[str, int] | None = None
        self._asked_ms: int | None = None
        self.card_lists: CardLists | None = None
        """Set once they are read: the ledger comes first."""
        self.town: Town | None = None
        self.commands: Commands | None = None
        self.balances: Balances | None = None

    def acknowledged(self, verdict: AckVerdict) -> None:
        """The city's word came."""
        if verdict.accepted:
            self._acked_ms = boottime_ms()

    def linked(
        self, online: bool, code: str | None, words: str, certificate_ms: int | None
    ) -> None:
        """The uplink's word came."""
        self._link = LinkFacts(online=online, code=code, words=words, certificate_ms=certificate_ms)
        self._linked_ms = boottime_ms()
        if code is not None:
            self._trouble = (code, self._linked_ms)

    def asked(self) -> None:
        """The uplink asked for news: it runs."""
        self._asked_ms = boottime_ms()

    def link(self) -> LinkFacts:
        """Its last word, for as long as it is there to take it back."""
        now_ms, link = boottime_ms(), self._link
        if self._asked_ms is None or now_ms - self._asked_ms > UPLINK_SILENT_MS:
            return LinkFacts()
        if self._linked_ms is None:
            return LinkFacts(code="connecting")
        trouble, told_ms = self._trouble or (None, None)
        return msgspec.structs.replace(
            link,
            age_ms=now_ms - self._linked_ms,
            trouble=trouble,
            trouble_age_ms=None if told_ms is None else now_ms - told_ms,
            certificate_days=self._days_to(link.certificate_ms),
        )

    def _days_to(self, utc_ms: int | None) -> int | None:
        now = self._clock.now()
        if utc_ms is None or now.clock != "synced":
            return None
        return (utc_ms - now.utc_ms) // DAY_MS

    def gather(self) -> Facts:
        settings, now = self._settings, self._clock.now()
        progress = self._ledger.progress
        view = self._station.view()
        failed = self._loop.storage_error
        return Facts(
            station=settings.station.id,
            city=settings.station.city,
            name=settings.station.name,
            ledger=self._ledger.ledger_id,
            software=__version__,
            public_key=self._ledger.public_key.hex(),
            settings=settings.digest(),
            uptime_ms=now.boot_ms - self._started_ms,
            head_seq=progress.head_seq,
            watermark=progress.watermark,
            epoch=progress.epoch,
            clock=now.clock,
            disk_free_bytes=shutil.disk_usage(settings.paths.data).free,
            screen_port=settings.screen.port,
            screen_up=now.boot_ms - self._screen.beat_ms() < 5_000,
            link=self.link(),
            uplink_wanted=settings.mqtt is not None,
            last_ack_age_ms=None if self._acked_ms is None else now.boot_ms - self._acked_ms,
            storage_trouble=None if failed is None else failed.code,
            inbox=self._loop.waiting,
            inbox_max=INBOX_EVENTS,
            visits_open=view.visits_open,
            cards=self._cards(view.checkins, view.refusals, now.boot_ms),
            lists=() if self.card_lists is None else self._lists(self.card_lists, now.boot_ms),
            town=() if self.town is None else town_facts(self.town, now.boot_ms),
            closed_here=0 if self.card_lists is None else self.card_lists.closed_here(),
            core_dumps=may_dump_core(),
            devices=(
                *(self._device(d, now.boot_ms) for d in self._devices),
                *self._threadless(now.boot_ms),
            ),
            bins=tuple(self._bin(one, now.boot_ms) for one in view.bins),
            orders=self._orders(now.boot_ms),
            temperature_mc=self._station.temperature_mc,
            warm=view.warm,
        )

    def _orders(self, now_ms: int) -> OrderFacts:
        standing = self._station.standing
        refused = None if self.commands is None else self.commands.refused
        answer = None if self.balances is None else self.balances.refused
        return OrderFacts(
            closed=standing.closed,
            closed_by=standing.closed_by,
            locked=standing.locked,
            refused=None if refused is None else refused.code,
            refused_age_ms=None if refused is None else now_ms - refused.t_ms,
            answer_refused=None if answer is None else answer.code,
            answer_refused_age_ms=None if answer is None else now_ms - answer.t_ms,
        )

    def _cards(self, taken: int, refused: int, now_ms: int) -> CardFacts:
        last = self._noticed.refused
        return CardFacts(
            taken=taken,
            refused=refused,
            reason=None if last is None else last.reason,
            age_ms=None if last is None else now_ms - last.t_ms,
        )

    def _lists(self, lists: CardLists, now_ms: int) -> tuple[ListFacts, ...]:
        found = []
        for name in lists.wanted:
            held, refused = lists.held(name), lists.refused(name)
            needed = name in lists.in_force()
            found.append(
                ListFacts(
                    name=name,
                    needed=needed,
                    worth=lists.worth(name) if needed or held is not None else None,
                    epoch=None if held is None else held.epoch,
                    version=None if held is None else held.version,
                    count=None if held is None else len(held),
                    age_days=lists.age_days(name),
                    end_days=self._settings.cards.list_end_days,
                    missing_parts=lists.missing_parts(name),
                    refused=None if refused is None else refused.reason,
                    refused_age_ms=None if refused is None else now_ms - refused.t_ms,
                )
            )
        return tuple(found)

    def _threadless(self, now_ms: int) -> list[DeviceFacts]:
        """What is lost and has no thread that could tell: lamps and the buzzer."""
        threads = {device.name for device in self._devices}
        return [
            DeviceFacts(
                name=name,
                state="lost",
                code=lost.code,
                detail=lost.detail,
                since_ms=now_ms - lost.t_ms,
            )
            for name, lost in self._station.lost.copy().items()
            if name not in threads
        ]

    def _device(self, device: Device, now_ms: int) -> DeviceFacts:
        lost = self._station.lost.get(device.name)
        return DeviceFacts(
            name=device.name,
            state="ok" if lost is None else "lost",
            code=None if lost is None else lost.code,
            detail="" if lost is None else lost.detail,
            since_ms=now_ms - (self._started_ms if lost is None else lost.t_ms),
            beat_age_ms=now_ms - device.beat_ms(),
            hint=device.hint,
        )

    def _bin(self, view: BinView, now_ms: int) -> BinFacts:
        bin_ = self._station.bins[view.bin]
        scale, pace = bin_.rules.scale, self._noticed.paces.get(view.bin)
        return BinFacts(
            bin=view.bin,
            item=view.item,
            state=view.state,
            scale=scale is not None,
            gross_g=bin_.book.gross_g,
            live_g=view.live_g,
            fill_pct=view.fill_pct,
            rejected=bin_.rejected + (0 if pace is None else pace.refused),
            samples_per_s=None if pace is None else pace.samples_per_s(now_ms),
            rate_sps=None if scale is None else scale.rate_sps,
            seal="none" if scale is None else certified.seal(bin_, self._clock.now()),
            full=view.full,
            broken=view.broken,
        )

    def health(self) -> dict[str, Any]:
        """For the health topic (``sync.messages.Health``): nothing of residents."""
        facts = self.gather()
        return {
            "queue": facts.queue,
            "uptime_s": facts.uptime_ms // 1000,
            "disk_free_bytes": facts.disk_free_bytes,
            "temperature_mdeg": facts.temperature_mc,
            "scales": {d.subject: d.code or "ok" for d in facts.devices if d.kind == "scale"},
            "readers": {d.subject: d.code or "ok" for d in facts.devices if d.kind == "reader"},
            "town": {
                one.kind: f"{one.source} {one.version} {one.refused or 'ok'}" for one in facts.town
            },
        }


def town_facts(town: Town, now_ms: int) -> tuple[TownFacts, ...]:
    """What is in force of the city's catalogue and tariff."""
    found = []
    for kind in town.kinds:
        here, then, refused = town.in_force(kind), town.waiting(kind), town.refused(kind)
        found.append(
            TownFacts(
                kind=kind,
                source=here.source,
                version=here.version,
                since_ms=here.effective_ms,
                next_version=None if then is None else then.version,
                next_ms=None if then is None else then.effective_ms,
                refused=None if refused is None else refused.reason,
                refused_detail="" if refused is None else refused.detail,
                refused_age_ms=None if refused is None else now_ms - refused.t_ms,
            )
        )
    return tuple(found)
