"""How a serial port is set, and how it is opened."""

from __future__ import annotations

import errno
import termios
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import serial

READ_S = 0.1


@dataclass(frozen=True, slots=True)
class Line:
    """A line's speed and characters."""

    baud: int = 2400
    bytesize: Literal[7, 8] = 7
    parity: Literal["N", "E", "O"] = "E"
    stopbits: Literal[1, 2] = 1

    def __str__(self) -> str:
        return f"{self.baud} {self.bytesize}{self.parity}{self.stopbits}"


def opened(port: str, line: Line) -> serial.Serial:
    """The port, as set or with plain 8 bits. Raises OSError, ValueError or ``termios.error``.

    Some lines know no parity and refuse it: a few USB adapters, every pseudo-terminal. Seven bits and
    parity look the same on the wire as eight, and a byte with its parity bit set is no ASCII, so the
    codecs take no telegram with one.
    """
    import serial  # SerialException is an OSError, termios.error is not

    def port_with(bytesize: int, parity: str) -> serial.Serial:
        return serial.Serial(
            port,
            baudrate=line.baud,
            bytesize=bytesize,
            parity=parity,
            stopbits=line.stopbits,
            timeout=READ_S,
            write_timeout=1,
            exclusive=True,
        )

    try:
        return port_with(line.bytesize, line.parity)
    except termios.error as error:
        if error.args[0] != errno.EINVAL:
            raise
    return port_with(8, "N")
