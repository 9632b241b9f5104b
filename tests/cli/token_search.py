"""A search for what must be nowhere: the secrets of cards, in every dress that bytes wear in files."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk.core.cards import base45


@dataclass(frozen=True)
class Needle:
    """One form of one secret."""

    secret: str
    form: str
    data: bytes


def needles(secret: str, data: bytes) -> Iterator[Needle]:
    """``data`` as it is and backwards, in hexadecimal, base45, base64, decimal and as Python writes it,
    each text also in UTF-16."""
    for order, raw in (("", data), ("reversed ", data[::-1])):
        yield Needle(secret, f"{order}bytes", raw)
        for form, text in texts(raw):
            yield Needle(secret, f"{order}{form}", text.encode())
            yield Needle(secret, f"{order}{form} in UTF-16LE", text.encode("utf-16-le"))
            yield Needle(secret, f"{order}{form} in UTF-16BE", text.encode("utf-16-be"))


def texts(raw: bytes) -> Iterator[tuple[str, str]]:
    """Every way in which programs write bytes as text."""
    for separator in ("", " ", ":", "-"):
        digits = raw.hex(separator) if separator else raw.hex()
        yield f"hex with {separator!r}", digits
        yield f"HEX with {separator!r}", digits.upper()
    yield "base45", base45.encode(raw).decode()
    for shift in range(3):
        # What follows decides the last character, what stands before it the first ones.
        whole = base64.b64encode(bytes(shift) + raw + bytes(3)).decode()
        first, last = -(-8 * shift // 6), (8 * (shift + len(raw))) // 6
        yield f"base64 at {shift}", whole[first:last]
        yield f"base64url at {shift}", whole[first:last].replace("+", "-").replace("/", "_")
    yield "decimals", ", ".join(map(str, raw))
    yield "decimals without space", ",".join(map(str, raw))
    yield "escapes", "".join(f"\\x{byte:02x}" for byte in raw)
    yield "repr", repr(raw)[2:-1]


def inflated(data: bytes) -> bytes:
    """What is under zlib in it, from its beginning."""
    try:
        return zlib.decompressobj().decompress(data, 1 << 20)
    except zlib.error:
        return b""


def found(folder: Path, wanted: list[Needle]) -> list[str]:
    """Where any of them stands: in a file or in its name."""
    places = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder)).encode()
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        for content in (name, data, inflated(data)):
            places += [
                f"{path.relative_to(folder)}: {one.secret}, {one.form}"
                for one in wanted
                if one.data in content
            ]
    return places
