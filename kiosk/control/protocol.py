"""The control socket's lines: JSON, one message a line, a request answered by its id.

::

    {"v":2,"id":7,"op":"wait","args":{"after":41,"timeout_ms":1000}}
    {"v":2,"id":7,"ok":{"head_seq":42,"watermark":40,"epoch":1}}
    {"v":2,"id":8,"error":{"code":"unknown_op","what":"…","todo":"…"}}

A streaming op answers with any number of ``{"v":2,"id":n,"item":{…}}`` and one ``ok`` at its end. An answer
with ``"frame":n`` is followed by n bytes as they are, without a line feed: a batch of 128 KiB goes through
no second JSON string (version 1 had it in one, at 3 times the processor time).
Pure: bytes in, values out, whatever the bytes are.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kiosk.core.errors import OperatorError

VERSION = 2
MAX_LINE_BYTES = 1 << 20
"""With its line feed; what the city says travels inside, a chunk of a list at most 128 KiB plain."""
MAX_FRAME_BYTES = 256 << 10
"""Bytes after an answer's line."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call. ``id`` is the caller's and comes back with every answer."""

    v: int
    id: Annotated[int, Meta(ge=0, le=2**53)]
    op: Annotated[str, Meta(pattern=r"\A[a-z_]{1,32}\Z")]
    args: dict[str, Any] = {}


class Failure(msgspec.Struct, frozen=True):
    """A ``KioskError`` on its way: a stable code and two sentences."""

    code: str
    what: str
    todo: str


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of ``ok``, ``item`` and ``error``. ``id`` None where the request had none to read; ``frame``
    bytes follow the line of an ``ok``."""

    v: int
    id: int | None
    ok: dict[str, Any] | None = None
    item: dict[str, Any] | None = None
    error: Failure | None = None
    frame: Annotated[int, Meta(ge=1, le=MAX_FRAME_BYTES)] | None = None


_REQUEST = msgspec.json.Decoder(Request)
_ANSWER = msgspec.json.Decoder(Answer)


def parse_request(line: bytes) -> Request:
    """The request in one line; OperatorError for anything else."""
    try:
        request = _REQUEST.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise OperatorError(
            "bad_request",
            "The line is not a request of this protocol.",
            "Send one JSON object a line, with v, id, op and args.",
        ) from None
    if request.v != VERSION:
        raise OperatorError(
            "other_version",
            f"The station speaks version {VERSION} of the control protocol, not {request.v}.",
            "Use the kiosk command of the same installation as the station.",
        )
    return request


def parse_answer(line: bytes) -> Answer:
    """The answer in one line; OperatorError for anything else."""
    try:
        answer = _ANSWER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise OperatorError(
            "bad_answer",
            "What listens on the control socket is not a station.",
            "Check the path of the socket in the settings.",
        ) from None
    return answer


def line_of(message: Request | Answer) -> bytes:
    """The message as one line; ValueError where it would be too long (our own mistake)."""
    line = msgspec.json.encode(message) + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"a line of {len(line)} bytes on the control socket")
    return line
