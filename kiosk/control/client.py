"""The other end of the control socket, for the uplink and the command line."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kiosk.control.lines import read_lines
from kiosk.control.protocol import VERSION, Answer, Request, line_of, parse_answer
from kiosk.core.errors import KioskError, OperatorError


class StationError(KioskError):
    """What the station answered instead: its code and words."""


class ControlClient:
    """One connection to the station, opened when first needed and again after a failure.

    ``timeout_s`` bounds every send and every wait for an answer; ask for less in ``wait``. Not for
    several threads at once.
    """

    def __init__(self, path: Path, timeout_s: float = 40.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._ids = itertools.count(1)
        self._connection: socket.socket | None = None
        self._lines: Iterator[bytes] = iter(())
        self.ended = False

    def end(self) -> None:
        """From another thread: ends a stream, which then says that the station went away."""
        self.ended = True
        connection = self._connection
        if connection is not None:
            with suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(self, op: str, **args: Any) -> dict[str, Any]:
        """The station's answer. Raises StationError (it refused), OperatorError (not reached)."""
        answer = self._checked(self._ask(op, args))
        if answer.ok is None:
            self.close()
            raise _lost("answers out of turn")
        return answer.ok

    def stream(self, op: str, **args: Any) -> Iterator[dict[str, Any]]:
        """What the station has to say until it ends; leaving the loop closes the connection."""
        request_id = self._ask(op, args)
        try:
            while (answer := self._checked(request_id)).item is not None:
                yield answer.item
        finally:
            self.close()

    def _ask(self, op: str, args: dict[str, Any]) -> int:
        request = Request(VERSION, next(self._ids), op, args)
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._lines = read_lines(self._connection, patience_s=self._timeout_s)
            self._connection.settimeout(self._timeout_s)
            self._connection.sendall(line_of(request))
        except TimeoutError as error:
            self.close()
            raise _silent() from error
        except OSError as error:
            self.close()
            raise _lost("went away") from error
        return request.id

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._timeout_s)
            connection.connect(str(self._path))
        except OSError as error:
            connection.close()
            if isinstance(error, PermissionError):
                raise OperatorError(
                    "socket_refused",
                    "This user may not speak to the station.",
                    "Add the user to the group kiosk, or use sudo.",
                ) from error
            if isinstance(error, TimeoutError | BlockingIOError):  # its queue of callers is full
                raise _silent() from error
            raise _lost("is not running") from error
        return connection

    def _checked(self, request_id: int) -> Answer:
        try:
            line = next(self._lines, None)
        except TimeoutError as error:
            self.close()
            raise _silent() from error
        except (OSError, OperatorError) as error:
            self.close()
            raise _lost("went away") from error
        if line is None:
            self.close()
            raise _lost("went away")
        answer = parse_answer(line)
        if answer.error is not None:
            if answer.id is None:
                self.close()
            raise StationError(answer.error.code, answer.error.what, answer.error.todo)
        # (A frame follows a batch alone, and nobody asks for one here.)
        if answer.v != VERSION or answer.id != request_id or answer.frame is not None:
            self.close()
            raise _lost("answers out of turn")
        return answer


def _silent() -> OperatorError:
    """It is there and hangs: whoever would now open the ledger in its place would be refused."""
    return OperatorError(
        "station_silent",
        "The station is there but does not answer.",
        "Wait a minute: the watchdog starts it anew. If not: systemctl restart kiosk-station.",
    )


def _lost(how: str) -> OperatorError:
    return OperatorError(
        "station_unreachable",
        f"The station {how}.",
        "Start it (systemctl start kiosk-station), or look at kiosk doctor.",
    )
