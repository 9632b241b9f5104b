"""Damaged answers of a PN532 through this driver and through other packages, the same bytes for each.

    nice -n 19 /path/to/peers/bin/python tests/benchmarks/nfc_mutations.py --answers 1000000

How an answer is damaged stands in ``tests/drivers/nfc_site.py``, fourteen ways. Each is given to
every package's own call for a card, over a serial port in memory whose time is virtual. *Wrong* is an
identifier that is not the card's; *twice* one that two answers in a row agreed on, which is what this
station asks for before it believes one (the packages leave that to their callers); *crash* an exception
that the package does not document; *hang* a look of more than a minute. FeliCa only where the package
knows it.

Then the station's whole driver over conversations in which two of three answers are damaged, half of
those so that their sum still holds; and the lawful preambles. ``tests/benchmarks/README.md`` says how
the peers are installed; a peer that is not there is left out.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "drivers")]

from nfc_driver import Station, Talk  # noqa: E402
from nfc_site import (  # noqa: E402
    ACK,
    CARDS,
    DAMAGE,
    Card,
    Hang,
    Line,
    SplitWriter,
    damaged,
    preambles,
    reply,
)

SEED = 532
EMPTY = ACK + reply(0x4A, b"\x00")
Look = Callable[[Card], bytes | None]


class Refused(Exception):
    """The package said in its own way that there is no card."""


def station(line: Line) -> Look:
    return Station(line).__enter__().look_once


def nfcpy(line: Line) -> Look:
    logging.disable(logging.CRITICAL)
    clf = importlib.import_module("nfc.clf")
    chip = importlib.import_module("nfc.clf.pn532")
    transport = importlib.import_module("nfc.clf.transport").TTY.__new__(
        importlib.import_module("nfc.clf.transport").TTY
    )
    transport.tty = line
    chip.time = importlib.import_module("nfc.clf.pn53x").time = virtual_time(line)
    device = chip.Device.__new__(chip.Device)
    device.log = logging.getLogger("nfcpy")
    device.chipset = chip.Chipset(transport, device.log)
    documented = (OSError, chip.Chipset.Error, clf.CommunicationError)

    def look(card: Card) -> bytes | None:
        try:
            if card.modulation == 0:
                found = device.sense_tta(clf.RemoteTarget("106A"))
                return None if found is None else bytes(found.sdd_res)
            found = device.sense_ttf(clf.RemoteTarget("212F"))
            return None if found is None else bytes(found.sensf_res[1:9])
        except documented as error:
            raise Refused from error

    return look


def adafruit(line: Line) -> Look:
    uart = importlib.import_module("adafruit_pn532.uart")
    uart.time = virtual_time(line)
    reader = uart.PN532_UART(line)

    def look(card: Card) -> bytes | None:
        try:
            found = reader.read_passive_target(timeout=0.5)
        except (RuntimeError, uart.BusyError) as error:
            raise Refused from error
        return None if found is None else bytes(found)

    return look


def pn532pi(line: Line) -> Look:
    hsu = importlib.import_module("pn532pi.interfaces.pn532hsu").Pn532Hsu
    interface = hsu.__new__(hsu)
    interface._serial = SplitWriter(line)
    reader = importlib.import_module("pn532pi.nfc.pn532").Pn532(interface)

    def look(card: Card) -> bytes | None:
        good, found = reader.readPassiveTargetID(0)
        return bytes(found) if good else None

    return look


PEERS: dict[str, tuple[str, Callable[[Line], Look], bool]] = {
    "station": ("drivers", station, True),
    "nfcpy": ("nfc", nfcpy, True),
    "adafruit": ("adafruit_pn532", adafruit, False),
    "pn532pi": ("pn532pi", pn532pi, False),
}


def virtual_time(line: Line) -> Any:
    """The module ``time`` as far as the packages look at it."""

    def monotonic() -> float:
        line.pass_s(0.001)
        return line.now_s

    return SimpleNamespace(monotonic=monotonic, time=monotonic, sleep=line.pass_s)


def measure(name: str, answers: int) -> Counter[str]:
    """One package, all answers. Every package gets the same ones, drawn from the same seed."""
    _, make, felica = PEERS[name]
    line = Line()
    look = make(line)
    counts: Counter[str] = Counter()
    before: dict[str, bytes] = {}
    dice = random.Random(SEED)
    for _ in range(answers):
        card = dice.choice(CARDS)
        kind, raw = damaged(card.answer, dice)
        if card.modulation and not felica:
            continue
        uid = told(look, line, card, raw, counts)
        counts["answers"] += 1
        if uid is None:
            continue
        if uid == card.uid:
            counts["right"] += 1
        else:
            counts["wrong"] += 1
            counts[f"wrong: {kind}"] += 1
            counts["twice"] += before.get(card.name) == uid
        before[card.name] = uid
    return counts


def told(look: Look, line: Line, card: Card, raw: bytes, counts: Counter[str]) -> bytes | None:
    line.begin()
    line.card = lambda asked: raw if asked[1] == card.modulation else EMPTY
    try:
        return look(card)
    except Refused:
        counts["refused"] += 1
    except Hang:
        counts["hang"] += 1
    except Exception as error:  # noqa: BLE001 - whatever a package lets out is what is counted
        counts["crash"] += 1
        counts[f"crash: {type(error).__name__}"] += 1
    return None


def lawful(name: str) -> tuple[int, int]:
    """How many of the lawful forms of an answer are read, and of how many."""
    _, make, felica = PEERS[name]
    line = Line()
    look = make(line)
    read = many = 0
    for card in CARDS:
        if card.modulation and not felica:
            continue
        plain = reply(0x4A, card.answer)
        forms = [plain, plain[1:], plain + bytes(20)]
        for form in [*forms, *(before + plain for _, before in preambles())]:
            many += 1
            read += told(look, line, card, ACK + form, Counter()) == card.uid
    return read, many


def conversations(damages: int) -> Counter[str]:
    """The whole driver: two agreeing answers, its own repeats, and most answers damaged."""
    line = Line()
    counts: Counter[str] = Counter()
    with Station(line) as driver:
        talk = Talk(line, driver, random.Random(SEED + 1))
        while talk.counts["answers"] < damages:
            talk.round()
        counts = talk.counts
        counts["lost"] = driver.lost
    return counts


def row(cells: Iterable[object]) -> None:
    sys.stdout.write("| " + " | ".join(str(cell) for cell in cells) + " |\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="Damaged PN532 answers through several drivers.")
    parser.add_argument("--answers", type=int, default=20_000)
    asked = parser.parse_args()
    there = [name for name, (module, _, _) in PEERS.items() if importlib.util.find_spec(module)]
    heads = ("answers", "right", "wrong", "twice", "crash", "hang")
    row(["package", *heads, "lawful forms read"])
    row(["---"] * (len(heads) + 2))
    failed = False
    for name in there:
        counts = measure(name, asked.answers)
        read, many = lawful(name)
        row([name, *(counts[head] for head in heads), f"{read} of {many}"])
        detail = {key: many for key, many in counts.items() if ":" in key}
        sys.stderr.write(f"{name}: {detail}\n")
        if name == "station":
            failed |= bool(counts["crash"] or counts["hang"] or read != many)
    whole = conversations(asked.answers)
    row(
        [
            "station, whole conversations",
            *(whole[head] for head in heads),
            "lost {lost} of {rounds} rounds".format_map(whole),
        ]
    )
    sys.stderr.write(f"kinds of damage: {len(DAMAGE)}\n")
    if failed or whole["wrong"] or whole["hang"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
