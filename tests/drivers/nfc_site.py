"""A PN532's answers, damaged in every way a line can, and a line in memory that speaks them.

The line knows the commands of the station's driver and of the packages that the benchmark runs beside
it. Its time is virtual: a read that finds too little costs the reader's whole patience, so a driver
that waits for ever is found at once and nothing here looks at a clock.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ACK = bytes.fromhex("0000ff00ff00")
HANG_S = 60.0
"""One look that takes longer hangs."""
MAX_READS = 100_000


@dataclass(frozen=True)
class Card:
    """One card: what InListPassiveTarget answers and the identifier in it."""

    name: str
    modulation: int
    uid: bytes
    answer: bytes

    def answers(self, asked: bytes) -> bytes:
        """What InListPassiveTarget says with this card in the field: ``asked`` is the command's data."""
        wanted = asked[2:]
        if asked[1] != self.modulation:
            return b"\x00"
        if self.modulation:
            bare = wanted[3] == 0  # polled without asking for the system code
            return b"\x01\x01\x12" + self.answer[3:-2] if bare else self.answer
        cascaded = {4: (), 7: (0,), 10: (0, 3)}[len(self.uid)]
        full = b"".join(
            (b"\x88" if at in cascaded else b"") + self.uid[at : at + 1]
            for at in range(len(self.uid))
        )
        return self.answer if wanted in (b"", full) else b"\x00"


def _card(name: str, modulation: int, uid: str, head: str, tail: str = "") -> Card:
    return Card(name, modulation, bytes.fromhex(uid), bytes.fromhex(head + uid + tail))


CARDS = (
    _card("classic", 0, "a4a1b2c3", "010100040804"),
    _card("ntag", 0, "04a1b2c3d4e580", "010100440007"),
    _card("desfire", 0, "045e2f91c06b84", "010103442007", "067577810280"),
    _card("triple", 0, "04112233445566778899", "01010084000a"),
    _card("felica", 1, "01120312b50ac826", "01011401", "0120220427674eff0003"),
)


def framed(body: bytes) -> bytes:
    """``body`` (from TFI on) as a normal frame."""
    return b"\x00\x00\xff" + bytes((len(body), -len(body) % 256)) + sealed(body)


def extended(body: bytes) -> bytes:
    """``body`` as an extended frame, whatever its length."""
    size = len(body).to_bytes(2, "big")
    return b"\x00\x00\xff\xff\xff" + size + bytes((-sum(size) % 256,)) + sealed(body)


def sealed(body: bytes) -> bytes:
    return body + bytes((-sum(body) % 256, 0))


def reply(command: int, data: bytes) -> bytes:
    return framed(bytes((0xD5, command + 1)) + data)


# -- damage ---------------------------------------------------------------------------------------

Damage = Callable[[bytearray, random.Random], None]


def _flip(raw: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 4)):
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)


def _balance(raw: bytearray, dice: random.Random) -> None:
    """Two to four bytes change and their sum does not."""
    places = dice.sample(range(len(raw)), dice.randint(2, 4))
    left = 0
    for at in places[1:]:
        step = dice.randrange(1, 256)
        raw[at] = (raw[at] + step) % 256
        left += step
    raw[places[0]] = (raw[places[0]] - left) % 256


def _replace(raw: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 3)):
        raw[dice.randrange(len(raw))] = dice.randrange(256)


def _lose(raw: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(raw))
    del raw[at : at + dice.randint(1, 5)]


def _double(raw: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(raw))
    raw[at:at] = raw[at : at + dice.randint(1, 4)]


def _insert(raw: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(raw) + 1)
    raw[at:at] = dice.randbytes(dice.randint(1, 4))


def _shift(raw: bytearray, dice: random.Random) -> None:
    """One byte lost and another come in elsewhere: the length stays."""
    del raw[dice.randrange(len(raw))]
    raw.insert(dice.randrange(len(raw) + 1), dice.randrange(256))


def _cut(raw: bytearray, dice: random.Random) -> None:
    del raw[dice.randrange(len(raw)) :]


def _stuck(raw: bytearray, dice: random.Random) -> None:
    """One bit of every byte from here on reads the same: a bad level."""
    mask, high = 1 << dice.randrange(8), dice.random() < 0.5
    for at in range(dice.randrange(len(raw)), len(raw)):
        raw[at] = raw[at] | mask if high else raw[at] & ~mask


def _body(raw: bytearray) -> bytes:
    return bytes(raw[5:-2])


def _wrong_length(raw: bytearray, dice: random.Random) -> None:
    """LEN and LCS agree and are not the frame's."""
    size = dice.randrange(256)
    raw[3:5] = bytes((size, -size % 256))


def _other_size(raw: bytearray, dice: random.Random) -> None:
    """Another number of bytes in a frame that is right all over."""
    body = bytearray(_body(raw))
    if dice.random() < 0.5:
        del body[dice.randrange(2, len(body))]
    else:
        body.insert(dice.randrange(2, len(body) + 1), dice.randrange(256))
    raw[:] = framed(bytes(body))


def _extend(raw: bytearray, dice: random.Random) -> None:
    """An extended frame's head, right or not, before what follows."""
    if dice.random() < 0.5:
        raw[:] = extended(_body(raw))
    else:
        size = dice.randrange(65536).to_bytes(2, "big")
        raw[3:5] = b"\xff\xff" + size + bytes((-sum(size) % 256,))


