"""A PN532 on a pseudo-terminal: real frames, at about life's pace, after UM0701-02.

It shares no code with the driver, so that a mistake made there is not made here too. It keeps the
far end of its line open itself: a station may die, come back and find the card still on the reader.
"""

from __future__ import annotations

import os
import select
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hw_sim.ntag424 import GONE, FileChip
from hw_sim.plug import Plug

RETRY_S = 0.005
"""One look into an empty field."""
MAX_HELD_BYTES = 1024
LONG_PREAMBLE = bytes(10)
"""Any edges wake the UART (UM0701-02 7.2.11), if they are long enough before the command."""
FIFO_DATA = b"\x63\x39"
"""The register whose last byte tells that nobody answered SENS_REQ."""
SENS_REQ = 0x26
FIELD_ON = 0x83


@dataclass(frozen=True, slots=True)
class Tag:
    """A card: ``kind`` ``a``, ``b`` or ``felica``; ``random`` makes up a UID at each look; ``chip`` what
    answers commands of ISO/IEC 14443-4 (with ``sak`` 20 and an ``ats``)."""

    uid: bytes
    kind: str = "a"
    sak: int = 0x08
    ats: bytes = b""
    random: bool = False
    chip: FileChip | None = None


class Pn532Peer:
    """The chip, its line and the field before it. All methods may be called from any thread."""

    def __init__(self, link: Path | None = None, seed: int = 1) -> None:
        self._plug = Plug(link)
        self.path = self._plug.path
        self._random = np.random.default_rng(seed)
        self._tag: Tag | None = None
        self._powered: Tag | None = None
        self._hanging = False
        self._garble = 0
        self._awake = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pn532-peer", daemon=True)
        self._thread.start()

    def place(self, tag: Tag) -> None:
        """Lay a card on the reader."""
        self._tag = tag

    def remove(self) -> None:
        """Take it away."""
        self._tag = None

    def hang(self) -> None:
        """Answer nothing any more, not even acknowledge."""
        self._hanging = True

    def heal(self) -> None:
        """As after a reset: asleep, but well."""
        self._hanging = False
        self._awake = False

    def garble(self, answers: int) -> None:
        """Change one byte in each of the next ``answers`` answers."""
        self._garble = answers

    def stop(self) -> None:
        """Pull the plug: whoever holds the port sees it vanish."""
        self._stop.set()
        self._thread.join(2)
        self._plug.pull()

    # -- the chip -------------------------------------------------------------------------------

    def _run(self) -> None:
        held = b""
        while not self._stop.is_set():
            if not select.select([self._plug.device], [], [], 0.1)[0]:
                continue
            held = (held + os.read(self._plug.device, 512))[-MAX_HELD_BYTES:]
            if self._hanging:
                held = b""
                continue
            if b"\x55\x55" in held or LONG_PREAMBLE in held:
                self._awake = True
            held = self._take(held)

    def _take(self, held: bytes) -> bytes:
        while (start := held.find(b"\x00\xff")) >= 0 and len(held) >= start + 4:
            size, check = held[start + 2 : start + 4]
            begin = start + 4
            if (size, check) == (255, 255) and len(held) < begin + 3:
                break
            if (size, check) == (255, 255) and sum(held[begin : begin + 3]) % 256 == 0:
                size, begin = int.from_bytes(held[begin : begin + 2], "big"), begin + 3
            elif (size + check) % 256 or size in (0, 255):
                held = held[start + 4 :]  # an ACK (it ends what was going on), or noise
                continue
            end = begin + size + 2
            if len(held) < end:
                break
            body, held = held[begin : end - 2], held[end:]
            if self._awake and body[0] == 0xD4:
                self._send(bytes.fromhex("0000ff00ff00"))
                self._answer(body[1], body[2:])
        return held

    def _answer(self, command: int, data: bytes) -> None:
        if command == 0x32 and data[:1] == b"\x01":  # the field goes off
            self._powered = None
        if command == 0x00:  # diagnose the line: an echo
            self._reply(command, data)
        elif command == 0x02:
            self._reply(command, bytes.fromhex("32010607"))
        elif command in (0x08, 0x10, 0x12, 0x14, 0x32):
            self._reply(command, b"")
        elif command == 0x06:  # registers, two bytes of address each
            pairs = [data[at : at + 2] for at in range(0, len(data), 2)]
            self._reply(command, bytes(SENS_REQ if p == FIFO_DATA else FIELD_ON for p in pairs))
        elif command == 0x16:  # asleep until the next edge
            self._reply(command, b"\0")
            self._awake = False
        elif command == 0x42 and len(data) >= 1:
            self._reply(command, self._passed_on(data))
        elif command == 0x4A and len(data) >= 2:
            self._stop.wait(RETRY_S)
            self._reply(command, self._listed(data[1], data[2:]))
        elif command == 0x40 and data[:1] == b"\x01":
            self._reply(command, self._exchanged(data[1:]))
        else:
            self._send(bytes.fromhex("0000ff01ff7f8100"))

    def _exchanged(self, apdu: bytes) -> bytes:
        """``status data…`` of the card that was listed last: 01 where it does not answer."""
        tag = self._tag
        if tag is None or tag is not self._powered or not tag.sak & 0x20:
            return b"\x01"
        answer = b"\x6a\x82" if tag.chip is None else tag.chip.exchange(apdu)
        return b"\x01" if answer == GONE else b"\x00" + answer

    def _listed(self, modulation: int, wanted: bytes) -> bytes:
        tag = self._powered = self._tag
        if tag is not None and tag.chip is not None:
            tag.chip.power()
        if tag is not None and tag.kind == "a" and modulation == 0x00:
            uid = b"\x08" + self._random.bytes(3) if tag.random else tag.uid
            if wanted and wanted.replace(b"\x88", b"") != uid.replace(b"\x88", b""):
                return b"\x00"
            atqa = {4: 0x04, 7: 0x44, 10: 0x84}[len(uid)]
            return bytes((1, 1, 0, atqa, tag.sak, len(uid))) + uid + tag.ats
        if tag is not None and tag.kind == "felica" and modulation == 0x01:
            system = b"\x00\x03" if wanted[3:4] == b"\x01" else b""
            answer = tag.uid + bytes.fromhex("0120220427674eff") + system
            return bytes((1, 1, 2 + len(answer), 1)) + answer
        if tag is not None and tag.kind == "b" and modulation == 0x03:
            pupi = self._random.bytes(4)
            return bytes((1, 1, 0x50)) + pupi + bytes.fromhex("000000003385810100")
        return b"\x00"

    def _passed_on(self, data: bytes) -> bytes:
        """What a type B card says to WUPB and to a DESELECT: its ATQB, and the same again."""
        if self._tag is None or self._tag.kind != "b":
            return b"\x01"
        if data[0] == 0x05:
            return b"\0\x50" + self._random.bytes(4) + bytes.fromhex("00000000338581")
        return b"\0" + data

    def _reply(self, command: int, data: bytes) -> None:
        body = bytes((0xD5, command + 1)) + data
        size = len(body).to_bytes(2 if len(body) > 255 else 1, "big")
        long = b"\xff\xff" if len(size) > 1 else b""
        head = b"\x00\x00\xff" + long + size + bytes((-sum(size) % 256,))
        frame = head + body + bytes((-sum(body) % 256, 0))
        if self._garble > 0:
            self._garble -= 1
            at = int(self._random.integers(3, len(frame)))
            frame = frame[:at] + bytes((frame[at] ^ 0x5A,)) + frame[at + 1 :]
        self._send(frame)

    def _send(self, frame: bytes) -> None:
        try:
            os.write(self._plug.device, frame)
        except BlockingIOError:
            return  # nobody reads: a UART drops what is not taken
