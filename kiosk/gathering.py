"""Gathers the facts of the running station for ``status``, ``doctor`` and the health topic."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from drivers.clock import boottime_ms
from kiosk import __version__
from kiosk.facts import BinFacts, DeviceFacts, Facts, LinkFacts
from kiosk.loop import INBOX_EVENTS

if TYPE_CHECKING:
    from drivers.worker import Device
    from kiosk.clock import StationClock
    from kiosk.core.station import Station
    from kiosk.ledger import Ledger
    from kiosk.ledger.acks import AckVerdict
    from kiosk.loop import Loop
    from kiosk.settings import Settings


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
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._ledger = ledger
        self._station = station
        self._loop = loop
        self._devices = devices
        self._screen = screen
        self._started_ms = boottime_ms()
        self._acked_ms: int | None = None
        self._link = LinkFacts()
        self._linked_ms: int | None = None

    def acknowledged(self, verdict: AckVerdict) -> None:
        """The city's word came."""
        if verdict.accepted:
            self._acked_ms = boottime_ms()

    def linked(self, online: bool, code: str | None, words: str) -> None:
        """The uplink's word came."""
        self._link = LinkFacts(online=online, code=code, words=words)
        self._linked_ms = boottime_ms()

    def gather(self) -> Facts:
        settings, now = self._settings, self._clock.now()
        progress = self._ledger.progress
        view = self._station.view()
        link, failed = self._link, self._loop.storage_error
        return Facts(
            station=settings.station.id,
            city=settings.station.city,
            name=settings.station.name,
            ledger=self._ledger.ledger_id,
            software=__version__,
            settings=settings.digest(),
            uptime_ms=now.boot_ms - self._started_ms,
            head_seq=progress.head_seq,
            watermark=progress.watermark,
            epoch=progress.epoch,
            clock=now.clock,
            disk_free_bytes=shutil.disk_usage(settings.paths.data).free,
            screen_port=settings.screen.port,
            screen_up=now.boot_ms - self._screen.beat_ms() < 5_000,
            link=LinkFacts(
                online=link.online,
                code=link.code,
                words=link.words,
                age_ms=None if self._linked_ms is None else now.boot_ms - self._linked_ms,
            ),
            uplink_wanted=settings.mqtt is not None,
            last_ack_age_ms=None if self._acked_ms is None else now.boot_ms - self._acked_ms,
            storage_trouble=None if failed is None else failed.code,
            inbox=self._loop.waiting,
            inbox_max=INBOX_EVENTS,
            visits_open=view.visits_open,
            core_dumps=resource.getrlimit(resource.RLIMIT_CORE)[0] != 0,
            devices=tuple(self._device(d, now.boot_ms) for d in self._devices),
            bins=tuple(self._bin(i) for i in range(len(view.bins))),
        )

    def _device(self, device: Device, now_ms: int) -> DeviceFacts:
        lost = self._station.lost.get(device.name)
        return DeviceFacts(
            name=device.name,
            state="ok" if lost is None else "lost",
            code=None if lost is None else lost.code,
            detail="" if lost is None else lost.detail,
            since_ms=now_ms - (self._started_ms if lost is None else lost.t_ms),
            beat_age_ms=now_ms - device.beat_ms(),
        )

    def _bin(self, index: int) -> BinFacts:
        view = self._station.view().bins[index]
        bin_ = self._station.bins[view.bin]
        scale = bin_.rules.scale
        return BinFacts(
            bin=view.bin,
            item=view.item,
            state=view.state,
            scale=scale is not None,
            gross_g=bin_.book.gross_g,
            live_g=view.live_g,
            fill_pct=view.fill_pct,
            rejected=bin_.rejected,
            rate_sps=None if scale is None else scale.rate_sps,
        )

    def health(self) -> dict[str, Any]:
        """For the health topic (``sync.messages.Health``): nothing of residents."""
        facts = self.gather()
        return {
            "queue": facts.queue,
            "uptime_s": facts.uptime_ms // 1000,
            "disk_free_bytes": facts.disk_free_bytes,
            "scales": {d.subject: d.code or "ok" for d in facts.devices if d.kind == "scale"},
            "readers": {d.subject: d.code or "ok" for d in facts.devices if d.kind == "reader"},
        }
