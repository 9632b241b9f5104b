"""Lines from a socket, bounded in length and in patience."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

from kiosk.control.protocol import MAX_LINE_BYTES
from kiosk.core.errors import OperatorError

RECEIVE_BYTES = 65_536
LINE_S = 10.0
"""A line once begun has to end within this time: nobody holds a connection with half a line."""


def read_lines(connection: socket.socket, *, patience_s: float | None) -> Iterator[bytes]:
    """Whole lines without their line feed, until the peer closes.

    ``patience_s`` how long a line may be waited for (None: for ever). Raises OperatorError for a
    line that is too long or never ends, TimeoutError when patience is over.
    """
    buffer = bytearray()
    begun_s = 0.0
    while True:
        connection.settimeout(_left_s(begun_s) if buffer else patience_s)
        try:
            received = connection.recv(RECEIVE_BYTES)
        except TimeoutError:
            if buffer:
                raise _never_ends() from None
            raise
        except ConnectionError:
            # A peer that was killed is a peer that closed.
            return
        if not received:
            return
        if not buffer:
            begun_s = time.monotonic()
        buffer += received
        *lines, rest = bytes(buffer).split(b"\n")
        if any(len(line) >= MAX_LINE_BYTES for line in (*lines, rest)):
            raise OperatorError(
                "line_too_long",
                f"A line on the control socket is longer than {MAX_LINE_BYTES} bytes.",
                "Ask for less at once.",
            )
        if lines:
            buffer = bytearray(rest)
            begun_s = time.monotonic()
        yield from lines


def _left_s(begun_s: float) -> float:
    left_s = begun_s + LINE_S - time.monotonic()
    if left_s <= 0:
        raise _never_ends()
    return left_s


def _never_ends() -> OperatorError:
    return OperatorError(
        "line_never_ends",
        f"A line on the control socket did not end within {LINE_S:.0f} seconds.",
        "Send whole lines.",
    )
