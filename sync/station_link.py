"""The uplink's end of the station's control socket: one JSON object a line, asked and answered; the bytes
of a batch follow its line as they are.

The station's end is ``kiosk/control``; only bytes are shared. Every wait, line and frame is bounded.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

PROTOCOL = 2
MAX_LINE_BYTES = 1024 * 1024
MAX_FRAME_BYTES = 256 * 1024
CONNECT_S = 2.0

_T = TypeVar("_T")


class StationGone(Exception):
    """The station's process does not answer. ``stalled`` when it is there but silent."""

    def __init__(self, why: str, *, stalled: bool = False) -> None:
        super().__init__(why)
        self.stalled = stalled


class StationRefused(Exception):
    """The station answered with an error; ``code`` is stable."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


class Hello(msgspec.Struct, frozen=True):
    """Whose ledger it is, and how far it and the city are; ``listens`` the topics below its own
    that it wants to hear beside ``ack``."""

    station: str
    city: str
    ledger: str
    head_seq: int
    watermark: int
    epoch: int
    turn: int
    software: str
    listens: tuple[str, ...] = ()


class Moved(msgspec.Struct, frozen=True):
    """The answer to ``wait``."""

    head_seq: int
    watermark: int
    epoch: int
    turn: int


class Fetched(msgspec.Struct, frozen=True):
    """The answer to ``batch``; ``first`` None when there is nothing after."""

    first: int | None
    last: int | None = None


class Ended(msgspec.Struct, frozen=True):
    """The answer to ``ended``; None where the city has heard of all that was forgotten there."""

    last: int | None


class WordVerdict(msgspec.Struct, frozen=True):
    """The answer to ``word``: what became of it, which topics to ask for next, what to reply, and
    whether to say state and health anew."""

    accepted: bool
    reason: str | None = None
    wants: tuple[str, ...] = ()
    reply: str | None = None
    refresh: bool = False


class VerdictError(msgspec.Struct, frozen=True):
    """What the city said is wrong."""

    code: str
    seq: int


class Verdict(msgspec.Struct, frozen=True):
    """The answer to ``ack``."""

    accepted: bool
    watermark: int
    epoch: int
    turn: int
    reason: str | None = None
    error: VerdictError | None = None


class _Failure(msgspec.Struct, frozen=True):
    code: str
    what: str = ""


class _Answer(msgspec.Struct, frozen=True):
    id: int
    ok: msgspec.Raw = msgspec.Raw()  # (msgspec 0.22 reads "Raw | None" as null alone)
    error: _Failure | None = None
    frame: Annotated[int, msgspec.Meta(ge=1, le=MAX_FRAME_BYTES)] | None = None


class StationLink:
    """One connection; StationGone from any call ends it.

    One thread asks and closes. Any other may only ``end`` it: a descriptor closed under a thread that
    reads from it may be another connection's a moment later, and its answer would be read here.
    """

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._number = 0
        self._rest = b""
        self._frame = b""
        """What followed the last answer's line."""
        self._open = threading.Lock()
        self._closed = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(CONNECT_S)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            stalled = isinstance(error, (TimeoutError, BlockingIOError))
            raise StationGone(f"{path}: {error}", stalled=stalled) from error
        self._socket.settimeout(timeout_s)

    def hello(self) -> Hello:
        return self._ask("hello", {}, Hello)

    def wait(self, after: int, timeout_ms: int) -> Moved:
        """Wait in the station for news; ``timeout_ms`` stays below this connection's own."""
        return self._ask("wait", {"after": after, "timeout_ms": timeout_ms}, Moved)

    def batch(self, after: int, max_entries: int) -> tuple[int, bytes] | None:
        """The last seq and the bytes of the batch that follows ``after``; None when there is none."""
        fetched = self._ask("batch", {"after": after, "max_entries": max_entries}, Fetched)
        return None if fetched.last is None else (fetched.last, self._frame)

    def ended(self) -> bytes | None:
        """A batch that tells of seals forgotten in ledgers that ended."""
        return None if self._ask("ended", {}, Ended).last is None else self._frame

    def ack(self, payload: str) -> Verdict:
        return self._ask("ack", {"payload": payload}, Verdict)

    def word(self, topic: str, payload: str) -> WordVerdict:
        """What the city says on ``topic``, as the station names it."""
        return self._ask("word", {"topic": topic, "payload": payload}, WordVerdict)

    def link(
        self, *, online: bool, code: str | None, words: str, certificate_ms: int | None = None
    ) -> None:
        told: dict[str, Any] = {"online": online, "code": code, "words": words}
        if certificate_ms is not None:
            told["certificate_ms"] = certificate_ms
        self._ask("link", told, dict[str, Any])

    def health(self) -> dict[str, Any]:
        return self._ask("health", {}, dict[str, Any])

    def end(self) -> None:
        """From any thread: a call that waits comes back with StationGone, as does every later one."""
        with self._open, contextlib.suppress(OSError):  # the station may have closed first
            if not self._closed:
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it, on the thread that asks. Harmless twice."""
        with self._open:
            self._closed = True
            self._socket.close()

    def _ask(self, op: str, args: dict[str, Any], kind: type[_T]) -> _T:
        self._number += 1
        question = {"v": PROTOCOL, "id": self._number, "op": op, "args": args}
        try:
            self._socket.sendall(msgspec.json.encode(question) + b"\n")
            answer = msgspec.json.decode(self._line(), type=_Answer)
            self._frame = self._bytes(answer.frame or 0)
            if answer.error is not None:
                raise StationRefused(answer.error.code, answer.error.what)
            if answer.id != self._number or not bytes(answer.ok):
                raise StationGone(f"{op}: the answer belongs to another question")
            return msgspec.json.decode(answer.ok, type=kind)
        except StationGone:
            self.close()
            raise
        except TimeoutError as error:
            self.close()
            raise StationGone(f"{op}: no answer in {self._timeout_s} s", stalled=True) from error
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            self.close()
            raise StationGone(f"{op}: {error}") from error

    def _line(self) -> bytes:
        parts = self._rest
        while (end := parts.find(b"\n")) < 0:
            if len(parts) > MAX_LINE_BYTES:
                raise StationGone("a line longer than 1 MiB")
            more = self._socket.recv(65536)
            if not more:
                raise StationGone("the station closed the connection")
            parts += more
        self._rest = parts[end + 1 :]
        return parts[:end]

    def _bytes(self, count: int) -> bytes:
        """The next ``count`` bytes, whatever they are."""
        early, self._rest = self._rest[:count], self._rest[count:]
        if len(early) == count:
            return early
        frame = bytearray(count)
        frame[: len(early)] = early
        with memoryview(frame) as left:
            place = len(early)
            while place < count:
                got = self._socket.recv_into(left[place:])
                if not got:
                    raise StationGone("the station closed the connection")
                place += got
        return bytes(frame)
