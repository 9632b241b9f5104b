"""``kiosk scale decode``: recorded bytes of an indicator, told frame by frame (contract, 'Indicator
bytes')."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from drivers.parity import without_parity
from drivers.protocols import PROTOCOLS
from drivers.telegram import Codec, Frame, Skipped
from kiosk.core.errors import OperatorError

PIECE_BYTES = 65_536
MAX_FILE_BYTES = 32 << 20
"""More than nine hours of an indicator at 9,600 baud."""
PICK_BYTES = 262_144
"""The protocol is told by so much of a capture."""
EIGHT_BITS = "modbus"
"""Whose bytes have no parity among them."""
GENERIC = "generic"
GENERIC_FACTOR = 2
"""The generic codec is chosen only where it reads more than so many times as much as any other."""

Decoders = dict[str, Callable[[], Codec]]


def decode_file(
    path: Path, protocol: str | None = None, decoders: Decoders | None = None
) -> Iterator[dict[str, Any]]:
    """A JSON object a frame or a skipped stretch, last the summary.

    Without ``protocol`` the one that fits best. Raises OperatorError for a protocol that is not known
    or a file that cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise OperatorError(
            "capture",
            f"{path} cannot be read ({error.strerror}).",
            "Give a file of captured bytes.",
            file=path,
            reason=error.strerror,
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise OperatorError(
            "capture_too_big",
            f"{path} is larger than {MAX_FILE_BYTES} bytes.",
            "Check that it is a file of captured bytes, and cut a long one in pieces.",
            file=path,
            limit=MAX_FILE_BYTES,
        )
    yield from decode(data, protocol, decoders)


def decode(
    data: bytes, protocol: str | None = None, decoders: Decoders | None = None
) -> Iterator[dict[str, Any]]:
    """As ``decode_file``, of bytes. ``decoders``: instead of those that know no settings."""
    known = decoders or {name: spec.decoder for name, spec in PROTOCOLS.items()}
    if protocol is not None and protocol not in known:
        raise OperatorError(
            "protocol",
            f"The protocol {protocol!r} is not known.",
            f"Choose one of: {', '.join(known)}.",
            name=protocol,
            names=", ".join(known),
        )
    name = protocol or read(data[:PICK_BYTES], known)[0]
    frames = skipped_bytes = 0
    for found in _joined(_read(name, data, known[name])):
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


def read(data: bytes, decoders: Decoders) -> tuple[str, list[Frame | Skipped]]:
    """The protocol that fits these bytes best, and what it finds in them.

    Most frames win, then fewest skipped bytes, then the most particular; the generic one only where the
    others can read next to nothing.
    """
    found = {name: list(_joined(_read(name, data, make))) for name, make in decoders.items()}
    scores = {name: _score(name, items) for name, items in found.items()}
    best = max(scores, key=lambda name: scores[name])
    if GENERIC in scores and len(scores) > 1:
        particular = max((n for n in scores if n != GENERIC), key=lambda name: scores[name])
        wins = scores[GENERIC][0] > GENERIC_FACTOR * scores[particular][0]
        best = GENERIC if wins else particular
    return best, found[best]


def _score(name: str, items: list[Frame | Skipped]) -> tuple[int, int]:
    frames = [one for one in items if isinstance(one, Frame)]
    skipped = sum(one.length for one in items if isinstance(one, Skipped))
    if name == "ohaus" and not any(one.mode or one.status == "motion" for one in frames):
        # Bare numbers in columns: without a mark or a legend anybody may have sent them.
        return 0, -skipped
    return len(frames), -skipped


def _read(name: str, data: bytes, make: Callable[[], Codec]) -> Iterator[Frame | Skipped]:
    codec = make()
    plain = data if name == EIGHT_BITS else without_parity(data)
    for start in range(0, len(plain), PIECE_BYTES):
        yield from codec.feed(plain[start : start + PIECE_BYTES])
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


def _as_sent(value: Decimal | None) -> str | None:
    """The number with its decimals, without the indicator's leading zeros."""
    return None if value is None else f"{value:f}"
