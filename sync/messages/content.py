"""Content types: plain JSON, or JSON under zlib; both bounded before they are read.

Weighings repeat their keys, so zlib takes a batch of a hundred from 310 to about 50 bytes each,
which a station on a mobile contract pays for every day. A bomb is not inflated beyond the bound.
"""

from __future__ import annotations

import zlib

from sync.messages.problem import Malformed

CONTENT_JSON = "application/json"
CONTENT_ZLIB = "application/json+zlib"
MAX_PLAIN_BYTES = 128 * 1024
"""The largest message, before compression."""
WORTH_BYTES = 512
"""Below this the header of zlib and the processor's time cost more than they save."""


def deflate(plain: bytes, level: int | None = 6) -> tuple[str, bytes]:
    """(content type, payload) for a message; ``level`` zlib's, None for plain."""
    if level is None or len(plain) < WORTH_BYTES:
        return CONTENT_JSON, plain
    return CONTENT_ZLIB, zlib.compress(plain, level)


def inflate(content_type: str | None, payload: bytes) -> bytes:
    """The plain JSON of a received payload; Malformed when too large, torn or of another type."""
    if len(payload) > MAX_PLAIN_BYTES:
        raise Malformed("too_large", "the payload is larger than 128 KiB")
    if content_type in (None, "", CONTENT_JSON):
        return payload
    if content_type != CONTENT_ZLIB:
        raise Malformed("content_type", "the content type is not one of the contract's")
    engine = zlib.decompressobj()
    try:
        plain = engine.decompress(payload, MAX_PLAIN_BYTES + 1)
    except zlib.error:
        raise Malformed("content", "the payload is not a zlib stream") from None
    if len(plain) > MAX_PLAIN_BYTES:
        raise Malformed("too_large", "the message is larger than 128 KiB")
    if not engine.eof or engine.unused_data:
        raise Malformed("content", "the zlib stream is torn, or something follows it")
    return plain
