"""A QR scanner that plays keyboard: the kernel's input events, on a named pipe (there is no uinput here).

It types as such scanners do: each key with its scan code (``EV_MSC``) and a report, shift held for every
single capital, Enter at the end, and while a card is held all of it again, ``same_code_s`` apart. What it
presses for a character stands in its own table, by the keys' names of ``linux/input-event-codes.h``.
"""

from __future__ import annotations

import os
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path

TURN_S = 0.02
ATOMIC_BYTES = 168 * struct.calcsize("@llHHi")
"""A pipe takes so many whole (PIPE_BUF is 4,096) or none."""
EV_SYN, EV_KEY, EV_MSC = 0, 1, 4
MSC_SCAN = 4
ENTER, LEFT_SHIFT = 28, 42
REPEATED = 2

_NAMES = {
    **{name: 2 + at for at, name in enumerate("1234567890")},
    **{name: 16 + at for at, name in enumerate("QWERTYUIOP")},
    **{name: 30 + at for at, name in enumerate("ASDFGHJKL")},
    **{name: 44 + at for at, name in enumerate("ZXCVBNM")},
    "MINUS": 12,
    "EQUAL": 13,
    "SEMICOLON": 39,
    "APOSTROPHE": 40,
    "COMMA": 51,
    "DOT": 52,
    "SLASH": 53,
    "SPACE": 57,
}
# base45's signs: on which key, and whether with shift.
_SIGNS: dict[str, dict[str, tuple[str, bool]]] = {
    "us": {
        "$": ("4", True),
        "%": ("5", True),
        "*": ("8", True),
        "+": ("EQUAL", True),
        "-": ("MINUS", False),
        ".": ("DOT", False),
        "/": ("SLASH", False),
        ":": ("SEMICOLON", True),
        " ": ("SPACE", False),
    },
    "jis": {
        "$": ("4", True),
        "%": ("5", True),
        "*": ("APOSTROPHE", True),
        "+": ("SEMICOLON", True),
        "-": ("MINUS", False),
        ".": ("DOT", False),
        "/": ("SLASH", False),
        ":": ("APOSTROPHE", False),
        " ": ("SPACE", False),
    },
}


def event(kind: int, code: int, value: int) -> bytes:
    """One ``struct input_event``, stamped as the kernel does."""
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    return struct.pack("@llHHi", seconds, rest // 1000, kind, code, value)


def key(code: int, value: int) -> bytes:
    """A key pressed (1), let go (0) or repeating (2), and its report."""
    scan = event(EV_MSC, MSC_SCAN, 0x70000 + code)
    return scan + event(EV_KEY, code, value) + event(EV_SYN, 0, 0)


def typed(text: str, layout: str = "us", *, enter: bool = True) -> bytes:
    """The events of ``text`` (letters, digits and base45's signs)."""
    raw = b""
    for char in text:
        name, shift = _SIGNS[layout].get(char) or (char.upper(), char.isupper())
        press = key(_NAMES[name], 1) + key(_NAMES[name], 0)
        raw += key(LEFT_SHIFT, 1) + press + key(LEFT_SHIFT, 0) if shift else press
    return raw + (key(ENTER, 1) + key(ENTER, 0) if enter else b"")


class KeyboardPeer:
    """The device as a named pipe. All methods may be called from any thread."""

    def __init__(self, path: Path, *, layout: str = "us", same_code_s: float = 0.5) -> None:
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        self.path = str(path)
        # Read and write, so that it is there whether or not somebody reads.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._layout = layout
        self._same_code_s = same_code_s
        self._shown: tuple[bytes, ...] = ()
        self._said_s: dict[bytes, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keyboard-peer", daemon=True)
        self._thread.start()

    def show(self, *texts: bytes) -> None:
        """Hold cards with these texts before it, in place of what was there."""
        self._shown = texts

    def say(self, raw: bytes) -> None:
        """Put events into the pipe, as they are; whole ones, however full it is."""
        with suppress(BlockingIOError):
            for at in range(0, len(raw), ATOMIC_BYTES):
                os.write(self._pipe, raw[at : at + ATOMIC_BYTES])

    def stop(self) -> None:
        """Pull the plug: whoever reads comes to an end."""
        self._stop.set()
        self._thread.join(2)
        Path(self.path).unlink(missing_ok=True)
        os.close(self._pipe)

    def _run(self) -> None:
        while not self._stop.wait(TURN_S):
            now_s = time.monotonic()
            for text in self._shown:
                if now_s - self._said_s.get(text, 0) >= self._same_code_s:
                    self._said_s[text] = now_s
                    self.say(typed(text.decode("ascii"), self._layout))
