"""The simulated line does to real sockets what its weather says."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

import pytest
from hw_sim.link import Line, Weather
from hw_sim.link_run import Spells

PATIENCE_S = 20.0
MESSAGE = bytes(range(256)) * 64


class Echo:
    """Sends back what comes, on any number of connections."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._server.getsockname()
        self._ended = threading.Semaphore(0)
        self.got = 0
        """Bytes of the connection that was begun last."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                end, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(end,), daemon=True).start()

    def _serve(self, end: socket.socket) -> None:
        self.got = 0
        with closing(end):
            try:
                while data := end.recv(65_536):
                    self.got += len(data)
                    end.sendall(data)
            except OSError:
                pass
        self._ended.release()

    def wait_for_end(self) -> None:
        """Of one connection."""
        assert self._ended.acquire(timeout=PATIENCE_S)

    def close(self) -> None:
        with suppress(OSError):  # closed by the story already
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


def line_to(echo: Echo, weather: Weather | None = None, seed: int = 1) -> closing[Line]:
    return closing(Line(echo.address, weather, seed=seed))


def dial(line: Line) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), timeout=PATIENCE_S)


def read(end: socket.socket, size: int) -> bytes:
    """``size`` bytes, or what came before the end."""
    got = bytearray()
    while len(got) < size and (data := end.recv(65_536)):
        got += data
    return bytes(got)


def test_a_slow_and_uneven_line_delivers_every_byte_in_order_and_counts_it(echo: Echo) -> None:
    weather = Weather(bytes_per_s=200_000, latency_ms=5, jitter_ms=20)
    with line_to(echo, weather) as line, closing(dial(line)) as end:
        end.sendall(MESSAGE)
        assert read(end, len(MESSAGE)) == MESSAGE
        assert (line.counts.up_bytes, line.counts.down_bytes) == (len(MESSAGE), len(MESSAGE))


def test_two_connections_share_a_narrow_line(echo: Echo) -> None:
    with line_to(echo, Weather(bytes_per_s=100_000)) as line:
        ends = [dial(line), dial(line)]
        for end in ends:
            end.sendall(MESSAGE)
        assert [read(end, len(MESSAGE)) for end in ends] == [MESSAGE] * 2
        for end in ends:
            end.close()
        assert line.counts.up_busy_s == pytest.approx(2 * len(MESSAGE) / 100_000)


def test_a_reset_tears_a_message_in_its_middle(echo: Echo) -> None:
    """Whichever way it went, an end has a part of a message; a kernel may throw away what it has not
    handed over when the reset comes, but hardly ten times."""
    with line_to(echo, Weather(reset_each_s=0.02)) as line:
        torn = 0
        for _ in range(10):
            with closing(dial(line)) as end:
                got = 0
                with pytest.raises(ConnectionError):
                    while True:
                        end.sendall(MESSAGE)
                        got += len(end.recv(65_536))
                        while got % len(MESSAGE):
                            got += len(end.recv(65_536))
                echo.wait_for_end()
                torn += bool(got % len(MESSAGE) or echo.got % len(MESSAGE))
        assert line.counts.resets >= 10
        assert torn >= 1


def test_a_silent_connection_takes_everything_and_never_answers_or_ends(echo: Echo) -> None:
    with line_to(echo) as line, closing(dial(line)) as end:
        end.sendall(b"before")
        assert read(end, 6) == b"before"
        line.become("dark")
        end.sendall(b"after")
        with closing(dial(line)) as late:
            late.sendall(b"anybody?")
            for each in (end, late):
                each.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    each.recv(1)
        line.become("open")
        with pytest.raises(TimeoutError):
            end.recv(1)  # what fell silent stays so
        with closing(dial(line)) as again:
            again.sendall(b"light")
            assert read(again, 5) == b"light"
            line.reset_silent()
            with pytest.raises(ConnectionError):
                end.recv(1)
            again.sendall(b"still")
            assert read(again, 5) == b"still"


def test_a_line_that_refuses_ends_what_is_there_and_comes_back_on_the_same_port(echo: Echo) -> None:
    with line_to(echo) as line:
        end = dial(line)
        end.sendall(b"x")
        assert read(end, 1) == b"x"
        line.become("refusing")
        with pytest.raises(ConnectionError):
            end.recv(1)
        with pytest.raises(ConnectionError):
            dial(line)
        line.become("open")
        with closing(dial(line)) as again:
            again.sendall(b"y")
            assert read(again, 1) == b"y"
        end.close()


def test_nobody_behind_the_line_is_a_reset_and_counted(echo: Echo) -> None:
    with line_to(echo) as line:
        echo.close()
        with pytest.raises(ConnectionError), closing(dial(line)) as end:
            end.recv(1)
        assert line.counts.refused == 1


def test_the_line_as_a_process_says_where_it_listens_and_goes_dark_when_asked(echo: Echo) -> None:
    command = [
        Path(sys.executable).with_name("hw-sim"),
        "link",
        "--to",
        "{}:{}".format(*echo.address),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["listening"]
        with closing(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)) as end:
            end.sendall(b"hello")
            assert read(end, 5) == b"hello"
            process.send_signal(signal.SIGUSR1)
            assert json.loads(process.stdout.readline()) == {"state": "dark"}
            process.send_signal(signal.SIGUSR1)
            assert json.loads(process.stdout.readline()) == {"state": "open"}
        process.terminate()
        assert json.loads(process.stdout.readlines()[-1])["up_bytes"] == 5
    assert process.returncode == 0


def test_the_spells_of_a_seed_come_again() -> None:
    spells = Spells(dark_each_s=10.0, refuse_each_s=20.0)

    def first(seed: int) -> list[tuple[float, str, float]]:
        return list(islice(spells.drawn(random.Random(seed)), 20))

    assert first(3) == first(3) != first(4)
    assert {state for _, state, _ in first(3)} == {"dark", "refusing"}
    assert list(Spells().drawn(random.Random(1))) == []
