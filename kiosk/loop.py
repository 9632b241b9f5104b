"""The main thread: a bounded inbox, the rules, and their effects in order.

Everything that happens comes as an event through one inbox. Blocks of samples are refused when it is
full (the driver counts them as lost and says so with the next block); everybody else waits.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from kiosk.core.effects import Answered, Beep, Effect, Item, Lamp, Record
from kiosk.core.errors import StorageError
from kiosk.core.events import CountsBlock, Event, IndicatorReading, Moment, Tick
from kiosk.core.station import Station
from kiosk.core.view import View

INBOX_EVENTS = 512
Written = tuple[tuple[int, Item], ...]
"""Entries and their seqs."""
TICK_S = 0.1
"""The rules look at the time at least this often."""


class Signals(Protocol):
    """Lamps and the buzzer."""

    def beep(self, effect: Beep) -> None: ...

    def lamp(self, effect: Lamp) -> None: ...


class Loop:
    """Feeds events to the rules and carries out what they ask. ``run`` is the main thread's."""

    def __init__(
        self,
        station: Station,
        *,
        append: Callable[[Sequence[Item]], tuple[int, ...]],
        signals: Signals,
        publish: Callable[[View], None],
        moment: Callable[[], Moment],
        each_tick: Callable[[Moment], None],
        answer: Callable[[Answered], None],
        inbox: queue.Queue[Event],
    ) -> None:
        self._station = station
        self._append = append
        self._signals = signals
        self._publish = publish
        self._moment = moment
        self._each_tick = each_tick
        self._answer = answer
        self._inbox = inbox
        self._stopping = False
        self.storage_error: StorageError | None = None
        self._followed: dict[int, Future[Written]] = {}
        self._written: list[tuple[int, Item]] = []

    def follow(self, event: Event, wait_s: float) -> Written:
        """Posts an event and gives what was written for it; from any other thread than ``run``'s.
        Raises StorageError where it could not be kept, TimeoutError where the loop is too busy."""
        outcome: Future[Written] = Future()
        self._followed[id(event)] = outcome
        try:
            self._inbox.put(event, timeout=wait_s)
            return outcome.result(timeout=wait_s)
        except queue.Full:
            raise TimeoutError from None
        finally:
            del self._followed[id(event)]

    def stop(self) -> None:
        """Ends ``run`` after the event at hand; any thread may call it."""
        self._stopping = True

    @property
    def waiting(self) -> int:
        """Events in the inbox."""
        return self._inbox.qsize()

    def run(self) -> None:
        while not self._stopping:
            try:
                event: Event = self._inbox.get(timeout=TICK_S)
            except queue.Empty:
                event = Tick(self._moment().boot_ms)
            now = self._moment()
            self._written = []
            self._carry_out(self._station.handle(event, now))
            self._tell_follower(event)
            self._publish(self._station.view())
            self._each_tick(now)

    def _tell_follower(self, event: Event) -> None:
        outcome = self._followed.get(id(event))
        if outcome is None:
            return
        if self.storage_error is not None:
            outcome.set_exception(self.storage_error)
        else:
            outcome.set_result(tuple(self._written))

    def _carry_out(self, effects: list[Effect]) -> None:
        """Effects in order; what a commit leads to comes before what stood behind it."""
        waiting = list(reversed(effects))
        while waiting:
            effect = waiting.pop()
            if isinstance(effect, Record):
                waiting.extend(reversed(self._record(effect)))
            elif isinstance(effect, Beep):
                self._signals.beep(effect)
            elif isinstance(effect, Answered):
                self._answer(effect)
            else:
                self._signals.lamp(effect)

    def _record(self, record: Record) -> list[Effect]:
        try:
            seqs = self._append(record.items)
        except StorageError as error:
            self.storage_error = error
            return self._station.failed(record.items)
        self.storage_error = None
        self._written += zip(seqs, record.items, strict=True)
        effects = self._station.recorded(record.items, seqs)
        # What this commit shows does not wait for the next one: a greeting not for a visit's end.
        self._publish(self._station.view())
        return effects


def poster(inbox: queue.Queue[Event]) -> Callable[[Event], None]:
    """How devices hand events in: samples never wait (``queue.Full``), everybody else does."""

    def post(event: Event) -> None:
        inbox.put(event, block=not isinstance(event, CountsBlock | IndicatorReading))

    return post


def posted(inbox: queue.Queue[Event], event: Event) -> bool:
    """For the main thread itself, which must not wait for its own inbox: False where that is full (other
    threads fill it meanwhile), and the next tick tries again."""
    try:
        inbox.put_nowait(event)
    except queue.Full:
        return False
    return True
