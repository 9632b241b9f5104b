"""The control socket between real processes' ends: permissions, strangers, crowds, and streams."""

from __future__ import annotations

import json
import socket
import stat
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.control import ControlClient, ControlServer, StationError, lines
from kiosk.control.protocol import MAX_LINE_BYTES
from kiosk.control.server import MAX_CONNECTIONS
from kiosk.core.errors import OperatorError, StorageError


def echo(args: dict[str, Any]) -> dict[str, Any]:
    return {"echo": args}


def full(args: dict[str, Any]) -> dict[str, Any]:
    raise StorageError("disk_full", "The disk is full.", "Make room.")


def three(args: dict[str, Any]) -> Generator[dict[str, Any] | None, None, None]:
    for n in range(3):
        yield None
        yield {"n": n}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


Serve = Callable[[], ControlServer]


@pytest.fixture
def serve(path: Path) -> Iterator[Serve]:
    servers = []

    def start() -> ControlServer:
        server = ControlServer(path, {"echo": echo, "full": full}, {"three": three})
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


def raw(path: Path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(10)
    peer.connect(str(path))
    return peer


def answer_of(peer: socket.socket) -> dict[str, Any]:
    with peer.makefile("rb") as answers:
        answer: dict[str, Any] = json.loads(answers.readline())
    return answer


def test_a_call_is_answered_many_times_over_one_connection(path: Path, serve: Serve) -> None:
    serve()
    with ControlClient(path) as client:
        for n in range(20):
            assert client.call("echo", n=n, words="重さ") == {"echo": {"n": n, "words": "重さ"}}


def test_the_socket_is_for_its_user_and_group_alone(path: Path, serve: Serve) -> None:
    serve()
    assert stat.S_IMODE(path.lstat().st_mode) == 0o660


def test_a_refusal_keeps_its_code_and_words_and_the_connection(path: Path, serve: Serve) -> None:
    serve()
    with ControlClient(path) as client:
        with pytest.raises(StationError) as refused:
            client.call("full")
        assert (refused.value.code, refused.value.todo) == ("disk_full", "Make room.")
        with pytest.raises(StationError, match="knows no 'dance'"):
            client.call("dance")
        assert client.call("echo") == {"echo": {}}


def test_a_stream_ends_and_the_next_call_works(path: Path, serve: Serve) -> None:
    serve()
    with ControlClient(path) as client:
        assert list(client.stream("three")) == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert client.call("echo") == {"echo": {}}


def test_a_watcher_that_leaves_ends_its_stream(path: Path) -> None:
    ended = threading.Event()

    def forever(args: dict[str, Any]) -> Generator[dict[str, Any] | None, None, None]:
        try:
            while True:
                yield {"tick": True}
        finally:
            ended.set()

    server = ControlServer(path, {}, {"watch": forever})
    server.start()
    client = ControlClient(path)
    for _ in client.stream("watch"):
        break
    client.close()
    assert ended.wait(10)
    server.stop()


def test_garbage_is_answered_and_the_connection_closed(path: Path, serve: Serve) -> None:
    serve()
    with raw(path) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with peer.makefile("rb") as answers:
            assert json.loads(answers.readline())["error"]["code"] == "bad_request"
            assert answers.readline() == b""


def test_a_line_without_end_is_cut_off(path: Path, serve: Serve) -> None:
    serve()
    with raw(path) as peer:
        peer.sendall(b"x" * MAX_LINE_BYTES)
        assert answer_of(peer)["error"]["code"] == "line_too_long"


def test_half_a_line_is_not_waited_for_for_ever(
    path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LINE_S", 0.05)
    serve()
    with raw(path) as peer:
        peer.sendall(b'{"v":2,')
        assert answer_of(peer)["error"]["code"] == "line_never_ends"


def test_a_request_in_pieces_and_two_at_once(path: Path, serve: Serve) -> None:
    serve()
    with raw(path) as peer:
        for piece in (b'{"v":2,"id":1,', b'"op":"echo"}\n{"v":2,', b'"id":2,"op":"echo"}\n'):
            peer.sendall(piece)
        with peer.makefile("rb") as answers:
            assert [json.loads(answers.readline())["id"] for _ in range(2)] == [1, 2]


def test_one_more_than_fits_is_told_busy(path: Path, serve: Serve) -> None:
    serve()
    peers = [ControlClient(path) for _ in range(MAX_CONNECTIONS)]
    for peer in peers:
        peer.call("echo")
    with raw(path) as late:
        assert answer_of(late)["error"]["code"] == "busy"
    for peer in peers:
        peer.close()


def test_a_socket_left_by_a_killed_station_is_replaced(path: Path, serve: Serve) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
        dead.listen()
    serve()
    with ControlClient(path) as client:
        assert client.call("echo") == {"echo": {}}


def test_two_stations_at_once(path: Path, serve: Serve) -> None:
    serve()
    with pytest.raises(OperatorError) as refused:
        serve()
    assert refused.value.code == "already_running"
    with ControlClient(path) as client:
        assert client.call("echo") == {"echo": {}}


def test_a_file_that_is_no_socket_is_left_alone(path: Path, serve: Serve) -> None:
    path.write_text("precious")
    with pytest.raises(OperatorError) as refused:
        serve()
    assert refused.value.code == "socket_path_taken"
    assert path.read_text() == "precious"


def test_stop_takes_the_file_away_and_peers_notice(path: Path, serve: Serve) -> None:
    server = serve()
    with ControlClient(path) as client:
        client.call("echo")
        server.stop()
        assert not path.exists()
        with pytest.raises(OperatorError) as gone:
            client.call("echo")
    assert gone.value.code == "station_unreachable"


def test_a_station_that_hangs_is_not_taken_for_one_that_is_not_there(path: Path) -> None:
    """Else its caller would open the ledger itself, and hear that another holds it."""
    still = threading.Event()
    server = ControlServer(path, {"hang": lambda _: {"still": still.wait(20)}})
    server.start()
    with ControlClient(path, timeout_s=0.2) as client, pytest.raises(OperatorError) as hung:
        client.call("hang")
    still.set()
    server.stop()
    assert hung.value.code == "station_silent"


def test_the_client_finds_a_station_that_came_back(path: Path, serve: Serve) -> None:
    with ControlClient(path) as client:
        serve().stop()
        with pytest.raises(OperatorError):
            client.call("echo")
        serve()
        assert client.call("echo") == {"echo": {}}
