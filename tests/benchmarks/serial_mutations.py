"""Damaged frames through every indicator's codec: how many became a weight that nobody sent.

    KIOSK_SEARCH_SIZE=1000 nice -n 19 .venv/bin/python tests/benchmarks/serial_mutations.py

``KIOSK_SEARCH_SIZE`` (default 1) times 100 frames a codec are damaged: bytes lost (1 to 6), added or
doubled, or changed (bits flipped, bytes replaced), a fifth of the streams opened in mid-frame. What counts
as false stands in ``tests/drivers/indicator_site.py``. Beside each codec a reader as the field has them, in
the same streams: the first number and unit of a line, stable unless it says US, D, U, M or ``?``.
"""

from __future__ import annotations

import os
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "drivers"))

from hw_sim.indicator_speech import SPEECHES
from indicator_site import DAMAGE, STREAMS, damaged, frames, items, read, said

from drivers import indicator_modbus
from drivers.indicator_modbus import Registers
from drivers.protocols import PROTOCOLS

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
FRAMES_A_SIZE = 100
SEED = 2024
UNSEEN = ("digit", "sign", "unit", "status")

LINE = re.compile(r"([+-]? *[0-9]+(?:[.,][0-9]+)?).*?(kg|g|lb|t)\b", re.IGNORECASE)
MOVES = re.compile(r"US|S D|\?| U\b|GM ")


def in_the_field(raw: bytes) -> set[tuple[str, str, str]]:
    """Status, value and unit of every line, as most readers in the field take them."""
    found = set()
    for line in re.split(r"[\r\n]+", raw.decode("latin-1")):
        if match := LINE.search(line):
            value = match[1].replace(" ", "").replace(",", ".").lstrip("+")
            status = "motion" if MOVES.search(line) else "stable"
            found.add((status, value.lstrip("0") or "0", match[2].lower()))
    return found


def field_false(protocol: str, streams: int, seed: int) -> int:
    """Streams of the same damage in which such a reader takes what it would not have taken."""
    rng = random.Random(seed)
    source = STREAMS[protocol].telegrams
    sent = in_the_field(b"".join(source))
    false = 0
    for _ in range(streams):
        kind = rng.choice(("lose", "gain"))  # what a codec can see
        hurt = DAMAGE[kind](rng.choice(source), rng)
        false += not in_the_field(source[0] + hurt + source[0]) <= sent
    return false


def modbus(streams: int, seed: int) -> Counter[str]:
    """As ``damaged``, of a transmitter's replies, which have a check sum."""
    rng = random.Random(seed)
    say = SPEECHES["modbus"].say
    replies = [say(12_340, True), say(-1_640, False), say(0, True)]
    registers = Registers(decimals=2)

    def weights(raw: bytes) -> set[object]:
        codec = indicator_modbus.decoder(registers)
        return {said(frame) for frame in frames(items(codec, (raw,)))}

    sent = weights(b"".join(replies))
    counts: Counter[str] = Counter()
    for _ in range(streams):
        line = rng.sample(replies, k=3)
        at = rng.randrange(3)
        whole, line[at] = line[at], DAMAGE[rng.choice(list(DAMAGE))](line[at], rng)
        counts["damaged"] += whole != line[at]
        counts["false"] += not weights(b"".join(line)) <= sent
    return counts


def main() -> None:
    streams = FRAMES_A_SIZE * SIZE
    heads = (
        "codec",
        "damaged",
        "false",
        *(f"unseen {name}" for name in UNSEEN),
        "field reader: false",
    )
    row(heads)
    row(["---"] * len(heads))
    total: Counter[str] = Counter()
    for protocol in PROTOCOLS:
        assert read(protocol, b"".join(STREAMS[protocol].telegrams * 2))
        counts = damaged(protocol, streams, SEED)
        peer = field_false(protocol, streams, SEED)
        show(protocol, counts, f"{peer} of {streams} ({100 * peer / streams:.0f} %)")
        total += Counter({k: v for k, v in counts.items() if not k.startswith("false:")})
        for name in counts:
            if name.startswith("false:"):
                sys.stderr.write(f"{name}\n")
    counts = modbus(streams, SEED)
    show("modbus", counts, "—")
    total += counts
    show("all", total, "")
    if total["false"]:
        sys.exit(1)


def show(name: str, counts: Counter[str], peer: str) -> None:
    unseen = dict.fromkeys(UNSEEN, 0)
    for key, many in counts.items():
        if key.startswith("unseen "):
            what = key.removeprefix("unseen ")
            unseen[what if what in unseen else "status"] += many
    row([name, counts["damaged"], counts["false"], *unseen.values(), peer])


def row(cells: Iterable[object]) -> None:
    sys.stdout.write("| " + " | ".join(str(cell) for cell in cells) + " |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
