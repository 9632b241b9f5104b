"""QR codes through zbar's C interface: the exact bytes, and no other symbology.

``pyzbar.decode`` lets zbar guess the character set and hands out the guess as UTF-8: more than half
of the texts in UTF-8 kanji come out as other kanji. zbar's own option ``ZBAR_CFG_BINARY`` (zbar.h,
since 0.23.1) ends that, and pyzbar's wrapper of the C functions can set it though it does not name
it. Every other symbology stays off: zbar aborts the whole process on some bytes of those.
"""

from __future__ import annotations

import ctypes

import numpy as np
from pyzbar import wrapper

from drivers.qr_code import Code
from drivers.vision import Gray

_ALL_SYMBOLOGIES = 0
_QR = int(wrapper.ZBarSymbol.QRCODE)
_ENABLE = int(wrapper.ZBarConfig.CFG_ENABLE)
_BINARY = 4
_Y800 = int.from_bytes(b"Y800", "little")
MAX_SYMBOLS = 64
"""Most codes taken from one picture."""


def scan(gray: Gray) -> list[Code]:
    """Every QR code that zbar finds."""
    gray = np.ascontiguousarray(gray)
    height, width = gray.shape
    scanner = wrapper.zbar_image_scanner_create()
    image = wrapper.zbar_image_create()
    try:
        wrapper.zbar_image_scanner_set_config(scanner, _ALL_SYMBOLOGIES, _ENABLE, 0)
        wrapper.zbar_image_scanner_set_config(scanner, _QR, _ENABLE, 1)
        if wrapper.zbar_image_scanner_set_config(scanner, _QR, _BINARY, 1) != 0:
            return []  # a zbar before 0.23.1 would only guess
        wrapper.zbar_image_set_format(image, _Y800)
        wrapper.zbar_image_set_size(image, width, height)
        # zbar reads the array in place; it outlives the image, which goes before this returns.
        wrapper.zbar_image_set_data(image, gray.ctypes.data, gray.nbytes, None)
        wrapper.zbar_scan_image(scanner, image)
        return _symbols(image)
    finally:
        wrapper.zbar_image_destroy(image)
        wrapper.zbar_image_scanner_destroy(scanner)


def _symbols(image: object) -> list[Code]:
    found: list[Code] = []
    symbol = wrapper.zbar_image_first_symbol(image)
    while symbol and len(found) < MAX_SYMBOLS:
        if symbol.contents.type == _QR:
            size = wrapper.zbar_symbol_get_data_length(symbol)
            text = ctypes.string_at(wrapper.zbar_symbol_get_data(symbol), size)
            corners = range(wrapper.zbar_symbol_get_loc_size(symbol))
            xs = [wrapper.zbar_symbol_get_loc_x(symbol, corner) for corner in corners]
            ys = [wrapper.zbar_symbol_get_loc_y(symbol, corner) for corner in corners]
            if text and xs:
                found.append(Code(text, min(xs), min(ys), max(xs), max(ys)))
        symbol = wrapper.zbar_symbol_next(symbol)
    return found