def _glue(raw: bytearray, dice: random.Random) -> None:
    """A piece of another card's answer before it, behind it, or in place of its end."""
    other = reply(0x4A, dice.choice(CARDS).answer)
    piece = other[: dice.randrange(1, len(other))]
    match dice.randrange(3):
        case 0:
            raw[:0] = piece
        case 1:
            raw += piece
        case _:
            raw[dice.randrange(1, len(raw)) :] = other[dice.randrange(1, len(other)) :]


def _frames_of_others(raw: bytearray, dice: random.Random) -> None:
    """NACK, error frame or ACK around it."""
    one = bytes.fromhex(dice.choice(("0000ffff0000", "0000ff01ff7f8100", "0000ff00ff00")))
    raw[:] = one + raw if dice.random() < 0.5 else raw + one


DAMAGE: dict[str, Damage] = {
    "bits flipped": _flip,
    "balanced change": _balance,
    "bytes replaced": _replace,
    "bytes lost": _lose,
    "bytes doubled": _double,
    "bytes inserted": _insert,
    "lost and inserted": _shift,
    "cut short": _cut,
    "bit stuck": _stuck,
    "wrong LEN": _wrong_length,
    "another size": _other_size,
    "extended head": _extend,
    "glued": _glue,
    "other frames": _frames_of_others,
}


def damaged(answer: bytes, dice: random.Random, kind: str | None = None) -> tuple[str, bytes]:
    """An acknowledgement and a damaged answer, by ``kind`` or any; every eighth time two damages, or the
    ACK's too."""
    kind = kind or dice.choice(tuple(DAMAGE))
    raw = bytearray(reply(0x4A, answer))
    DAMAGE[kind](raw, dice)
    ack = bytearray(ACK)
    if dice.random() < 0.125 and len(raw) > 5:
        DAMAGE[dice.choice(("bits flipped", "bytes inserted", "balanced change"))](raw, dice)
    elif dice.random() < 0.125:
        DAMAGE[dice.choice(("bits flipped", "bytes lost", "bytes inserted"))](ack, dice)
    return kind, bytes(ack + raw)


def preambles() -> Iterator[tuple[str, bytes]]:
    """Lawful ways to send one frame: name and bytes, with ``reply(0x4A, …)`` from the start code on."""
    for count in (0, 2, 5, 40):
        yield f"{count} more zeros", bytes(count)
    yield "wake-up before", bytes.fromhex("5555000000")
    yield "wake-up and zeros", bytes.fromhex("55" * 8 + "00" * 20)


# -- the line ---------------------------------------------------------------------------------------


class Hang(BaseException):
    """The driver would wait for ever; no ``except Exception`` of a package stops it."""


class Line:
    """A serial port with the chip behind it, as pyserial's and CircuitPython's objects look.

    ``card`` says what the chip sends, acknowledgement and all, when InListPassiveTarget asks with some
    data; all other commands are answered well.
    """

    def __init__(self) -> None:
        self.card: Callable[[bytes], bytes] = lambda _asked: ACK + reply(0x4A, b"\x00")
        self.now_s = 0.0
        self.timeout: float | None = 0.1
        self._waiting = bytearray()
        self._since_s = 0.0
        self._reads = 0

    def begin(self) -> None:
        """A new look: nothing waits, and the patience is whole again."""
        self._waiting.clear()
        self._since_s, self._reads = self.now_s, 0

    # -- the port -----------------------------------------------------------------------------------

    @property
    def in_waiting(self) -> int:
        return len(self._waiting)

    def inWaiting(self) -> int:  # noqa: N802 - pyserial's old name, which pn532pi uses
        return len(self._waiting)

    def read(self, size: int = 1) -> bytes:
        self._reads += 1
        out = bytes(self._waiting[:size])
        del self._waiting[:size]
        if len(out) < size:
            self.pass_s(HANG_S if self.timeout is None else self.timeout)
        if self._reads > MAX_READS:
            raise Hang
        return out

    def pass_s(self, seconds: float) -> None:
        """Time goes by."""
        self.now_s += seconds
        if self.now_s - self._since_s > HANG_S:
            raise Hang

    def write(self, data: bytes) -> int:
        at = bytes(data).find(b"\x00\xff")
        while at >= 0:
            size = data[at + 2]
            body = bytes(data[at + 4 : at + 4 + size])
            if size not in (0, 255) and len(body) == size and body[0] == 0xD4:
                self._waiting += self._told(body[1], body[2:])
            at = bytes(data).find(b"\x00\xff", at + 4 + (0 if size == 255 else size))
        return len(data)

    def reset_input_buffer(self) -> None:
        self._waiting.clear()

    flushInput = reset_input_buffer  # noqa: N815

    def close(self) -> None:
        self._waiting.clear()

    def _told(self, command: int, data: bytes) -> bytes:
        if command == 0x4A:
            return self.card(data)
        told = {0x02: "32010607", 0x06: "26"}.get(command, "")
        return ACK + reply(command, bytes.fromhex(told))


class SplitWriter:
    """Collects what a driver writes in pieces, as pn532pi does, and hands whole frames on."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._held = bytearray()

    def __getattr__(self, name: str) -> object:
        return getattr(self._line, name)

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("_line", "_held"):
            object.__setattr__(self, name, value)
        else:
            setattr(self._line, name, value)

    def write(self, data: bytes) -> int:
        self._held += data
        at = self._held.find(b"\x00\x00\xff")
        if at >= 0 and len(self._held) >= at + 5:
            end = at + 5 + self._held[at + 3] + 2
            if len(self._held) >= end:
                self._line.write(bytes(self._held[:end]))
                del self._held[:end]
        return len(data)
