"""What all QR scanner modules share: texts that somebody showed, whichever way they come.

Invariant: the same text again within ``repeat_ms`` of the last time is the same presentation. A module
cannot say that a card left; while one is held it repeats its text at the pace that is set in it, or not
at all. So who shows a card twice within that time is greeted once. ``repeat_ms`` has to be longer than
the module's own "same code" pause.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.presence import Presence
from drivers.scanner_line import Half, Overlong, Text
from drivers.worker import Worker
from kiosk.core.cards import CardDesk
from kiosk.core.errors import DeviceError

REPEAT_MS = 3_000
MAX_HALVES = 3
"""Texts in a row whose end never came."""


class Scanner(Worker):
    """``name`` as ``reader:ID``; ``desk`` makes events of texts; ``day`` gives the local day (days since
    1970-01-01), None while the clock is not known."""

    def __init__(
        self, name: str, desk: CardDesk, day: Callable[[], int | None], repeat_ms: int = REPEAT_MS
    ) -> None:
        super().__init__(name)
        self._desk = desk
        self._day = day
        self._presence = Presence(repeat_ms)
        self._halves = 0

    def works(self) -> None:
        """The module is there. Where its texts had no end, that alone does not mean that it works."""
        if self._halves < MAX_HALVES:
            self.deliver()

    def heard(self, frame: Text | Overlong | Half, t_ms: int) -> None:
        """It said something. Raises DeviceError ``scanner_garbled`` where no end comes ever."""
        if isinstance(frame, Half):
            self._halves += 1
            if self._halves >= MAX_HALVES:
                raise DeviceError(
                    "scanner_garbled",
                    f"The QR scanner ({self.name}) sends texts without an end.",
                    "Set its suffix (CR, Enter) and its speed as they stand in the settings.",
                )
            return
        self._halves = 0
        self.deliver()
        # What is longer than any QR code is for the desk what an empty text is: no card.
        text = b"" if isinstance(frame, Overlong) else frame.data
        if self._presence.is_new(text, t_ms):
            self.deliver(self._desk.identify_qr(text, t_ms=t_ms, day=self._day()))
