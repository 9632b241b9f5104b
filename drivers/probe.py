"""``kiosk scale probe``: an indicator's speed and protocol, found by listening and by asking.

Theory. What streams is heard: at a wrong speed nearly nothing reads as a telegram, at the right one nearly
everything does. So each speed is listened to, with eight bits; whether the line has seven and which
parity, the bytes themselves tell (``parity``). What stays silent is asked, with requests that only read:
nothing here zeroes, tares, or changes a setting. One telegram may be chance, so two of one protocol
are wanted, and more bytes in telegrams than outside.

Bounded: every wait has its length, and no attempt begins after the given time.
"""

from __future__ import annotations

import errno
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from drivers import indicator_modbus
from drivers.decode import read
from drivers.indicator_modbus import Registers
from drivers.parity import parity_of
from drivers.protocols import PROTOCOLS
from drivers.serial_line import Line, opened
from drivers.telegram import Frame, Skipped
from kiosk.core.errors import DeviceError, OperatorError

BAUDS = (9600, 2400, 4800, 19200, 1200, 38400, 57600, 115200, 600, 300)
"""The usual ones first; 9600 and 2400 are most makers'."""
ASKED_BAUDS = (9600, 2400, 4800, 19200, 1200, 38400, 115200)
SEVEN_BITS_BAUD = 9600
"""Faster lines have eight."""
MODBUS_BAUDS = (9600, 19200, 38400, 115200)
MODBUS_UNITS = (1, 2, 3)
LISTEN_S = 0.7
ANSWER_S = 0.25
ASKED_TWICE = 2
ENOUGH_FRAMES = 2
MOST_BYTES = 8_192
"""So much of a stream is more than enough to know it."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt: ``asked`` None where it only listened."""

    line: Line
    asked: bytes | None
    bytes: int
    frames: int


@dataclass(frozen=True, slots=True)
class Found:
    """What speaks there. ``stream``: by itself. ``unit_id`` of a Modbus transmitter."""

    line: Line
    protocol: str
    stream: bool
    unit_id: int | None = None


def probe(port: str, limit_s: float) -> Iterator[Tried | Found]:
    """Every attempt as it ends; last what was found, if anything was."""
    until_s = time.monotonic() + limit_s
    for attempt in (*_listening(), *_asking()):
        if time.monotonic() >= until_s:
            return
        tried, found = attempt.run(port)
        yield tried
        if found is not None:
            yield found
            return


@dataclass(frozen=True, slots=True)
class _Attempt:
    line: Line
    asked: bytes | None = None
    unit_id: int | None = None

    def run(self, port: str) -> tuple[Tried, Found | None]:
        data = _heard(port, self.line, self.asked)
        if self.unit_id is not None:
            codec = indicator_modbus.decoder(Registers(unit_id=self.unit_id))
            items = [*codec.feed(data), *codec.end()]
            protocol = indicator_modbus.PROTOCOL
        else:
            protocol, items = read(data, {name: spec.decoder for name, spec in PROTOCOLS.items()})
        frames = sum(isinstance(one, Frame) for one in items)
        tried = Tried(self.line, self.asked, len(data), frames)
        skipped = sum(one.length for one in items if isinstance(one, Skipped))
        if frames < ENOUGH_FRAMES or 2 * skipped > len(data):
            return tried, None
        line = self.line
        if parity := parity_of(data):
            line = replace(line, bytesize=7, parity=parity)
        return tried, Found(line, protocol, self.asked is None, self.unit_id)


def _listening() -> Iterator[_Attempt]:
    for baud in BAUDS:
        yield _Attempt(Line(baud, 8, "N", 1))


def _asking() -> Iterator[_Attempt]:
    """At each speed every maker's request, in seven bits too: an indicator may drop what has no parity.
    Modbus comes last, whose requests the others cannot take for theirs."""
    requests = dict.fromkeys(spec.request for spec in PROTOCOLS.values() if spec.request)
    for baud in ASKED_BAUDS:
        for line in (Line(baud, 8, "N", 1), Line(baud, 7, "E", 1)):
            if line.bytesize == 8 or baud <= SEVEN_BITS_BAUD:
                yield from (_Attempt(line, request) for request in requests)
        for unit_id in MODBUS_UNITS if baud in MODBUS_BAUDS else ():
            asked = indicator_modbus.request(Registers(unit_id=unit_id))
            yield _Attempt(Line(baud, 8, "N", 1), asked, unit_id)


def _heard(port: str, line: Line, asked: bytes | None) -> bytes:
    """What comes in one attempt's time."""
    try:
        with opened(port, line) as serial:
            serial.reset_input_buffer()
            data = b""
            for again in range(1 if asked is None else ASKED_TWICE):
                if again and not data:
                    break
                if asked is not None:
                    serial.write(asked)
                until_s = time.monotonic() + (LISTEN_S if asked is None else ANSWER_S)
                while time.monotonic() < until_s and len(data) < MOST_BYTES:
                    data += serial.read(max(1, serial.in_waiting))
            return data
    except (OSError, ValueError, termios.error) as error:
        if isinstance(error, OSError) and error.errno in (errno.EBUSY, errno.EAGAIN):
            raise OperatorError(
                "port_busy",
                f"{port} is used by another program.",
                "Stop the station, then try again.",
            ) from error
        raise DeviceError(
            "indicator_missing",
            f"The indicator's port {port} cannot be opened ({error}).",
            "Check its plug and its power, then the port's name.",
        ) from error
