"""What a keyboard scanner types: the kernel's input events in, texts out. No device in here.

Invariant: however the bytes are cut into pieces, the same frames come out; and no text is told of which
the kernel lost a key.

One event is ``struct input_event`` (``linux/input.h``): the time in two longs, then type, code and
value; 24 bytes on a 64-bit machine, 16 on a 32-bit one. Value 1 is a key pressed, 0 let go, 2 repeated
because it is held. When a reader is slow the kernel drops what it could not deliver and says
``SYN_DROPPED``; everything up to the next ``SYN_REPORT`` is void as well, and so is that scan's text.
(``Documentation/input/event-codes.rst``.)
"""

from __future__ import annotations

import struct

from drivers.key_layout import (
    CONTROLS,
    KEY_CAPSLOCK,
    KEY_ENTER,
    KEY_KPENTER,
    OTHER_MODIFIERS,
    QUIET,
    SHIFTS,
    Layout,
    characters,
)
from drivers.scanner_line import MAX_TEXT_BYTES, PATIENCE_MS, Half, Overlong, Text

EVENT = struct.Struct("@llHHi")
"""Native sizes and alignment: the kernel's on this machine."""
EV_SYN, EV_KEY = 0, 1
SYN_REPORT, SYN_DROPPED = 0, 3
RELEASED, PRESSED = 0, 1
SUBSTITUTE = 0x1A
"""ASCII's own sign for what cannot be told: a key without a character. No card holds it."""

Frame = Text | Overlong | Half


class Decoder:
    """Finds texts in the events. Holds at most one text and a part of one event."""

    def __init__(self, layout: Layout = "us") -> None:
        self._keys = characters(layout)
        self._quiet = QUIET[layout]
        # A Japanese keyboard's Caps Lock key is 英数; only with shift it locks (xkb, Windows alike).
        self._caps_needs_shift = layout == "jis"
        self._bytes = bytearray()
        self._last_ms = 0
        self._void = False
        self.forget()

    def forget(self) -> None:
        """As for a device just opened: nothing typed, no key held, Caps Lock off."""
        self._bytes.clear()
        self._held: set[int] = set()
        self._caps = False
        self._void = False
        self._begin()

    def _begin(self) -> None:
        self._text = bytearray()
        self._size = 0
        self._lost = False

    def feed(self, data: bytes, t_ms: int) -> list[Frame]:
        """What is complete at ``t_ms`` (any rising clock, ms); empty ``data`` only lets time pass."""
        frames: list[Frame] = []
        if (self._size or self._lost) and t_ms - self._last_ms > PATIENCE_MS:
            if not self._lost:
                frames.append(Half(self._size))
            self._begin()
        if data:
            self._last_ms = t_ms
        self._bytes += data
        whole = len(self._bytes) - len(self._bytes) % EVENT.size
        for _, _, kind, code, value in EVENT.iter_unpack(self._bytes[:whole]):
            frame = self._event(kind, code, value)
            if frame is not None:
                frames.append(frame)
        del self._bytes[:whole]
        return frames

    def _event(self, kind: int, code: int, value: int) -> Frame | None:
        if kind == EV_SYN and code == SYN_DROPPED:
            self._void = self._lost = True
            self._held.clear()
        elif self._void:
            self._void = (kind, code) != (EV_SYN, SYN_REPORT)
        elif kind == EV_KEY and value == PRESSED:
            return self._pressed(code)
        elif kind == EV_KEY and value == RELEASED:
            self._held.discard(code)
        return None

    def _pressed(self, code: int) -> Frame | None:
        if code in SHIFTS | CONTROLS | OTHER_MODIFIERS:
            self._held.add(code)
        elif code == KEY_CAPSLOCK:
            if not self._caps_needs_shift or self._held & SHIFTS:
                self._caps = not self._caps
        elif code in (KEY_ENTER, KEY_KPENTER):
            return self._ended()
        elif code not in self._quiet:
            self._type(self._typed(code))
        return None

    def _typed(self, code: int) -> int:
        """The byte that this key types now."""
        if code not in self._keys or self._held & OTHER_MODIFIERS:
            return SUBSTITUTE
        plain, shifted = self._keys[code]
        shift = bool(self._held & SHIFTS)
        if self._held & CONTROLS:
            # ASCII's control characters, as scanners send them: Control and the letter 64 above.
            above = ord(plain.upper())
            return above - 64 if 64 <= above < 96 else SUBSTITUTE
        if plain.isalpha() and self._caps:
            shift = not shift
        return ord(shifted if shift else plain)

    def _type(self, byte: int) -> None:
        self._size += 1
        if self._size <= MAX_TEXT_BYTES:
            self._text.append(byte)

    def _ended(self) -> Frame | None:
        text, size, lost = bytes(self._text), self._size, self._lost
        self._begin()
        if lost or not size:
            return None
        return Overlong(size) if size > MAX_TEXT_BYTES else Text(text)
