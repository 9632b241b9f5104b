"""One device, one named thread, one voice.

Invariant: a device that fails is told of once (``DeviceLost``), and once when it works again
(``DeviceBack``), however often it is tried in between. Between the two its thread closes and opens
it again and again, at most every ``LAST_RETRY_S`` seconds, until it delivers or is stopped.

A driver subclasses :class:`Worker` and writes three methods, none of which may take longer than
about a second: ``open`` and ``step`` raise :class:`~kiosk.core.errors.DeviceError` for what a
device can do wrong; ``close`` never raises. Any other exception is our bug, leaves the thread and
ends the process through ``threading.excepthook`` (the composition root installs it).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from drivers.clock import boottime_ms
from kiosk.core.errors import DeviceError
from kiosk.core.events import DeviceBack, DeviceLost, Event

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 5.0
STOP_S = 2.0
REST_SLICE_S = 0.5
"""A resting thread still shows a sign of life this often."""

Post = Callable[[Event], None]
"""Puts an event into the station's inbox. It waits while the inbox is full; for blocks of samples
alone it raises ``queue.Full`` instead, and the block is lost."""


class Device(Protocol):
    """What the composition root needs of a device."""

    @property
    def name(self) -> str:
        """As in ``DeviceLost.device``: ``scale:b1``, ``reader:qr``, ``lid:b1``."""
        ...

    def start(self, post: Post) -> None:
        """Begin to work; returns at once, a missing device is told by an event."""
        ...

    def stop(self) -> None:
        """End within ``STOP_S``. May be called twice, and before ``start``."""
        ...

    def beat_ms(self) -> int:
        """Boottime at the thread's last sign of life, for the watchdog."""
        ...

    @property
    def hint(self) -> str | None:
        """What the doctor should mention though the device works; None: nothing."""
        ...


class Voice:
    """What is said of one device: once that it is lost, once that it is back."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.lost = False

    def lose(self, post: Post, error: DeviceError) -> None:
        """It has failed, whether that is news or not."""
        if not self.lost:
            self.lost = True
            post(DeviceLost(self.device, boottime_ms(), error.code, error.what))

    def back(self, post: Post) -> None:
        """It works, whether that is news or not."""
        if self.lost:
            post(DeviceBack(self.device, boottime_ms()))
            self.lost = False


class Worker:
    """A device's thread: opens, steps, and on failure closes and tries again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._voice = Voice(name)
        self._post: Post | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._beat_ms = boottime_ms()
        self._retry_s = FIRST_RETRY_S

    # -- what a driver writes -------------------------------------------------------------------

    def open(self) -> None:
        """Take hold of the device."""
        raise NotImplementedError

    def step(self) -> None:
        """One bounded piece of work; calls :meth:`deliver` when the device has shown that it works.

        Looks at :attr:`stopping` or uses :meth:`rest` wherever it would wait.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the device, whatever state it is in. Never raises."""
        raise NotImplementedError

    # -- what a driver uses ---------------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopping.is_set()

    @property
    def lost(self) -> bool:
        """Whether a loss was told, and no return yet."""
        return self._voice.lost

    def deliver(self, *events: Event) -> None:
        """The device works; post what it said, if anything. Raises ``queue.Full`` as ``Post``.

        After a loss ``DeviceBack`` goes first: the rules meet the new samples with the device back.
        """
        self.deliver_of(self._voice, *events)

    def deliver_of(self, voice: Voice, *events: Event) -> None:
        """The same for one of several devices that share this thread."""
        assert self._post is not None, "delivered before start"
        voice.back(self._post)
        self._retry_s = FIRST_RETRY_S
        for event in events:
            self._post(event)

    def lose(self, error: DeviceError) -> None:
        """The device failed and will be opened anew: say so. Several that share it say so each."""
        self.lose_of(self._voice, error)

    def lose_of(self, voice: Voice, error: DeviceError) -> None:
        """One of several devices that share this thread failed; the thread goes on with the others."""
        assert self._post is not None, "lost before start"
        voice.lose(self._post, error)

    def rest(self, seconds: float) -> None:
        """Sleep, wake early when stopping, and show a sign of life meanwhile."""
        while seconds > 0 and not self._stopping.wait(min(seconds, REST_SLICE_S)):
            seconds -= REST_SLICE_S
            self.beat()
        self.beat()

    def beat(self) -> None:
        """Show a sign of life (``step`` and ``rest`` do so by themselves)."""
        self._beat_ms = boottime_ms()

    # -- Device ---------------------------------------------------------------------------------

    def start(self, post: Post) -> None:
        """Start the thread, named as the device. Once only."""
        assert self._thread is None, f"{self.name} started twice"
        self._post = post
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end and wait at most ``STOP_S`` for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def beat_ms(self) -> int:
        """Boottime at the last sign of life."""
        return self._beat_ms

    @property
    def hint(self) -> str | None:
        """Nothing; a driver that has something to mention says otherwise."""
        return None

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._work()
            except DeviceError as error:
                self.lose(error)
                self.rest(self._retry_s)
                self._retry_s = min(self._retry_s * 2, LAST_RETRY_S)

    def _work(self) -> None:
        self.beat()
        try:
            self.open()
            while not self._stopping.is_set():
                self.step()
                self.beat()
        finally:
            self.close()
