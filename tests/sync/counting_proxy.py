"""A TCP proxy that counts what passes, each way and in pieces, between an uplink and its broker."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Passed:
    """One piece as it was read: ``up`` from the client."""

    at_s: float
    up: bool
    size: int


class CountingProxy:
    """Listens on a port of its own and passes everything on to ``port``."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.passed: list[Passed] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def total(self, since_s: float = 0.0) -> int:
        """Bytes of TCP payload both ways, TLS included."""
        return sum(each.size for each in self.passed if each.at_s >= since_s)

    def pieces(self, since_s: float = 0.0) -> int:
        """About as many TCP segments with payload."""
        return sum(1 for each in self.passed if each.at_s >= since_s)

    def cut(self) -> None:
        """The line goes for a moment: every connection ends."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End everything, and wait for it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self.cut()
        for thread in self._threads:
            thread.join()
        for each in (self._listener, *self._open):
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                for source, target, up in ((client, server, True), (server, client, False)):
                    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    thread = threading.Thread(target=self._pass, args=(source, target, up))
                    self._threads.append(thread)
                    thread.start()

    def _pass(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        with contextlib.suppress(OSError):  # either end may go first
            while piece := source.recv(65536):
                self.passed.append(Passed(time.monotonic(), up, len(piece)))
                target.sendall(piece)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
