"""``kiosk run``: the station, put together. Construction only; the rules are in ``kiosk.core``.

Order matters at a start: the ledger's lock (another station may hold the devices), the scales' threads
(they need a second to settle), then the ledger,
the control socket, the readers (a camera's library takes long to load), the screen.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import msgspec

from kiosk import __version__, words
from kiosk.answers import Answers
from kiosk.cards import list_ops
from kiosk.cards.counters import CounterFile
from kiosk.cards.holders import CardHolders
from kiosk.cards.keys import desk
from kiosk.cards.local import ClosedHere
from kiosk.cards.work import CardOps
from kiosk.clock import StationClock, clock_quality
from kiosk.control.ledger_ops import Args, checked_args, ledger_ops
from kiosk.control.server import ControlServer, Handler, Reply
from kiosk.core.adjusted import Adjusted
from kiosk.core.cards.facts import of_items
from kiosk.core.effects import Answered, Item
from kiosk.core.entries import Boot, Opening
from kiosk.core.errors import OperatorError, StorageError
from kiosk.core.events import (
    CardRefused,
    ClockKnown,
    DeviceBack,
    DeviceLost,
    Event,
    LinkChanged,
    Moment,
    ScaleAdjusted,
    ServiceAsked,
    Touch,
    ZeroAsked,
)
from kiosk.core.events import TouchAction as Action
from kiosk.core.station import Station
from kiosk.gathering import Gathering
from kiosk.ledger import Ledger, hold
from kiosk.loop import INBOX_EVENTS, Loop, poster
from kiosk.nodump import no_core_dumps
from kiosk.noticing import Noticing
from kiosk.tapping import ScaleOps, Tap
from kiosk.watching import Board
from sync.ending import Ending
from sync.notify import notify
from sync.signing import Signer

if TYPE_CHECKING:
    from drivers.worker import Device
    from kiosk.catalogue import Catalogue
    from kiosk.core.cards import CardDesk
    from kiosk.core.view import View
    from kiosk.ledger.acks import AckVerdict
    from kiosk.settings import Settings

LOG = logging.getLogger("kiosk")
FRESH_MS = 10_000
"""A thread that shows no sign of life for so long starves the watchdog."""
TOUCH_S = 5.0
"""How long the command line waits for what its touch leads to."""
WATCHDOG_MS = 2_000
CLOCK_MS = 1_000
CRASHED = 70
"""EX_SOFTWARE (sysexits.h): our own bug; systemd starts the station anew."""


class _Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    online: bool
    code: str | None = None
    words: str = ""
    certificate_ms: int | None = None


class _Touched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    action: Action
    bin: str | None = None


class _AtBin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bin: str


class _Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bin: str
    begin: bool


class _NewLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bin: str
    method: str
    scale: Adjusted
    empty_g: int | None = 0


def _told(answered: Answered) -> dict[str, Any]:
    return {"code": answered.code, "number": answered.number, "zero_g": answered.zero_g}


def run_station(settings: Settings) -> int:
    """Runs until SIGTERM or SIGINT; 0, or 1 when it has to be started anew."""
    from kiosk import catalogue

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    no_core_dumps()
    threading.excepthook = _crash
    ending = Ending()
    ending.heed()
    with ExitStack() as held:
        items = catalogue.load(settings.paths.catalogue)
        return _Running(settings, items, ending, held).run()


def _crash(args: threading.ExceptHookArgs) -> None:
    """A dead thread is our own bug: end, and be started anew, rather than limp on half alive."""
    LOG.critical("thread %s died", args.thread, exc_info=args.exc_value)
    logging.shutdown()
    os._exit(CRASHED)


class _Running:
    """One life of the station process."""

    def __init__(
        self, settings: Settings, items: Catalogue, ending: Ending, held: ExitStack
    ) -> None:
        from kiosk import devices

        self._settings = settings
        self._ending = ending
        self._clock = StationClock(settings.station.timezone)
        self._inbox: queue.Queue[Event] = queue.Queue(INBOX_EVENTS)
        self._post = poster(self._inbox)
        self._answers = Answers(self._post)
        self._board = Board()
        self._status = 0
        self._clock_known = False
        self._next_clock_ms = self._next_watchdog_ms = 0
        self._day: int | None = None
        self._noticed = Noticing()
        self._tap = Tap()
        self._refusing: str | None = None
        self._online_told = False

        # Before any pin or port: another station may be weighing with them.
        place = held.enter_context(hold(settings.paths.data))
        self._devices: list[Device] = []
        self._start(devices.scales(settings), held)
        self._ledger = held.enter_context(closing(self._open_ledger(place)))
        self._counters = CounterFile(settings.paths.counters)
        self._holders = self._open_holders(held)
        self._signals = devices.signals(settings)
        held.callback(self._signals.stop)
        trouble = self._signals.trouble
        if trouble is not None:
            self._noted(
                DeviceLost("signals:all", self._clock.now().boot_ms, trouble.code, str(trouble))
            )
        self._ledger.append([Item(Boot(f"kiosk {__version__}", settings.digest()))])
        station = Station(settings.rules(items), self._ledger.memory())
        # Slow to import, and the scales run by now.
        from kiosk.screen import ScreenServer, station_setup

        self._screen = ScreenServer(
            settings.screen.host,
            settings.screen.port,
            setup=station_setup(settings, items),
            act=self._act,
        )
        self._loop = Loop(
            station,
            append=self._append,
            signals=self._signals,
            publish=self._publish,
            moment=self._clock.now,
            each_tick=self._each_tick,
            answer=self._answers.tell,
            inbox=self._inbox,
        )
        self._facts = Gathering(
            settings,
            self._clock,
            self._ledger,
            station,
            self._loop,
            self._devices,
            self._screen,
            self._noticed,
        )
        self._lists = list_ops.card_lists(settings, self._clock)
        self._facts.card_lists = self._lists
        settings.paths.run.mkdir(parents=True, exist_ok=True)
        scales = ScaleOps(station, self._tap, self._answers)
        cards = CardOps(self._answers, self._desk, settings.rules(items).touch_ms)
        control = ControlServer(
            settings.paths.socket,
            {**self._handlers(), "scale_line": scales.line},
            {
                "watch": self._board.stream,
                "scale_samples": scales.samples,
                "card_replace": cards.replace,
                "card_close": cards.close,
            },
        )
        control.start()
        held.callback(control.stop)
        held.callback(self._ledger.end_waits)  # first, or the uplink's long poll holds up the end
        self._screen.start()
        held.callback(self._screen.stop)
        others = [*devices.thermometers(settings), *devices.lids(settings)]
        self._start([*others, *devices.readers(settings, self._clock, self._desk)], held)

    def run(self) -> int:
        notify("READY=1")
        LOG.info("station %s is up", self._settings.station.id)
        self._loop.run()
        notify("STOPPING=1")
        return self._status

    def _start(self, devices: list[Device], held: ExitStack) -> None:
        for device in devices:
            device.start(self._noted)
            held.callback(device.stop)
            self._devices.append(device)

    def _noted(self, event: Event) -> None:
        """On its way to the inbox: losses and returns are logged, once each (the driver sees to it)."""
        if isinstance(event, DeviceLost):
            LOG.warning("%s is lost: %s: %s", event.device, event.code, event.detail)
        elif isinstance(event, DeviceBack):
            LOG.warning("%s is back", event.device)
        elif isinstance(event, CardRefused):
            LOG.info("a card was refused at the %s reader: %s", event.by, event.reason)
        self._post(event)
        self._noticed.note(event)
        self._tap.note(event)

    # -- cards ----------------------------------------------------------------------------------

    def _open_holders(self, held: ExitStack) -> CardHolders:
        folder = self._settings.paths.data / list_ops.FOLDER
        holders = CardHolders(folder, ClosedHere(folder))
        held.callback(holders.close)
        holders.open(self._settings.paths.data, self._ledger.ledger_id, self._ledger.head[0])
        return holders

    def _desk(self) -> CardDesk:
        settings = self._settings
        return desk(
            settings.paths,
            settings.cards,
            lists=self._lists,
            holders=self._holders,
            counters=self._counters,
        )

    # -- the ledger -----------------------------------------------------------------------------

    def _open_ledger(self, place: ExitStack) -> Ledger:
        settings = self._settings
        openings = {
            b.id: Opening(
                gross_g=None if b.scale is None else 0,
                bag=None,
                adjustment=0 if b.scale is None else b.scale.adjustment,
            )
            for b in settings.bins
        }
        ledger = Ledger.open(
            settings.paths.data,
            station=settings.station.id,
            city=settings.station.city,
            signer=Signer.load(settings.paths.station_key),
            city_key=None if settings.city is None else settings.city.key,
            software=f"kiosk {__version__}",
            openings=openings,
            items={b.id: b.item for b in settings.bins},
            clock=self._clock.at,
            day_of=self._clock.day_of,
            place=place,
        )
        if ledger.turn_over is not None:
            LOG.warning("a new ledger begins: %s", ledger.turn_over)
        return ledger

    def _append(self, items: Sequence[Item]) -> tuple[int, ...]:
        try:
            seqs = self._ledger.append(items)
        except StorageError as error:
            if error.code != self._refusing:  # tried again every second: told once
                LOG.error("nothing can be recorded: %s: %s", error.code, error.what)
            self._refusing = error.code
            if error.code == "damaged":  # the next start salvages what proves itself
                LOG.critical("the ledger is damaged: starting anew")
                self._status = 1
                self._loop.stop()
            raise
        if self._refusing is not None:
            LOG.warning("recording goes on")
            self._refusing = None
        self._holders.committed(of_items(items), self._ledger.ledger_id, seqs[-1])
        return seqs

    def _acknowledged(self, verdict: AckVerdict) -> None:
        self._facts.acknowledged(verdict)
        if verdict.restart:
            LOG.warning("the city has signed what this ledger does not hold: starting anew")
            self._status = 1
            self._loop.stop()

    # -- the control socket ---------------------------------------------------------------------

    def _handlers(self) -> dict[str, Any]:
        from kiosk.facts import to_dict

        station = self._settings.station
        ops = ledger_ops(
            self._ledger,
            station=station.id,
            city=station.city,
            software=__version__,
            listens=words.topics(self._takers()),
            on_ack=self._acknowledged,
        )
        return {
            **ops,
            "wait": self._uplink_waits(ops["wait"]),
            "facts": lambda _args: to_dict(self._facts.gather()),
            "health": lambda _args: self._facts.health(),
            "word": words.handler(self._takers()),
            "link": self._link,
            "touch": self._touched,
            "scale_zero": self._zero_asked,
            "scale_service": self._service_asked,
            "scale_adjust": self._adjusted,
        }

    def _takers(self) -> tuple[words.Taker, ...]:
        """Who takes what the city says."""
        return (self._lists,)

    def _link(self, args: Args) -> dict[str, Any]:
        link = checked_args(args, _Link)
        self._facts.linked(link.online, link.code, link.words, link.certificate_ms)
        return {}

    def _uplink_waits(self, wait: Handler) -> Handler:
        """The uplink's long poll, which also shows that it runs."""

        def waits(args: Args) -> Reply:
            self._facts.asked()
            return wait(args)

        return waits

    def _touched(self, args: Args) -> dict[str, Any]:
        """Does as a finger on the screen would; gives what was written for it at that bin."""
        asked = checked_args(args, _Touched)
        touch = Touch(self._clock.now().boot_ms, asked.action, asked.bin)
        try:
            written = self._loop.follow(touch, TOUCH_S)
        except TimeoutError:
            raise OperatorError(
                "station_busy",
                "The station is busy; what was asked may still be done.",
                "Look at kiosk ledger show in a minute.",
            ) from None
        entries = [
            {"seq": seq, **msgspec.to_builtins(item.draft)}
            for seq, item in written
            if getattr(item.draft, "bin", None) == asked.bin
        ]
        return {"written": entries}

    def _zero_asked(self, args: Args) -> dict[str, Any]:
        asked, t_ms = checked_args(args, _AtBin), self._clock.now().boot_ms
        return _told(self._answers.ask(lambda request: ZeroAsked(t_ms, asked.bin, request)))

    def _service_asked(self, args: Args) -> dict[str, Any]:
        asked, t_ms = checked_args(args, _Service), self._clock.now().boot_ms
        return _told(
            self._answers.ask(lambda request: ServiceAsked(t_ms, asked.bin, request, asked.begin))
        )

    def _adjusted(self, args: Args) -> dict[str, Any]:
        asked, t_ms = checked_args(args, _NewLine), self._clock.now().boot_ms
        return _told(
            self._answers.ask(
                lambda request: ScaleAdjusted(
                    t_ms, asked.bin, request, asked.method, asked.scale, asked.empty_g
                )
            )
        )

    def _act(self, action: Action, bin_id: str | None) -> None:
        self._post(Touch(self._clock.now().boot_ms, action, bin_id))

    # -- each event -----------------------------------------------------------------------------

    def _publish(self, view: View) -> None:
        if self._board.put(view):
            self._screen.publish(view)

    def _each_tick(self, now: Moment) -> None:
        if self._ending.asked:
            self._loop.stop()
        if now.boot_ms >= self._next_watchdog_ms:
            self._next_watchdog_ms = now.boot_ms + WATCHDOG_MS
            beats_ms = [self._screen.beat_ms(), *(d.beat_ms() for d in self._devices)]
            if now.boot_ms - min(beats_ms) < FRESH_MS:
                notify("WATCHDOG=1")
        if now.boot_ms >= self._next_clock_ms:
            self._next_clock_ms = now.boot_ms + CLOCK_MS
            self._look_at_clock(now)
            self._look_at_link(now)
            self._lists.tick(now)

    def _look_at_link(self, now: Moment) -> None:
        """For the screen: the uplink's word, and its silence."""
        link = self._facts.link()
        if link.online != self._online_told and not self._inbox.full():
            self._online_told = link.online
            self._inbox.put_nowait(LinkChanged(now.boot_ms, link.online, link.code))

    def _look_at_clock(self, now: Moment) -> None:
        quality, uncertainty_ms = clock_quality()
        if quality == "synced" and not self._clock_known and not self._inbox.full():
            self._clock_known = True
            self._inbox.put_nowait(ClockKnown(now.boot_ms, now.utc_ms, uncertainty_ms, "ntp"))
        if now.clock == "synced" and now.day != self._day:
            days = self._settings.points.effective_link_days
            try:
                if not self._ledger.forget_due(days):  # so many at a time; again until none is left
                    self._ledger.forget_ended(days)
                    self._day = now.day
            except StorageError as error:
                LOG.warning("seals could not be forgotten yet: %s", error)
