"""``kiosk scale decode``: recorded bytes of an indicator, told frame by frame (contract, 'Indicator
bytes')."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from drivers import indicator_ad
from drivers.indicator_ad import Decoder, Frame, Skipped
from kiosk.core.errors import OperatorError

CODECS: dict[str, Callable[[], Decoder]] = {indicator_ad.PROTOCOL: indicator_ad.Decoder}
PIECE_BYTES = 65_536


def decode_file(path: Path, protocol: str | None = None) -> Iterator[dict[str, Any]]:
    """A JSON object a frame or a skipped stretch, last the summary.

    Without ``protocol`` the one that reads most frames. Raises OperatorError for a protocol that is
    not known or a file that cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OperatorError(
            "capture",
            f"{path} cannot be read ({error.strerror}).",
            "Give a file of captured bytes.",
        ) from error
    yield from decode(data, protocol)


def decode(data: bytes, protocol: str | None = None) -> Iterator[dict[str, Any]]:
    """As ``decode_file``, of bytes."""
    name = _best(data) if protocol is None else protocol
    if name not in CODECS:
        raise OperatorError(
            "protocol",
            f"The protocol {name!r} is not known.",
            f"Choose one of: {', '.join(CODECS)}.",
        )
    frames = skipped_bytes = 0
    for found in _joined(_read(data, name)):
        if isinstance(found, Skipped):
            skipped_bytes += found.length
            yield {"offset": found.offset, "skipped": found.length}
        else:
            frames += 1
            yield {
                "offset": found.offset,
                "protocol": name,
                "status": found.status,
                "mode": found.mode,
                "value": _as_sent(found.value),
                "unit": found.unit,
            }
    yield {"kind": "summary", "frames": frames, "skipped_bytes": skipped_bytes}


def _read(data: bytes, name: str) -> Iterator[Frame | Skipped]:
    codec = CODECS[name]()
    for start in range(0, len(data), PIECE_BYTES):
        yield from codec.feed(data[start : start + PIECE_BYTES])
    yield from codec.end()


def _joined(found: Iterator[Frame | Skipped]) -> Iterator[Frame | Skipped]:
    """Neighbouring skipped stretches as one."""
    held: Skipped | None = None
    for one in found:
        if isinstance(one, Skipped):
            held = one if held is None else Skipped(held.offset, held.length + one.length)
            continue
        if held is not None:
            yield held
            held = None
        yield one
    if held is not None:
        yield held


def _best(data: bytes) -> str:
    def frames(name: str) -> int:
        return sum(isinstance(found, Frame) for found in _read(data, name))

    return max(CODECS, key=frames)


def _as_sent(value: Decimal | None) -> str | None:
    """The number with its decimals, without the indicator's leading zeros."""
    return None if value is None else f"{value:f}"
