"""Codes in pictures: the station's reading beside pyzbar, zxing-cpp and OpenCV alone.

    python tests/benchmarks/card_pictures.py [--pictures N] [--seed S] [--kinds A,B]

The pictures are ``hw_sim.pictures``'; every reader gets the same array, in an order by lot, in one
process with one thread. The peers get a grey picture made before their clock starts, the station the
picture as a file holds it. A text is *wrong* when it is none of those in the picture (each text once for
every code that holds it); the raw bytes count as right for the peers too. Times are processor time.
Seed 1 is what the order of the station's views was chosen on: report another.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
import zxingcpp
from hw_sim.pictures.album import photograph
from hw_sim.pictures.kinds import KINDS
from hw_sim.pictures.payloads import Payload
from numpy.typing import NDArray
from pyzbar import pyzbar

from drivers.pictures import Opened, as_json, read_image

Picture = NDArray[np.uint8]
Text = str | bytes
QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)


def station(picture: Picture) -> list[Text]:
    """Strings, and the bytes of what is no text."""
    shown = [as_json(code) for code in read_image(Opened(picture, lambda: picture))]
    return [one if isinstance(one, str) else bytes.fromhex(one["hex"]) for one in shown]


def by_zxing(gray: Picture) -> list[Text]:
    return [bytes(code.bytes) for code in zxingcpp.read_barcodes(gray, formats=QR)]


def by_pyzbar(gray: Picture) -> list[Text]:
    return [code.data for code in pyzbar.decode(gray, symbols=[pyzbar.ZBarSymbol.QRCODE])]


def by_opencv(gray: Picture) -> list[Text]:
    try:
        texts = cv2.QRCodeDetector().detectAndDecodeMulti(gray)[1]
    except (cv2.error, UnicodeDecodeError):  # it raises on some pictures
        return []
    return [text for text in texts if text]


READERS: dict[str, Callable[[Picture], list[Text]]] = {
    "station": station,
    "zxing-cpp": by_zxing,
    "pyzbar": by_pyzbar,
    "OpenCV": by_opencv,
}


@dataclass
class Score:
    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    ms: list[float] = field(default_factory=list)
    full: list[bool] = field(default_factory=list)


def judged(texts: Iterable[Text], payloads: Iterable[Payload]) -> tuple[int, int]:
    """How many texts are right, and how many wrong."""
    left = list(payloads)
    right = wrong = 0
    for text in texts:
        match = next((one for one in left if _says(text, one)), None)
        if match is None:
            wrong += 1
        else:
            left.remove(match)
            right += 1
    return right, wrong


def _says(text: Text, payload: Payload) -> bool:
    if isinstance(text, str):
        return bool(text == payload.shown or text.encode() == payload.text)
    shown = payload.shown.encode() if isinstance(payload.shown, str) else payload.text
    return text in (payload.text, shown)


def main() -> None:
    asked = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    asked.add_argument("--pictures", type=int, default=2_100)
    asked.add_argument("--seed", type=int, default=2)
    asked.add_argument("--kinds", default=",".join(KINDS))
    asked.add_argument("--unread", action="store_true", help="name the pictures not fully read")
    given = asked.parse_args()
    kinds = tuple(given.kinds.split(","))
    cv2.setNumThreads(1)
    scores: dict[str, Score] = defaultdict(Score)
    codes: Counter[str] = Counter()
    for name, read in READERS.items():  # what is loaded once is not counted
        read(np.full((64, 64), 255, np.uint8))
        scores[name].ms.clear()
    for number in range(given.pictures):
        shot = photograph(given.seed, number, kinds)
        codes[shot.kind] += len(shot.payloads)
        flat = shot.picture
        gray = (
            flat if flat.ndim == 2 else np.asarray(cv2.cvtColor(flat, cv2.COLOR_BGR2GRAY), np.uint8)
        )
        # Whoever comes first finds cold caches, whoever comes after a kin warm ones.
        for name in np.random.default_rng(number).permutation(list(READERS)).tolist():
            read = READERS[name]
            begun_s = time.process_time()
            texts = read(flat if name == "station" else gray)
            score = scores[name]
            score.ms.append((time.process_time() - begun_s) * 1000)
            right, wrong = judged(texts, shot.payloads)
            score.right[shot.kind] += right
            score.wrong[shot.kind] += wrong
            score.full.append(right == len(shot.payloads) > 0)
        if given.unread and not scores["station"].full[-1] and shot.payloads:
            say(f"unread: {shot.kind} {number}")
    told(scores, codes, given.pictures, given.seed)


def told(scores: dict[str, Score], codes: Counter[str], pictures: int, seed: int) -> None:
    say(f"{pictures} pictures of seed {seed}, {codes.total()} codes\n")
    say("| kind | codes | " + " | ".join(scores) + " |")
    say("|---" * (2 + len(scores)) + "|")
    for kind in codes:
        cells = []
        for score in scores.values():
            share = f"{100 * score.right[kind] / codes[kind]:.0f} %" if codes[kind] else "-"
            cells.append(share + (f", {score.wrong[kind]} wrong" if score.wrong[kind] else ""))
        say(f"| {kind} | {codes[kind]} | " + " | ".join(cells) + " |")
    say("\n| | read | wrong texts | ms a picture, median / p95 / most |\n|---|---|---|---|")
    for name, score in scores.items():
        share = f"{100 * score.right.total() / codes.total():.1f} %"
        middle, late, most = np.percentile(score.ms, (50, 95, 100))
        times = f"{middle:.2f} / {late:.1f} / {most:.0f}"
        say(f"| {name} | {share} | {score.wrong.total()} | {times} |")
    read = np.array(scores["zxing-cpp"].full)
    ours, theirs = (np.array(scores[name].ms)[read] for name in ("station", "zxing-cpp"))
    ratio = np.median(ours) / np.median(theirs)
    say(
        f"\non the {int(read.sum())} pictures that zxing-cpp reads in full: median "
        f"{np.median(ours):.3f} ms against {np.median(theirs):.3f} ms, ratio {ratio:.2f}; "
        f"median of the ratios {np.median(ours / theirs):.2f}"
    )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
