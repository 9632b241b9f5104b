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
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import msgspec

from drivers.clock import boottime_ms
from kiosk import __version__, recording, words
from kiosk.answers import Answers
from kiosk.balances import Balances
from kiosk.cards import list_ops
from kiosk.cards.appointing import CaretakerOps
from kiosk.cards.caretakers import CaretakerCards
from kiosk.cards.counters import CounterFile
from kiosk.cards.holders import CardHolders
from kiosk.cards.keys import desk
from kiosk.cards.local import ClosedHere
from kiosk.cards.pin import CornerNumber
from kiosk.cards.work import CardOps
from kiosk.clock import StationClock
from kiosk.commands import Commands
from kiosk.control.caretaker_ops import caretaker_ops
from kiosk.control.ledger_ops import Args, checked_args, ledger_ops
from kiosk.control.server import ControlServer, Handler, Reply
from kiosk.control.stock_ops import stock_ops
from kiosk.core.effects import Item
from kiosk.core.entries import Boot
from kiosk.core.events import CardRefused, DeviceBack, DeviceLost, Event, Moment, Touch
from kiosk.core.events import TouchAction as Action
from kiosk.core.station import Station
from kiosk.gathering import Gathering
from kiosk.ledger import hold
from kiosk.loop import INBOX_EVENTS, Loop, poster
from kiosk.nodump import no_core_dumps
from kiosk.noticeboard.looking import Looking
from kiosk.noticeboard.play_desk import PlayDesk
from kiosk.noticeboard.teller import TownTeller
from kiosk.noticing import Noticing
from kiosk.tapping import ScaleOps, Tap
from kiosk.ticking import EachTick
from kiosk.town.each_second import EachSecond
from kiosk.town.town import Town
from kiosk.watching import Board
from sync.ending import Ending
from sync.notify import notify
from sync.signing import Signer

if TYPE_CHECKING:
    from drivers.worker import Device
    from kiosk.core.cards import CardDesk
    from kiosk.core.catalogue import Catalogue
    from kiosk.core.view import View
    from kiosk.ledger.acks import AckVerdict
    from kiosk.settings import Settings

LOG = logging.getLogger("kiosk")
LEDGER_S = 3.0
"""How long a start waits for whoever has the ledger: a command that looked while nothing ran."""
CRASHED = 70
"""EX_SOFTWARE (sysexits.h): our own bug; systemd starts the station anew."""


class _Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    online: bool
    code: str | None = None
    words: str = ""
    certificate_ms: int | None = None


def run_station(settings: Settings) -> int:
    """Runs until SIGTERM or SIGINT; 0, or 1 when it has to be started anew."""
    from kiosk import catalogue

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    no_core_dumps()
    threading.excepthook = _crash
    ending = Ending()
    ending.heed()
    with ExitStack() as held:
        own = catalogue.load(settings.paths.catalogue)
        return _Running(settings, own, ending, held).run()


def _crash(args: threading.ExceptHookArgs) -> None:
    """A dead thread is our own bug: end, and be started anew, rather than limp on half alive."""
    LOG.critical("thread %s died", args.thread, exc_info=args.exc_value)
    logging.shutdown()
    os._exit(CRASHED)


