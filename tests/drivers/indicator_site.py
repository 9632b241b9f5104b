"""What the indicators' tests share: each maker's transcript, and damage as a serial line does it.

``TRANSCRIPTS`` are captures with what a person reads in them. ``STREAMS`` are whole telegrams of one
indicator in use, for ``damaged``: **a false weight is one that was not sent** (another sign, status, mode,
unit or value than any telegram of the stream; without a unit it is no weight). One exception no codec can
see: bytes of one telegram were replaced, none lost or added, and what stands there is as good a telegram
as before. Those are counted apart (``unseen``).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drivers.protocols import PROTOCOLS
from drivers.telegram import Codec, Frame, Skipped

Said = tuple[str, str | None, str | None, str | None]
"""Status, mode, value and unit of a frame."""


@dataclass(frozen=True)
class Transcript:
    """Bytes as captured, and what they say."""

    raw: bytes
    says: tuple[Said, ...]
    skipped_bytes: int


@dataclass(frozen=True)
class Stream:
    """Telegrams that one indicator may send one after another, each with its line end."""

    telegrams: tuple[bytes, ...]
    repeats: int = 3
    """An indicator that sends ten times a second says everything several times."""


TRANSCRIPTS: dict[str, Transcript] = {
    "ad": Transcript(
        b"12.34kg\r\n"  # the end of a telegram: the port was opened in its middle
        b"ST,GS,+00012.34kg\r\n"
        b"US,GS,-0001.640kg\r\n"
        b"\x00\x7fST,NT,+   150.0 g\r\n"
        b"OL,GS,+9999999kg\r\n"
        b"OL,GS,-        kg\r\n"
        b"Z\r\n"
        b"ST,GS,+0000.500lb\r\n"
        b"QT,TR,-000.0005 t\r\n"
        b"UL,GS,-00000.00kg\r\n"
        b"EC,E1\r\n"
        b"ST,+00123.45  g\r\n"
        b"ST,GS,+000",
        (
            ("stable", "gross", "12.34", "kg"),
            ("motion", "gross", "-1.640", "kg"),
            ("stable", "net", "150.0", "g"),
            ("overload", "gross", None, None),
            ("underload", "gross", None, None),
            ("stable", "gross", "0.500", "lb"),
            ("stable", "tare", "-0.0005", "t"),
            ("underload", "gross", None, None),
            ("error", None, None, None),
            ("stable", None, "123.45", "g"),
        ),
        9 + 2 + 3 + 10,
    ),
    "dini": Transcript(
        b"0.0,kg\r\n"
        b"01ST,GS,    12.5,kg\r\n"
        b"01US,GS,   -12.5,kg\r\n"
        b"ST,NT,   1.640,kg\r\n"
        b"01OL,GS,  9999.9,kg\r\n"
        b"01UL,GS,    -9.9,kg\r\n"
        b"01TL,GS,     0.0,kg\r\n"
        b"01ST,GS,+0012.340kg\r\n"
        b"011ST,       0.8,PT      20.8,         0,kg\r\n",
        (
            ("stable", "gross", "12.5", "kg"),
            ("motion", "gross", "-12.5", "kg"),
            ("stable", "net", "1.640", "kg"),
            ("overload", "gross", None, None),
            ("underload", "gross", None, None),
            ("error", "gross", None, None),
            ("stable", "gross", "12.340", "kg"),
            ("stable", "net", "0.8", "kg"),
        ),
        8,
    ),
    "cas": Transcript(
        b"3.50 kg\r\n"
        b"ST,GS,\x01\xc4,00013.50 kg\r\n"
        b"US,NT,1\x84,-0013.50 kg\r\n"
        b"OL,GS,\x01\xc4,00013.50 kg\r\n"
        b"ST,GS,   245.6 g\r\n"
        b"US,GS,-   92.6 g\r\n",
        (
            ("stable", "gross", "13.50", "kg"),
            ("motion", "net", "-13.50", "kg"),
            ("overload", "gross", None, None),
            ("stable", "gross", "245.6", "g"),
            ("motion", "gross", "-92.6", "g"),
        ),
        9,
    ),
    "sma": Transcript(
        b"     0.000kg \r"
        b"\n 1G      12.340kg \r"
        b"\nZ1GM      0.000kg \r"
        b"\n 1N      -1.640lb \r"
        b"\nO1G    9999.99 kg \r"
        b"\nU1G       -9.99kg \r"
        b"\nE1G  ----------   \r"
        b"\n?\r",
        (
            ("stable", "gross", "12.340", "kg"),
            ("motion", "gross", "0.000", "kg"),
            ("stable", "net", "-1.640", "lb"),
            ("overload", "gross", None, None),
            ("underload", "gross", None, None),
            ("error", "gross", None, None),
        ),
        14 + 3,
    ),
    "sics": Transcript(
        b"0.00 g\r\n"
        b"S S     100.00 g\r\n"
        b"S D    -129.07 g\r\n"
        b"S I\r\n"
        b"S +\r\n"
        b"S -\r\n"
        b"Z A\r\n"
        b"T S     100.00 g\r\n"
        b"\x00S S      0.500 lb\r\n"
        b"ES\r\n",
        (
            ("stable", None, "100.00", "g"),
            ("motion", None, "-129.07", "g"),
            ("error", None, None, None),
            ("overload", None, None, None),
            ("underload", None, None, None),
            ("stable", "tare", "100.00", "g"),
            ("stable", None, "0.500", "lb"),
            ("error", None, None, None),
        ),
        8 + 5 + 1,
    ),
    "shinko": Transcript(
        b"7.12/3 G S\r\n"
        b"+007.12/3 G S\r\n"
        b"-008.12/2 G U\r\n"
        b"+000.00/0 G E\r\n"
        b"+00012.34KG S\r\n"
        b"+00012.34KG  \r\n",
        (
            ("stable", None, "7.123", "g"),
            ("motion", None, "-8.122", "g"),
            ("error", None, None, None),
            ("stable", None, "12.34", "kg"),
            ("motion", None, "12.34", "kg"),
        ),
        12,
    ),
    "sartorius": Transcript(
        b"3.56 g  \r\n"
        b"+   123.56 g  \r\n"
        b"-   123.56    \r\n"  # no unit: it moves
        b"+  123.5[6]g  \r\n"
        b"      High    \r\n"
        b"        Low   \r\n"
        b"   Err 54     \r\n"
        b"N     -    1.640 kg \r\n"
        b"N     -    1.640    \r\n"
        b"Stat         H      \r\n",
        (
            ("stable", None, "123.56", "g"),
            ("motion", None, "-123.56", None),
            ("stable", None, "123.56", "g"),
            ("overload", None, None, None),
            ("underload", None, None, None),
            ("error", None, None, None),
            ("stable", "net", "-1.640", "kg"),
            ("motion", "net", "-1.640", None),
            ("overload", None, None, None),
        ),
        10,
    ),
    "kern": Transcript(
        b"2.340 kg \r\n"
        b"      12.340 kg \r\n"
        b"      12.340 \r\n"  # no unit: it moves
        b" -     1.640 kg \r\n"
        b"      -1.640 kg \r\n"
        b"       Error\r\n",
        (
            ("stable", None, "12.340", "kg"),
            ("motion", None, "12.340", None),
            ("stable", None, "-1.640", "kg"),
            ("stable", None, "-1.640", "kg"),
            ("error", None, None, None),
        ),
        11,
    ),
    "ohaus": Transcript(
        b"20 kg    G\r\n"
        b"\x00\x00\x7f\x7f   0.360 kg    G\r\n"
        b"    24.2 kg   ?G\r\n"
        b"    24.2 kg   ?G\r\n"
        b"  -  1.6 kg    G\r\n"  # a minus in the padding's middle is no Ohaus's
        b"    -1.6 kg    N\r\n",
        (
            ("stable", "gross", "0.360", "kg"),
            ("motion", "gross", "24.2", "kg"),
            ("motion", "gross", "24.2", "kg"),
            ("stable", "net", "-1.6", "kg"),
        ),
        12 + 4 + 18,
    ),
    "generic": Transcript(
        b"S    20.7g  \r\n"
        b"ST,GS    20.7g  \r\n"
        b"ST,GS    20.7g  \r\n"
        b"US,GS   100.8g  \r\n"
        b"  -OL-  \r\n"
        b"kg -   1.640 ST\r\n"
        b"kg -   1.640 ST\r\n"
        b"1,64- kg N\r\n"
        b"1,64- kg N\r\n"
        b"2023-11-07\r\n"
        b"    0 pcs\r\n"
        b"  1.94 kg  0.00 kg\r\n"
        b"ww000.50kg\r\n"
        b"ww000.50kg\r\n",
        (
            ("stable", "gross", "20.7", "g"),
            ("stable", "gross", "20.7", "g"),
            ("motion", "gross", "100.8", "g"),
            ("overload", None, None, None),
            ("stable", None, "-1.640", "kg"),
            ("stable", None, "-1.640", "kg"),
            ("motion", "net", "-1.64", "kg"),
            ("motion", "net", "-1.64", "kg"),
            ("motion", "gross", "0.50", "kg"),
            ("motion", "gross", "0.50", "kg"),
        ),
        14 + 12 + 11 + 20,
    ),
}

STREAMS: dict[str, Stream] = {
    "ad": Stream(
        (
            b"ST,GS,-0001.640kg\r\n",
            b"US,GS,+00012.34kg\r\n",
            b"ST,NT,+   150.0kg\r\n",
            b"OL,GS,+9999.999kg\r\n",
            b"EC,E3\r\n",
        ),
        repeats=1,
    ),
    "dini": Stream(
        (
            b"01ST,GS,   -1.64,kg\r\n",
            b"01US,GS,   12.34,kg\r\n",
            b"01ST,NT,    0.00,kg\r\n",
            b"01UL,GS,   -9.99,kg\r\n",
        ),
        repeats=1,
    ),
    "cas": Stream(
        (
            b"ST,GS,1\xc4,-0001.64 kg\r\n",
            b"US,GS,1\x84,00012.34 kg\r\n",
            b"ST,NT,1\xc2,   12.34 kg\r\n",
            b"OL,GS,1\xc4,00012.34 kg\r\n",
        ),
        repeats=1,
    ),
    "sma": Stream(
        (
            b"\n 1G      -1.640kg \r",
            b"\n 1GM     12.340kg \r",
            b"\n 1N       0.000kg \r",
            b"\nO1G    9999.99 kg \r",
        ),
        repeats=1,
    ),
    "sics": Stream(
        (
            b"S S     -1.640 kg\r\n",
            b"S D     12.340 kg\r\n",
            b"S S      0.020 kg\r\n",
            b"S +\r\n",
        ),
        repeats=1,
    ),
    "shinko": Stream((b"-001.64/0 G S\r\n", b"+007.12/3 G U\r\n", b"+123.45/6 G S\r\n")),
    "sartorius": Stream(
        (
            b"N     -    1.640 kg \r\n",
            b"N     +   12.340    \r\n",
            b"G     +   12.340 kg \r\n",
        )
    ),
    "kern": Stream(
        (b" -     1.640 kg \r\n", b"      12.340 \r\n", b"      12.340 kg \r\n"), repeats=1
    ),
    "ohaus": Stream((b"   0.360 kg    G\r\n", b"    24.2 kg   ?G\r\n", b"    -1.6 kg    N\r\n")),
    "generic": Stream(
        (b"ST,GS   -20.7kg  \r\n", b"US,GS   100.8kg  \r\n", b"ST,NT     0.0kg  \r\n")
    ),
}


def said(frame: Frame) -> Said:
    value = None if frame.value is None else f"{frame.value:f}"
    return frame.status, frame.mode, value, frame.unit


def items(codec: Codec, pieces: Iterable[bytes]) -> list[Frame | Skipped]:
    """What a codec finds; neighbouring skipped stretches as one."""
    found: list[Frame | Skipped] = []
    for one in [*(one for piece in pieces for one in codec.feed(piece)), *codec.end()]:
        last = found[-1] if found else None
        if isinstance(one, Skipped) and isinstance(last, Skipped):
            assert one.offset == last.offset + last.length
            found[-1] = Skipped(last.offset, last.length + one.length)
        else:
            found.append(one)
    return found


def read(protocol: str, *pieces: bytes) -> list[Frame | Skipped]:
    return items(PROTOCOLS[protocol].decoder(), pieces)


def frames(found: Iterable[Frame | Skipped]) -> list[Frame]:
    return [one for one in found if isinstance(one, Frame)]


def _lose(telegram: bytes, rng: random.Random) -> bytes:
    at, many = rng.randrange(len(telegram)), rng.choice((1, 1, 1, 2, 3, 6))
    return telegram[:at] + telegram[at + many :]


def _gain(telegram: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(telegram))
    extra = rng.choice(
        (
            telegram[at : at + 1],  # a byte that came twice
            telegram[at : at + rng.randrange(1, 6)],
            bytes((rng.choice((0, 0x7F, 0x20, 0x2E, 0x2D, 0x30, 0xFF, rng.randrange(256))),)),
        )
    )
    return telegram[:at] + extra + telegram[at:]


def _change(telegram: bytes, rng: random.Random) -> bytes:
    raw = bytearray(telegram)
    for _ in range(rng.choice((1, 1, 1, 2))):
        at = rng.randrange(len(raw))
        raw[at] = rng.choice((raw[at] ^ 1 << rng.randrange(8), rng.randrange(256)))
    return bytes(raw)


DAMAGE: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "lose": _lose,
    "gain": _gain,
    "change": _change,
}


def damaged(protocol: str, streams: int, seed: int) -> Counter[str]:
    """Damages one telegram in each of so many streams, and counts what came of it.

    ``damaged`` frames tried, ``false`` weights (the first as ``false: …``), ``unseen`` as above, by what
    became another.
    """
    rng = random.Random(seed)
    make, source = PROTOCOLS[protocol].decoder, STREAMS[protocol]
    sent = {said(f) for f in frames(read(protocol, *(t * 2 for t in source.telegrams)))}
    counts: Counter[str] = Counter()
    for _ in range(streams):
        line = _spoken(source, rng)
        at = rng.randrange(len(line))
        kind = rng.choice(list(DAMAGE))
        whole, line[at] = line[at], DAMAGE[kind](line[at], rng)
        counts["damaged"] += line[at] != whole
        start = rng.randrange(len(line[0])) if rng.random() < 0.2 and at else 0
        raw = b"".join(line)[start:]
        offset = len(b"".join(line[:at])) - start
        for frame in frames(items(make(), (raw,))):
            if frame.value is None or frame.unit is None or said(frame) in sent:
                continue
            if kind == "change" and offset <= frame.offset < offset + len(whole):
                counts[f"unseen {_difference(frame, sent)}"] += 1
            else:
                counts["false"] += 1
                counts[f"false: {raw!r} {said(frame)}"] += counts["false"] == 1
    return counts


def _spoken(source: Stream, rng: random.Random) -> list[bytes]:
    chosen = rng.choices(source.telegrams, k=3) if source.repeats > 1 else []
    if not chosen:
        return list(rng.sample(source.telegrams, k=len(source.telegrams)))
    return [telegram for telegram in chosen for _ in range(source.repeats)]


def _difference(frame: Frame, sent: set[Said]) -> str:
    """In what it differs from the telegram that it resembles most."""
    names = ("status", "mode", "value", "unit")
    mine = said(frame)
    nearest = min(
        sorted(sent, key=repr), key=lambda one: sum(a != b for a, b in zip(one, mine, strict=True))
    )
    other = [n for n, a, b in zip(names, nearest, mine, strict=True) if a != b]
    if other == ["value"] and mine[2] is not None and nearest[2] is not None:
        return "sign" if mine[2].strip("-") == nearest[2].strip("-") else "digit"
    return "+".join(other)
