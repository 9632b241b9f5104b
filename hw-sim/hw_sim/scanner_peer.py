"""A QR scanner module of the GM65 kind on a pseudo-terminal, after GROW's user manual V1.3.

It looks all the time (``continuous``), or for ``LOOK_S`` after it was told to. A code held before it is
said again and again, ``same_code_s`` apart: the manual's "time interval for the same code read". It
answers commands, as a module does that works. It shares no code with the driver, and keeps the far end
of its line open itself.
"""

from __future__ import annotations

import os
import select
import threading
import time
from contextlib import suppress
from pathlib import Path

from hw_sim.plug import Plug

TURN_S = 0.02
LOOK_S = 5.0
"""The module's default for one look."""
MAX_HELD_BYTES = 64
SCAN_ONCE = bytes.fromhex("7e000801000201abcd")
READ_MODE = bytes.fromhex("7e000701000001abcd")
WRITTEN = bytes.fromhex("02000001003331")
"""The answer to what was written, as the manual prints it."""
MODE_IS_D6 = bytes.fromhex("02000001d6") + bytes.fromhex("988a")
"""The answer to how it is set: continuous, lights as they come from the factory."""


class ScannerPeer:
    """The module, its line and what is held before it. All methods may be called from any thread."""

    def __init__(
        self,
        link: Path,
        *,
        suffix: bytes = b"\r\n",
        continuous: bool = True,
        same_code_s: float = 0.5,
    ) -> None:
        self._plug = Plug(link)
        self.path = self._plug.path
        self._suffix = suffix
        self._same_code_s = same_code_s
        self._shown: tuple[bytes, ...] = ()
        self._said_s: dict[bytes, float] = {}
        self._continuous = continuous
        self._until_s = 0.0
        self._hanging = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scanner-peer", daemon=True)
        self._thread.start()

    def show(self, *texts: bytes) -> None:
        """Hold cards with these texts before it, in place of what was there."""
        self._shown = texts

    def say(self, raw: bytes) -> None:
        """Put bytes on the line, as they are."""
        with suppress(BlockingIOError):  # nobody reads: a UART drops what is not taken
            os.write(self._plug.device, raw)

    def hang(self, hanging: bool = True) -> None:
        """Neither look nor answer any more; False: as after a reset."""
        self._hanging = hanging

    def stop(self) -> None:
        """Pull the plug: whoever holds the port sees it vanish."""
        self._stop.set()
        self._thread.join(2)
        self._plug.pull()

    def _run(self) -> None:
        held = b""
        while not self._stop.is_set():
            if select.select([self._plug.device], [], [], TURN_S)[0]:
                held = (held + os.read(self._plug.device, 256))[-MAX_HELD_BYTES:]
            if self._hanging:
                held = b""
                continue
            held = self._obey(held)
            self._look(time.monotonic())

    def _obey(self, held: bytes) -> bytes:
        for command, answer in ((SCAN_ONCE, WRITTEN), (READ_MODE, MODE_IS_D6)):
            while command in held:
                held = held.replace(command, b"", 1)
                self.say(answer)
                if command == SCAN_ONCE:
                    self._until_s = time.monotonic() + LOOK_S
        return held

    def _look(self, now_s: float) -> None:
        for text in self._shown:
            looks = self._continuous or now_s < self._until_s
            if looks and now_s - self._said_s.get(text, 0) >= self._same_code_s:
                self._said_s[text] = now_s
                self._until_s = 0.0
                self.say(text + self._suffix)
