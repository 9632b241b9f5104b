"""What a scale says, as it comes, for the command line: adjustment, diagnosis, recording.

Whoever listens gets a copy of what the rules get, and slows nobody down: each listener has a queue of
its own, and what finds it full is lost to that listener alone (the next item says so). With
``service`` the bin is out of use for as long as somebody listens: when the connection ends, however it
ends, so does the service.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from drivers.clock import boottime_ms
from kiosk.answers import NO_ANSWER, Answers
from kiosk.control.ledger_ops import Args, checked_args
from kiosk.core.bin import Bin
from kiosk.core.errors import DeviceError, OperatorError
from kiosk.core.events import (
    CountsBlock,
    DeviceBack,
    DeviceLost,
    Event,
    IndicatorReading,
    ServiceAsked,
)
from kiosk.core.station import Station

MAX_LISTENERS = 4
QUEUED = 256
"""Blocks: 20 s of an HX711, 25 s of the fastest indicator."""
HEARTBEAT_S = 0.5

Item = dict[str, Any]


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bin: str
    service: bool = False


class _AtBin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bin: str


class Listener:
    """One connection's queue."""

    def __init__(self) -> None:
        self.items: queue.Queue[Item] = queue.Queue(QUEUED)
        self._missed = False

    def put(self, item: Item) -> None:
        """Never waits."""
        if self._missed and "t_ms" in item:
            item = {**item, "gap": True}
        try:
            self.items.put_nowait(item)
        except queue.Full:
            self._missed = True
        else:
            self._missed = False


class Tap:
    """``note`` on the devices' threads, ``listen`` on the connections'."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[Listener, str] = {}

    def note(self, event: Event) -> None:
        """Called once the inbox has taken the event."""
        if not self._listeners:
            return
        match event:
            case CountsBlock():
                item: Item = {
                    "t_ms": event.t_ms,
                    "counts": event.counts,
                    "rejected": event.rejected,
                    "gap": event.gap,
                }
                bin_id = event.bin
            case IndicatorReading():
                bin_id = event.bin
                item = {"t_ms": event.t_ms, "status": event.status, "gross_mg": event.gross_mg}
            case DeviceLost() | DeviceBack():
                kind, _, bin_id = event.device.partition(":")
                if kind != "scale":
                    return
                item = {"lost": event.code if isinstance(event, DeviceLost) else None}
            case _:
                return
        with self._lock:
            for listener, wanted in self._listeners.items():
                if wanted == bin_id:
                    listener.put(item)

    @contextmanager
    def listen(self, bin_id: str) -> Iterator[Listener]:
        """A listener for as long as the block lasts; OperatorError where there are too many."""
        listener = Listener()
        with self._lock:
            if len(self._listeners) >= MAX_LISTENERS:
                raise OperatorError(
                    "scale_busy",
                    f"{MAX_LISTENERS} programs look at scales already.",
                    "End one of them, and try again.",
                )
            self._listeners[listener] = bin_id
        try:
            yield listener
        finally:
            with self._lock:
                del self._listeners[listener]


def as_said(asked: ServiceAsked) -> Event:
    return asked


class ScaleOps:
    """The control socket's ``scale_line`` and ``scale_samples``."""

    def __init__(self, station: Station, tap: Tap, answers: Answers) -> None:
        self._station = station
        self._tap = tap
        self._answers = answers
        self._served: set[str] = set()
        """Bins at which somebody works. Whoever comes second is refused by the rules, and ends nothing."""

    def line(self, args: Args) -> Item:
        """What is known of a bin's scale now; OperatorError where it has none."""
        return line(self._bin(checked_args(args, _AtBin).bin), self._station.lost)

    def samples(self, args: Args) -> Generator[Item | None, None, None]:
        """First the ``line``, then everything the scale says; ``idle`` where that is nothing, so that
        who listens knows that time passes."""
        asked = checked_args(args, _Asked)
        yield from self.heard(asked.bin, service=asked.service)

    def heard(
        self, bin_id: str, *, service: bool, within: Callable[[ServiceAsked], Event] = as_said
    ) -> Generator[Item | None, None, None]:
        """The same for whoever sits in the station itself; ``within`` what the service is asked in."""
        bin_ = self._bin(bin_id)
        with self._tap.listen(bin_id) as listener, self._service(bin_id, service, within):
            yield line(bin_, self._station.lost)
            while True:
                try:
                    yield listener.items.get(timeout=HEARTBEAT_S)
                except queue.Empty:
                    yield {"idle": True}

    @contextmanager
    def _service(
        self, bin_id: str, wanted: bool, within: Callable[[ServiceAsked], Event]
    ) -> Iterator[None]:
        if not wanted:
            yield
            return
        try:
            self._serve(bin_id, within, begin=True)
        except DeviceError as error:
            # It may begin yet, when nobody listens any more.
            if error.code == NO_ANSWER and bin_id not in self._served:
                self._end_service(bin_id)
            raise
        self._served.add(bin_id)
        try:
            yield
        finally:
            self._served.discard(bin_id)
            self._end_service(bin_id)

    def _end_service(self, bin_id: str) -> None:
        """An adjustment has ended it before; a station that ends answers no more."""
        with suppress(DeviceError):
            self._serve(bin_id, as_said, begin=False)

    def _serve(self, bin_id: str, within: Callable[[ServiceAsked], Event], *, begin: bool) -> None:
        answered = self._answers.ask(
            lambda request: within(ServiceAsked(boottime_ms(), bin_id, request, begin))
        )
        if answered.code != "done":
            raise DeviceError(
                f"scale_{answered.code}",
                f"The bin's scale cannot be worked at now ({answered.code}).",
                "See kiosk scale list, and try again in a moment.",
            )

    def _bin(self, bin_id: str) -> Bin:
        bin_ = self._station.bins.get(bin_id)
        if bin_ is None or bin_.rules.scale is None:
            raise OperatorError(
                "bin_without_scale",
                f"The bin {bin_id} has no scale, or is none of this station's.",
                "kiosk scale list shows which have one.",
            )
        return bin_


def line(bin_: Bin, lost: Mapping[str, DeviceLost]) -> Item:
    """The line in force and the rest that who works at the scale has to know.

    ``scale`` what its adjustment says; None where the settings' line is the one in force.
    ``temperature_mc`` of the thermometer (1/1000 °C), None without one; ``warmth_gain`` what it does to
    the slope now, as a factor.
    """
    scale, adjusted, warmth = bin_.scale, bin_.book.adjusted, bin_.warmth
    if adjusted is not None and bin_.book.adjustment < scale.adjustment:
        adjusted = None
    trouble = lost.get(f"scale:{bin_.rules.bin}")
    return {
        "bin": bin_.rules.bin,
        "kind": "hx711" if bin_.counts else "indicator",
        "max_g": scale.max_g,
        "division_g": scale.division_g,
        "min_increment_g": scale.min_increment_g,
        "rate_sps": scale.rate_sps,
        "counts_per_gram": scale.counts_per_gram,
        "zero_counts": scale.zero_counts if bin_.counts else None,
        "adjustment": max(bin_.book.adjustment, scale.adjustment),
        "scale": None if adjusted is None else msgspec.to_builtins(adjusted),
        "gross_g": bin_.book.gross_g,
        "empty_g": bin_.book.empty_g,
        "temperature_mc": None if warmth is None or warmth.now_mc is None else round(warmth.now_mc),
        "warmth_gain": 1.0 if warmth is None else warmth.gain,
        "lost": None if trouble is None else trouble.code,
    }
