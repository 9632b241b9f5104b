"""What stands in a code, in every mode, version and error level, and as which text it is to be read.

Digits, alphanumerics and bytes are laid out by the ``qrcode`` package at a version of our choice; kanji and
declared character sets (ECI) by zxing-cpp, which is also a decoder: two hands wrote the codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import qrcode  # type: ignore[import-untyped]
import zxingcpp
from numpy.typing import NDArray
from qrcode.util import (  # type: ignore[import-untyped]
    MODE_8BIT_BYTE,
    MODE_ALPHA_NUM,
    MODE_NUMBER,
    QRData,
)

Gray = NDArray[np.uint8]
Dice = np.random.Generator
Shown = str | dict[str, str]

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
LEVELS = (
    qrcode.constants.ERROR_CORRECT_L,
    qrcode.constants.ERROR_CORRECT_M,
    qrcode.constants.ERROR_CORRECT_Q,
    qrcode.constants.ERROR_CORRECT_H,
)
_JAPANESE = "燃えるごみ資源回収日空き缶瓶紙古布曜日町内会点数リサイクルステーション感謝東京都渋谷区"
_KANJI = "点茗資源漢字回収町内会感謝曜日空缶瓶紙布東京都区市役所環境課"
_WORDS = ("recycle", "card", "town", "station", "hello", "blue", "bottle", "can", "paper", "thanks")
# By ECI number: Latin-1, Shift JIS, Cyrillic, UTF-8.
_DECLARED = ((3, "résumé naïve "), (20, _JAPANESE), (7, "Привет мир "), (26, "資源ü🗑 ごみ"))


@dataclass(frozen=True, slots=True)
class Payload:
    """``text`` the code's bytes; ``shown`` the same as JSON holds it (contracts.md); ``modules`` a pixel
    a module, 0 black, without a margin."""

    text: bytes
    shown: Shown
    modules: Gray
    mode: str

    @property
    def version(self) -> int:
        return (len(self.modules) - 17) // 4


def draw(dice: Dice, *, least_version: int = 1, most_version: int = 15) -> Payload:
    """A payload: often a card's token, else any mode."""
    if least_version == 1 and dice.random() < 0.12:
        return _kanji(dice) if dice.random() < 0.5 else _declared(dice)
    mode = str(dice.choice(("token", "token", "digits", "address", "utf8", "binary", "bytes")))
    length = round(float(np.exp(dice.uniform(np.log(8), np.log(180)))))
    level = LEVELS[dice.integers(4)]
    version = int(dice.integers(least_version, min(least_version + 6, most_version) + 1))
    text: bytes
    if mode == "token":
        data = (_some(dice, ALPHANUMERIC, 45), MODE_ALPHA_NUM)
        level = LEVELS[dice.integers(1, 4)]
    elif mode == "digits":
        data = (_some(dice, "0123456789", length), MODE_NUMBER)
    elif mode == "address":
        path = "/".join(dice.choice(_WORDS, 3).tolist())
        data = (f"HTTPS://example.jp/{path}?n={dice.integers(1 << 30)}", MODE_8BIT_BYTE)
    elif mode == "utf8":
        data = (_some(dice, _JAPANESE, max(4, length // 4)), MODE_8BIT_BYTE)
    else:
        # Bytes that are no text in UTF-8 (the first one), and bytes from 32 to 126.
        text = b"\xff" + dice.bytes(length // 2) if mode == "binary" else _ascii(dice, length)
        return _laid(text, MODE_8BIT_BYTE, mode, level, version)
    return _laid(data[0].encode(), data[1], mode, level, version)


def _laid(text: bytes, mode: int, name: str, level: int, version: int) -> Payload:
    code = qrcode.QRCode(version=version, error_correction=level, border=0)
    code.add_data(QRData(text, mode=mode), optimize=0)
    code.make(fit=True)
    dark = np.array(code.get_matrix(), dtype=bool)
    return Payload(text, shown(text), np.where(dark, 0, 255).astype(np.uint8), name)


def shown(text: bytes) -> Shown:
    """Bytes that nobody declared to be anything."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return {"hex": text.hex()}


def _kanji(dice: Dice) -> Payload:
    text = _some(dice, _KANJI, int(dice.integers(3, 30)))
    return Payload(text.encode("shift_jis"), text, _by_zxing(dice, text), "kanji")


def _declared(dice: Dice) -> Payload:
    number, letters = _DECLARED[dice.integers(len(_DECLARED))]
    text = _some(dice, letters, int(dice.integers(4, 25))) + letters[0]
    encoding = {3: "latin-1", 20: "shift_jis", 7: "iso8859-5", 26: "utf-8"}[number]
    return Payload(text.encode(encoding), text, _by_zxing(dice, text, eci=number), "eci")


def _by_zxing(dice: Dice, text: str, **how: Any) -> Gray:
    code = zxingcpp.create_barcode(
        text, zxingcpp.BarcodeFormat.QRCodeModel2, ec_level="LMQH"[dice.integers(4)], **how
    )
    return np.array(code.to_image(scale=1, add_quiet_zones=False), np.uint8)


def _some(dice: Dice, letters: str, count: int) -> str:
    return "".join(dice.choice(list(letters), count).tolist())


def _ascii(dice: Dice, count: int) -> bytes:
    return bytes(dice.integers(32, 127, count).tolist())
