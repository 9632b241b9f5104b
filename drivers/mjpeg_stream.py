"""MJPEG over HTTP, as network cameras send it (``multipart/x-mixed-replace``), without decoding.

FFmpeg reads such streams too, but decodes each frame, also the nine of ten that nobody looks at.
Whatever is not plainly such a stream (a redirect, a password in the address, another type, no lengths)
is left to it. Each part has a header with ``Content-Length`` and then that many bytes (RFC 2046 5.1).
"""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlsplit

import numpy as np

from drivers.camera_sources import OPEN_TIMEOUT_MS, READ_TIMEOUT_MS, Data

MAX_FRAME_BYTES = 8 << 20
MAX_LINE_BYTES = 1_024
MAX_HEADER_LINES = 32
KIND = "multipart/x-mixed-replace"


class Stream:
    """An answer whose parts are JPEGs."""

    def __init__(
        self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse
    ) -> None:
        self._connection = connection
        self._answer = answer
        self._first: int | None = self._size()

    @property
    def tells_lengths(self) -> bool:
        """Whether its first part does; a camera whose parts do not is not for us."""
        return self._first is not None

    def read(self) -> Data | None:
        """The next JPEG; None when the camera went, or what came is no such part."""
        try:
            size, self._first = self._first or self._size(), None
            if size is None:
                return None
            data = self._answer.read(size)
        except (OSError, http.client.HTTPException, ValueError):
            return None
        return np.frombuffer(data, np.uint8) if len(data) == size else None

    def expose(self, ms: float | None) -> None:
        """No control."""

    def release(self) -> None:
        self._answer.close()
        self._connection.close()

    def _size(self) -> int | None:
        """Reads a part's header: how many bytes follow."""
        size = None
        for _ in range(MAX_HEADER_LINES):
            line = self._answer.readline(MAX_LINE_BYTES)
            if not line:
                return None
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                size = int(value)
            if not line.strip() and size is not None:
                return size if 0 < size <= MAX_FRAME_BYTES else None
        return None


def open_stream(url: str) -> Stream | None:
    """The stream at ``url``; None where it is none, or cannot be had."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if host is None or parts.username is not None:
        return None
    connection = http.client.HTTPConnection(host, port, timeout=OPEN_TIMEOUT_MS / 1_000)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target)
        if isinstance(connection.sock, socket.socket):
            connection.sock.settimeout(READ_TIMEOUT_MS / 1_000)
        answer = connection.getresponse()
        kind = answer.getheader("content-type", "")
        if answer.status == http.HTTPStatus.OK and kind.startswith(KIND):
            stream = Stream(connection, answer)
            if stream.tells_lengths:
                return stream
    except (OSError, http.client.HTTPException, ValueError):
        pass  # FFmpeg gets its chance
    connection.close()
    return None
