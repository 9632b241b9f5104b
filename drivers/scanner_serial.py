"""A QR scanner module on a serial port, USB or not: whatever it says is a text that somebody showed.

What the module ``speaks`` (a setting): ``text`` and nothing else, so that a module that hangs looks like
one before which nobody stands; ``gm65``, which is asked every ``ASK_MS`` how it is set, and has to
answer; ``gm65-trigger``, which is told to look, again and again.

Codes: ``scanner_missing`` (no port), ``scanner_silent`` (no answers), ``scanner_garbled`` (texts without
an end: a wrong speed or suffix). After the last, only a whole text proves that it works again.
"""

from __future__ import annotations

import contextlib
import termios
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from drivers.clock import boottime_ms
from drivers.scanner import REPEAT_MS, Scanner
from drivers.scanner_line import MAX_TEXT_BYTES, READ_MODE, SCAN_ONCE, Decoder, Reply, Suffix
from drivers.serial_line import Line, opened
from kiosk.core.cards import CardDesk
from kiosk.core.errors import DeviceError

if TYPE_CHECKING:
    import serial

Speaks = Literal["text", "gm65", "gm65-trigger"]
COMMANDS: dict[Speaks, bytes] = {"gm65": READ_MODE, "gm65-trigger": SCAN_ONCE}

ASK_MS = 1_000
"""Between two commands. One sent while the module looks only makes it look on."""
MAX_UNANSWERED = 3


class SerialScanner(Scanner):
    """``port`` a device's path; the other settings as in docs/settings.md."""

    def __init__(
        self,
        name: str,
        port: str,
        desk: CardDesk,
        day: Callable[[], int | None],
        *,
        baud: int = 9600,
        suffix: Suffix = "cr",
        speaks: Speaks = "text",
        repeat_ms: int = REPEAT_MS,
    ) -> None:
        super().__init__(name, desk, day, repeat_ms)
        self._path = port
        self._line = Line(baud, 8, "N", 1)
        self._command = COMMANDS.get(speaks)
        self._decoder = Decoder(suffix)
        self._port: serial.Serial | None = None
        self._asked_ms = 0
        self._unanswered = 0

    def open(self) -> None:
        """Open the port; a module that only speaks texts counts as there."""
        try:
            self._port = opened(self._path, self._line)
            self._port.reset_input_buffer()
        except (OSError, ValueError, termios.error) as error:
            raise self._missing() from error
        self._decoder.forget()
        self._unanswered = 0
        self._asked_ms = boottime_ms() - ASK_MS
        if self._command is None:
            self.works()

    def step(self) -> None:
        """Hear what the module says, and ask it when that is due."""
        assert self._port is not None
        try:
            self._ask(self._port)
            size = min(max(1, self._port.in_waiting), MAX_TEXT_BYTES)
            data = self._port.read(size)
        except (OSError, termios.error) as error:
            raise self._missing() from error
        t_ms = boottime_ms()
        for frame in self._decoder.feed(data, t_ms):
            self._unanswered = 0
            if isinstance(frame, Reply):
                self.works()
            else:
                self.heard(frame, t_ms)

    def close(self) -> None:
        """Close the port."""
        if self._port is not None:
            with contextlib.suppress(OSError):
                self._port.close()
            self._port = None

    def _ask(self, port: serial.Serial) -> None:
        if self._command is None or boottime_ms() - self._asked_ms < ASK_MS:
            return
        if self._unanswered >= MAX_UNANSWERED:
            raise DeviceError(
                "scanner_silent",
                f"The QR scanner at {self._path} does not answer.",
                "Unplug the scanner and plug it in again; check speaks and baud in the settings.",
            )
        self._asked_ms = boottime_ms()
        self._unanswered += 1
        self._decoder.expect_reply()
        port.write(self._command)

    def _missing(self) -> DeviceError:
        return DeviceError(
            "scanner_missing",
            f"The QR scanner's port {self._path} cannot be used.",
            "Check the scanner's cable and the reader's port in the settings.",
        )
