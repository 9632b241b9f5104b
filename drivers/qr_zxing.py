"""QR codes by zxing-cpp: what it reads, and where it sees a code that it cannot read.

It is asked for ``QRCodeModel2`` alone: Micro QR is found in mere noise. A code that is seen and not
read (the Reed-Solomon check failed) costs nothing to be told of; its text is never used.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from drivers.qr_code import Code
from drivers.qr_grid import Sight
from drivers.vision import Gray

LOCAL, GLOBAL, FIXED = "LocalAverage", "GlobalHistogram", "FixedThreshold"
"""How grey becomes black and white: against the neighbourhood, by the whole histogram, at 127."""


def look(gray: Gray, binarizer: str = LOCAL) -> tuple[list[Code], list[Sight]]:
    """The codes that are read, and where others are seen (0.3 to 0.6 ms at 640×480)."""
    zxing = load_zxing()
    codes, sights = [], []
    # In this mode ``barcode.text`` says where an ECI stands (``qr_text``), and guesses nothing.
    for barcode in zxing.read_barcodes(
        gray,
        formats=_wanted(),
        binarizer=getattr(zxing.Binarizer, binarizer),
        text_mode=zxing.TextMode.HexECI,
        return_errors=True,
    ):
        at = barcode.position
        corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
        xs = [corner.x for corner in corners]
        ys = [corner.y for corner in corners]
        if barcode.valid and barcode.bytes:
            box = (min(xs), min(ys), max(xs), max(ys))
            codes.append(Code(bytes(barcode.bytes), *box, barcode))
        elif (version := _version(barcode)).isdigit():
            sights.append(Sight(tuple(zip(xs, ys, strict=True)), int(version)))
    return codes, sights


def read_modules(modules: Gray) -> list[Code]:
    """The code that these modules are (a pixel each), drawn clean; its place is of no meaning."""
    clean = np.pad(np.repeat(np.repeat(modules, 4, 0), 4, 1), 16, constant_values=255)
    return look(clean, FIXED)[0]


def _version(barcode: Any) -> str:
    """As the symbol says; a Micro QR code's begins with a letter, and some have none."""
    return str((barcode.extra or {}).get("Version", ""))


@cache
def load_zxing() -> Any:
    """The module ``zxingcpp``, loaded when a reader first needs it."""
    import zxingcpp

    return zxingcpp


@cache
def _wanted() -> Any:
    zxing = load_zxing()
    return zxing.BarcodeFormats(zxing.BarcodeFormat.QRCodeModel2)
