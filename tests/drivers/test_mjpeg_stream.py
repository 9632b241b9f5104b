"""Network cameras, good and strange, byte by byte over a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from drivers.mjpeg_stream import MAX_FRAME_BYTES, open_stream

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
JPEG = b"\xff\xd8 a picture \r\n\r\n--frame\r\n of a hall \xff\xd9"
GOOD = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (
    len(JPEG),
    JPEG,
)
Camera = Callable[[bytes], str]


@pytest.fixture
def camera() -> Iterator[Camera]:
    """A camera that says just this to whoever comes, and hangs up; gives its address."""
    listeners: list[socket.socket] = []

    def make(answer: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, answer), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/cam?size=vga"

    yield make
    for listener in listeners:
        listener.close()


def serve(listener: socket.socket, answer: bytes) -> None:
    try:
        viewer, _ = listener.accept()
        with viewer:
            viewer.settimeout(5)
            viewer.recv(4_096)
            viewer.sendall(answer)
    except OSError:
        return  # the test is over


def frames(url: str, most: int = 50) -> list[bytes] | None:
    """What comes until the camera hangs up; None where it is no stream for us."""
    stream = open_stream(url)
    if stream is None:
        return None
    found: list[bytes] = []
    while len(found) < most and (data := stream.read()) is not None:
        found.append(data.tobytes())
    stream.release()
    return found


def test_every_frame_comes_whole_whatever_stands_in_it(camera: Camera) -> None:
    assert frames(camera(HEAD + 3 * GOOD)) == [JPEG] * 3


def test_a_frame_that_breaks_off_is_none(camera: Camera) -> None:
    assert frames(camera(HEAD + GOOD + GOOD[:-20])) == [JPEG]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        b"HTTP/1.0 401 Unauthorized\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Type: video/mp4\r\n\r\n....",
        HEAD + b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + JPEG + b"\r\n--frame\r\n",
        HEAD + b"--frame\r\nContent-Length: %d\r\n\r\n" % (MAX_FRAME_BYTES + 1),
        HEAD + b"--frame\r\nContent-Length: many\r\n\r\n",
        HEAD + b"--frame\r\nContent-Length: -5\r\n\r\n",
        HEAD + b"x" * 100_000,
        HEAD + b"Name: value\r\n" * 10_000,
    ],
)
def test_what_is_no_stream_of_known_lengths_is_left_to_ffmpeg(
    camera: Camera, answer: bytes
) -> None:
    assert frames(camera(answer)) is None


def test_an_address_that_is_not_plain_is_left_to_ffmpeg() -> None:
    for url in ("http://user:word@127.0.0.1:1/", "http://127.0.0.1:99999/", "http:///cam"):
        assert open_stream(url) is None


def test_whatever_a_broken_camera_sends_ends_in_frames_or_none(camera: Camera) -> None:
    dice = np.random.default_rng(7)
    for _ in range(60):
        said = bytearray(HEAD + 4 * GOOD)
        for place in dice.integers(len(HEAD), len(said), int(dice.integers(1, 12))):
            said[place] = int(dice.integers(0, 256))
        found = frames(camera(bytes(said)))
        assert found is None or all(0 < len(one) <= MAX_FRAME_BYTES for one in found)
