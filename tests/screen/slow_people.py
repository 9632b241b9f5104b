"""People who ask and do not go on: half a request now and then, an answer that nobody reads."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, cycle

DRIP_S = 0.5
"""How often each says one byte more."""
HOST = "127.0.0.1"

WAYS = (
    b"",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
    b"POST /act HTTP/1.1\r\nHost: %(host)s\r\nContent-Length: 1000\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: %(host)s\r\n\r\n" * 8,
    b"GET /events HTTP/1.1\r\nHost: %(host)s\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: %(host)s\r\nContent-Length: 1000000\r\n\r\n",
)
"""What they begin with: nothing, half a head, half a body, eight pages unread, a stream unread, a body for
nobody."""


class SlowPeople:
    """``number`` connections at ``port`` that are made again as soon as they are ended."""

    def __init__(self, port: int, number: int) -> None:
        self.began = 0
        """Connections so far."""
        self._port = port
        self._ways = cycle(WAYS)
        self._open: list[socket.socket | None] = [None] * number
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slow-people", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        for one in self._open:
            if one is not None:
                one.close()

    def _run(self) -> None:
        for turn in count():
            for place, one in enumerate(self._open):
                if self._stop.is_set():
                    return
                if one is None or not self._drips(one, turn):
                    self._open[place] = self._begun()
            self._stop.wait(DRIP_S)

    def _begun(self) -> socket.socket | None:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(1)
        try:
            one.connect((HOST, self._port))
            one.sendall(next(self._ways) % {b"host": b"%s:%d" % (HOST.encode(), self._port)})
        except OSError:
            one.close()
            return None
        one.setblocking(False)
        self.began += 1
        return one

    @staticmethod
    def _drips(one: socket.socket, turn: int) -> bool:
        """Whether it is still there."""
        with selectors.DefaultSelector() as selector:
            selector.register(one, selectors.EVENT_WRITE)
            writable = selector.select(0)
        try:
            if writable:
                one.send(b"x" if turn else b"")
        except OSError:
            one.close()
            return False
        return True


@contextmanager
def slow_people(port: int, number: int) -> Iterator[SlowPeople]:
    people = SlowPeople(port, number)
    try:
        yield people
    finally:
        people.stop()
