"""The station's control socket: a Unix socket with file permissions, a thread a connection.

Who may open the file may ask (``MODE``: its user and its group, that of the uplink and the
caretakers). What a handler refuses with a ``KioskError`` goes back as an answer; anything else is
our own bug and ends the process by way of ``threading.excepthook``.
"""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.control.lines import read_lines
from kiosk.control.protocol import (
    MAX_FRAME_BYTES,
    VERSION,
    Answer,
    Failure,
    Request,
    line_of,
    parse_request,
)
from kiosk.core.errors import KioskError, OperatorError

Args = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Framed:
    """An answer whose bytes follow its line."""

    ok: dict[str, Any]
    frame: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.frame) <= MAX_FRAME_BYTES:
            raise ValueError(f"a frame of {len(self.frame)} bytes on the control socket")


Reply = dict[str, Any] | Framed
Handler = Callable[[Args], Reply]
"""Answers one request, in the connection's thread; bounded in time by itself."""
StreamHandler = Callable[[Args], Generator[dict[str, Any] | None, None, None]]
"""Yields what there is to say, and None at least every second so that an end is noticed."""

MODE = 0o660
MAX_CONNECTIONS = 16
"""More are told ``busy`` and closed."""
SEND_S = 5.0
"""A peer that takes nothing for so long is dropped."""
STOP_S = 2.0
"""How long ``stop`` waits for all threads; a handler that still waits dies with the process."""
MAX_PATH_BYTES = 107
"""``sockaddr_un.sun_path`` without its final zero (unix(7))."""


class ControlServer:
    """Serves ``handlers`` and ``streams`` on a socket at ``path`` from ``start`` to ``stop``."""

    def __init__(
        self,
        path: Path,
        handlers: Mapping[str, Handler],
        streams: Mapping[str, StreamHandler] | None = None,
    ) -> None:
        self._path = path
        self._handlers = dict(handlers)
        self._streams = dict(streams or {})
        self._listener: socket.socket | None = None
        self._inode: int | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._accepting = threading.Thread(target=self._accept, name="control", daemon=True)

    def start(self) -> None:
        """Listens. Raises OperatorError where another program does, or the path cannot be used."""
        self._listener, self._inode = listen(self._path)
        self._accepting.start()

    def stop(self) -> None:
        """Closes everything and takes the file away, if it is still ours. Harmless twice."""
        if self._listener is None or self._stopping.is_set():
            return
        self._stopping.set()
        # Shutting down wakes accept() and recv() in the other threads; closing alone does not.
        _shut(self._listener)
        until_s = time.monotonic() + STOP_S
        self._accepting.join(STOP_S)
        self._listener.close()
        with self._lock:
            open_now = dict(self._connections)
        for connection in open_now:
            _shut(connection)
        for thread in open_now.values():
            thread.join(max(0.0, until_s - time.monotonic()))
        with suppress(FileNotFoundError):
            if self._path.lstat().st_ino == self._inode:
                self._path.unlink()

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                if self._stopping.is_set():
                    return
                raise
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="control-peer", daemon=True
            )
            with self._lock:
                busy = len(self._connections) >= MAX_CONNECTIONS
                if not busy:
                    self._connections[connection] = thread
            if busy:
                _refuse(connection)
            else:
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            for line in read_lines(connection, patience_s=None):
                try:
                    request = parse_request(line)
                except OperatorError as error:
                    _send(connection, _failed(None, error))
                    return
                self._answer(connection, request)
        except OperatorError as error:
            _send_last(connection, _failed(None, error))
        except _PeerGone:
            # Its own affair; whatever it asked for is done or was refused.
            pass
        finally:
            with self._lock:
                self._connections.pop(connection, None)
            connection.close()

    def _answer(self, connection: socket.socket, request: Request) -> None:
        frame = b""
        try:
            if request.op in self._streams:
                # Closed by hand: a stream may have something to give back at its end.
                with closing(self._streams[request.op](request.args)) as items:
                    for item in items:
                        if self._stopping.is_set() or _has_gone(connection):
                            return
                        if item is not None:
                            _send(connection, Answer(VERSION, request.id, item=item))
                answer = Answer(VERSION, request.id, ok={})
            elif request.op in self._handlers:
                said = self._handlers[request.op](request.args)
                if isinstance(said, Framed):
                    frame = said.frame
                    answer = Answer(VERSION, request.id, ok=said.ok, frame=len(frame))
                else:
                    answer = Answer(VERSION, request.id, ok=said)
            else:
                raise OperatorError(
                    "unknown_op",
                    f"The station knows no {request.op!r}.",
                    "Use the kiosk command of the same installation as the station.",
                )
        except KioskError as error:
            answer = _failed(request.id, error)
        _send(connection, answer, frame)


def listen(path: Path) -> tuple[socket.socket, int]:
    """A listening socket at ``path`` and its inode; a stale file is replaced in one rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    if len(os.fsencode(temporary)) > MAX_PATH_BYTES:
        raise OperatorError(
            "socket_path_too_long",
            f"The path {path} is too long for a socket.",
            "Choose a shorter folder for run in the settings.",
        )
    _check_free(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        temporary.unlink(missing_ok=True)
        listener.bind(str(temporary))
        temporary.chmod(MODE)
        listener.listen(MAX_CONNECTIONS)
        # Only now does it have its name: nobody meets it with other permissions or deaf.
        temporary.rename(path)
        return listener, path.lstat().st_ino
    except OSError as error:
        listener.close()
        raise OperatorError(
            "socket_failed",
            f"The control socket {path} cannot be made ({error.strerror}).",
            "Check that its folder exists and belongs to the station's user.",
            file=path,
            reason=error.strerror,
        ) from error


def _check_free(path: Path) -> None:
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise OperatorError(
            "socket_path_taken",
            f"{path} is no socket.",
            "Move that file away, or choose another folder for run in the settings.",
            file=path,
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(SEND_S)
        try:
            probe.connect(str(path))
        except OSError:
            # Nobody listens: left by a process that was killed.
            return
    raise OperatorError(
        "already_running",
        "The station is already running and answers on its control socket.",
        "Stop the other one first (systemctl stop kiosk-station).",
    )


def _refuse(connection: socket.socket) -> None:
    error = OperatorError(
        "busy",
        f"{MAX_CONNECTIONS} programs are connected to the station already.",
        "Close one of them, or try again.",
    )
    _send_last(connection, _failed(None, error))
    connection.close()


def _failed(request_id: int | None, error: KioskError) -> Answer:
    return Answer(VERSION, request_id, error=Failure(error.code, error.what, error.todo))


class _PeerGone(Exception):
    """The peer closed, or takes nothing for ``SEND_S``."""


def _send(connection: socket.socket, answer: Answer, frame: bytes = b"") -> None:
    line = line_of(answer)
    try:
        connection.settimeout(SEND_S)
        connection.sendall(line + frame)
    except OSError as error:
        raise _PeerGone from error


def _send_last(connection: socket.socket, answer: Answer) -> None:
    with suppress(_PeerGone):
        _send(connection, answer)


def _has_gone(connection: socket.socket) -> bool:
    """Whether the peer of a stream has closed; what it may have sent meanwhile stays unread."""
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def _shut(connection: socket.socket) -> None:
    # ENOTCONN: the peer was quicker.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
