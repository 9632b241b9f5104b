"""A QR scanner that plays keyboard (USB HID): the most common kind, read and grabbed.

Invariant: while this reader holds the device nothing else gets its keys, no console and no screen; a
card's text typed into a page or a login would be there to read. (Until it holds it, udev keeps the
screen away: ``systemd/70-kiosk.rules``.) A device that cannot be had alone is not read.

Such a device never tells that it hangs, nor that a card left (``scanner`` says what is one showing).

Codes: ``scanner_missing`` (no device, or none of the kernel's input devices), ``scanner_taken``
(another program holds it), ``scanner_garbled`` (texts without Enter behind).
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
from collections.abc import Callable

from drivers.clock import boottime_ms
from drivers.key_layout import Layout
from drivers.scanner import REPEAT_MS, Scanner
from drivers.scanner_keys import EVENT, Decoder
from kiosk.core.cards import CardDesk
from kiosk.core.errors import DeviceError

EVIOCGRAB = 0x40044590
"""``_IOW('E', 0x90, int)`` of ``linux/input.h``: all events of this device for this file alone."""
LOOK_S = 0.1
READ_EVENTS = 64
"""As many as the kernel keeps for one reader at least (evdev's buffer)."""

Open = Callable[[str], int]


def grabbed(path: str) -> int:
    """A file descriptor (not blocking) that alone gets the device's events. Raises OSError."""
    held = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(held, EVIOCGRAB, 1)
    except OSError:
        os.close(held)
        raise
    return held


class KeyboardScanner(Scanner):
    """``device`` its path; ``opened`` gives the events' file descriptor."""

    def __init__(
        self,
        name: str,
        device: str,
        desk: CardDesk,
        day: Callable[[], int | None],
        *,
        layout: Layout = "us",
        repeat_ms: int = REPEAT_MS,
        opened: Open = grabbed,
    ) -> None:
        super().__init__(name, desk, day, repeat_ms)
        self._path = device
        self._opened = opened
        self._decoder = Decoder(layout)
        self._fd = -1

    def open(self) -> None:
        """Take hold of the device; there is nothing to ask it."""
        try:
            self._fd = self._opened(self._path)
        except OSError as error:
            raise self._refused(error) from error
        self._decoder.forget()
        self.works()

    def step(self) -> None:
        """Take what was typed."""
        data = b""
        try:
            if select.select([self._fd], [], [], LOOK_S)[0]:
                data = os.read(self._fd, READ_EVENTS * EVENT.size)
                if not data:
                    raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        except BlockingIOError:
            pass  # it was readable for nothing
        except OSError as error:
            raise self._refused(error) from error
        t_ms = boottime_ms()
        for frame in self._decoder.feed(data, t_ms):
            self.heard(frame, t_ms)

    def close(self) -> None:
        """Let go of the device; closing it ends the grab."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _refused(self, error: OSError) -> DeviceError:
        if error.errno == errno.EBUSY:
            return DeviceError(
                "scanner_taken",
                f"Another program holds the keyboard scanner at {self._path}.",
                "End that program; the scanner must type to the station alone.",
            )
        return DeviceError(
            "scanner_missing",
            f"There is no keyboard scanner at {self._path}.",
            "Check the scanner's cable and the reader's device in the settings.",
        )