class _Running:
    """One life of the station process."""

    def __init__(self, settings: Settings, own: Catalogue, ending: Ending, held: ExitStack) -> None:
        from kiosk import devices

        self._settings = settings
        self._ending = ending
        self._clock = StationClock(settings.station.timezone)
        self._inbox: queue.Queue[Event] = queue.Queue(INBOX_EVENTS)
        self._post = poster(self._inbox)
        self._answers = Answers(self._post)
        self._board = Board()
        self._status = 0
        self._noticed = Noticing()
        self._tap = Tap()

        # Before any pin or port: another station may be weighing with them.
        place = held.enter_context(hold(settings.paths.data, LEDGER_S))
        self._devices: list[Device] = []
        self._start(devices.scales(settings), held)
        self._ledger = held.enter_context(
            closing(recording.open_ledger(settings, self._clock, place))
        )
        self._counters = CounterFile(settings.paths.counters)
        self._holders = self._open_holders(held)
        self._caretakers = CaretakerCards(settings.paths.data / list_ops.FOLDER)
        self._caretakers.open()
        number = CornerNumber(settings.paths.data / list_ops.FOLDER, boottime_ms)
        self._town = Town(settings, own, self._clock.now)
        self._recorder = recording.Recorder(
            self._ledger, self._holders, self._town, self._start_anew
        )
        self._signals = devices.signals(settings)
        held.callback(self._signals.stop)
        trouble = self._signals.trouble
        if trouble is not None:
            self._noted(
                DeviceLost("signals:all", self._clock.now().boot_ms, trouble.code, str(trouble))
            )
        self._ledger.append([Item(Boot(f"kiosk {__version__}", settings.digest()))])
        station = Station(self._town.rules(), self._ledger.memory())
        # Slow to import, and the scales run by now.
        from kiosk.corner import CornerDesk
        from kiosk.screen import ScreenServer, speech, station_setup
        from kiosk.screen.setup import bin_names

        spoken = speech(settings, self._town.catalogue)
        scales = ScaleOps(station, self._tap, self._answers)
        self._corner = CornerDesk(
            settings,
            spoken.languages,
            answers=self._answers,
            post=self._post,
            scales=scales,
            number=number,
            now=self._clock.now,
            facts=lambda: self._facts.gather(),
            names=lambda: bin_names(settings, self._town.catalogue),
            tell=lambda name, value: self._screen.tell(name, value),
        )
        held.callback(self._corner.stop)
        self._play = PlayDesk(
            settings.paths.town,
            settings.paths.data,
            [one.item for one in settings.bins],
            self._ledger,
            catalogue=lambda: self._town.catalogue,
            today=self._clock.today,
            follow=lambda event, wait_s: self._loop.follow(event, wait_s),
            post=self._post,
            tell=lambda name, value: self._screen.tell(name, value),
            spoken=spoken,
        )
        self._screen = ScreenServer(
            settings.screen.host,
            settings.screen.port,
            setup=station_setup(settings, self._town.catalogue, spoken),
            languages=spoken.languages,
            act=self._act,
            takers=(*self._corner.takers(), *self._play.takers()),
        )
        self._loop: Loop = Loop(
            station,
            append=self._recorder.append,
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
        self._facts.card_lists, self._facts.town = self._lists, self._town
        self._commands = Commands(
            settings.station.id,
            city=list_ops.city(settings),
            signer=Signer.load(settings.paths.station_key),
            ledger=self._ledger,
            answers=self._answers,
            now=self._clock.now,
            listens=lambda: words.topics(self._takers()),
        )
        self._balances = Balances(
            settings.station.id,
            city=list_ops.city(settings),
            wanted=settings.points.balance,
            now=self._clock.now,
            post=self._post,
        )
        self._facts.commands, self._facts.balances = self._commands, self._balances
        self._looked = EachTick(
            lambda: self._town.points.effective_link_days,
            self._ledger,
            self._facts,
            self._inbox,
            beats_ms=self._beats_ms,
            ticked=(
                self._lists.tick,
                self._commands.tick,
                EachSecond(settings, self._town, self._screen, self._inbox),
            ),
        )
        settings.paths.run.mkdir(parents=True, exist_ok=True)
        cards = CardOps(self._answers, self._desk, self._town.rules().touch_ms)
        appointing = CaretakerOps(
            self._answers,
            self._caretakers,
            number,
            self._clock.now,
            self._town.rules().touch_ms,
        )
        control = ControlServer(
            settings.paths.socket,
            {**self._handlers(), **appointing.handlers, "scale_line": scales.line},
            {
                "watch": self._board.stream,
                "scale_samples": scales.samples,
                "card_replace": cards.replace,
                "card_close": cards.close,
                "caretaker_add": appointing.add,
            },
        )
        control.start()
        held.callback(control.stop)
        held.callback(self._ledger.end_waits)  # first, or the uplink's long poll holds up the end
        self._screen.start()
        held.callback(self._screen.stop)
        teller = TownTeller(
            settings.paths.town,
            [one.item for one in settings.bins],
            self._ledger,
            catalogue=lambda: self._town.catalogue,
            today=self._clock.today,
            tell=self._screen.tell,
            languages=spoken.codes,
        )
        for name, look in (("town-teller", teller.look), ("play-teller", self._play.look)):
            looking = Looking(name, look)
            looking.start()
            held.callback(looking.stop)
        others = [
            *devices.thermometers(settings),
            *devices.lids(settings),
            *devices.fill_sensors(settings),
        ]
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
            caretakers=self._caretakers,
            counters=self._counters,
        )

    # -- the ledger -----------------------------------------------------------------------------

    def _start_anew(self) -> None:
        self._status = 1
        self._loop.stop()

    def _acknowledged(self, verdict: AckVerdict) -> None:
        self._facts.acknowledged(verdict)
        self._recorder.acknowledged(verdict)

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
            **caretaker_ops(self._loop, self._answers),
            **stock_ops(self._loop),
        }

    def _takers(self) -> tuple[words.Taker, ...]:
        """Who takes what the city says."""
        return (self._lists, self._town, self._commands, self._balances)

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

    def _act(self, action: Action, bin_id: str | None) -> None:
        self._post(Touch(self._clock.now().boot_ms, action, bin_id))

    # -- each event -----------------------------------------------------------------------------

    def _publish(self, view: View) -> None:
        if self._board.put(view):
            self._screen.publish(view)
            self._corner.note(view)
            self._play.note(view)

    def _each_tick(self, now: Moment) -> None:
        if self._ending.asked:
            self._loop.stop()
        self._looked(now)

    def _beats_ms(self) -> list[int]:
        return [self._screen.beat_ms(), *(device.beat_ms() for device in self._devices)]
