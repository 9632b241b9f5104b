"""Reading QR codes from picture files: what ``kiosk card read`` does.

Any file that OpenCV decodes is taken: grey, colour, palette, with transparency, 8, 16 bit or float.
How a camera was held (EXIF orientation) does not matter to a QR code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.qr_code import Code
from drivers.qr_still import glance, read_gray
from drivers.qr_text import text_of
from drivers.qr_zxing import load_zxing
from drivers.vision import Gray, load_cv2
from kiosk.core.errors import KioskError, OperatorError

MAX_FILE_BYTES = 256 << 20
_JPEG = b"\xff\xd8"

Picture = NDArray[Any]


def read_files(
    paths: Iterable[str], said: Callable[[KioskError], str] = lambda error: error.what
) -> Iterator[dict[str, object]]:
    """One JSON object a file, in order: ``{"file", "texts", "ms"}``.

    ``texts`` holds the text of each code, as a string where the code declares what its bytes mean or
    they are UTF-8, else as ``{"hex": …}``; ``ms`` the time that the reading took, from the pixels to the
    texts, without opening the file. A file that is no picture has ``"error"`` beside them, what ``said``
    makes of it.
    """
    load_zxing()  # it would be in the first picture's time
    for path in paths:
        begun_s = time.perf_counter()
        line: dict[str, object] = {"file": path, "texts": []}
        try:
            opened = opened_picture(Path(path))
            begun_s = time.perf_counter()
            line["texts"] = [as_json(code) for code in read_image(opened)]
        except OperatorError as error:
            line["error"] = said(error)
        line["ms"] = round((time.perf_counter() - begun_s) * 1000, 3)
        yield line


def as_json(code: Code) -> str | dict[str, str]:
    """A QR code's text as JSON can hold it without loss."""
    text = text_of(code)
    return {"hex": code.text.hex()} if text is None else text


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture as it is looked at first, and the same with its colours (blue, green, red, transparency
    last)."""

    picture: Picture
    coloured: Callable[[], Picture]


def read_image(opened: Opened) -> list[Code]:
    """Every QR code in a picture, by everything that the house has. Raises OperatorError
    (``no_picture``) where only its colours turn out to be broken."""
    for gray in _views(opened.picture):
        if codes := read_gray(gray):
            return codes
    for gray in _colours(opened.coloured()):
        if codes := glance(gray):
            return codes
    return []


def opened_picture(path: Path) -> Opened:
    """A file's picture. Raises OperatorError (``no_picture``) for one that cannot be read.

    A JPEG holds its grey picture apart, so its colours are decoded only where they are needed.
    """
    cv2 = load_cv2()
    data = _bytes(path)
    whole = cv2.IMREAD_UNCHANGED
    first = cv2.IMREAD_GRAYSCALE if data[:2].tobytes() == _JPEG else whole
    picture = _decoded(data, first, path)
    if first == whole:
        return Opened(picture, lambda: picture)
    return Opened(picture, lambda: _decoded(data, whole, path))


def _bytes(path: Path) -> NDArray[np.uint8]:
    try:
        if not path.is_file():
            raise _no_picture("nothing", path, "is no file")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _no_picture("big", path, f"is larger than {MAX_FILE_BYTES >> 20} MiB")
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
        raise _no_picture("unreadable", path, why, reason=error.strerror) from error
    if data.size == 0:
        raise _no_picture("empty", path, "is empty")
    return data


def _decoded(data: NDArray[np.uint8], how: int, path: Path) -> Picture:
    cv2 = load_cv2()
    try:
        picture: Picture | None = cv2.imdecode(data, how)
    except cv2.error as error:
        raise _no_picture("broken", path, "is a broken or too large picture") from error
    if picture is None or picture.size == 0:
        raise _no_picture("other", path, "is no picture")
    return picture


def _no_picture(case: str, path: Path, why: str, **values: object) -> OperatorError:
    return OperatorError(
        "no_picture",
        f"{path} {why}.",
        "Give a photograph or scan, such as a PNG or JPEG.",
        case=case,
        file=path,
        **values,
    )


def _views(picture: Picture) -> Iterator[Gray]:
    """Grey pictures to look into until one shows a code: transparent places as white, then as black."""
    cv2 = load_cv2()
    picture = _eight_bit(picture)
    if picture.ndim == 2:
        yield picture
        return
    if picture.shape[2] == 3:
        yield cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        return
    channels = list(cv2.split(picture))
    opacity = channels.pop() if len(channels) in (2, 4) else None
    gray = cv2.cvtColor(cv2.merge(channels), cv2.COLOR_BGR2GRAY) if channels[1:] else channels[0]
    if opacity is None or int(opacity.min()) == 255:
        yield gray
        return
    dark = cv2.multiply(gray, opacity, scale=1 / 255)
    yield cv2.add(dark, cv2.bitwise_not(opacity))
    yield dark


def _colours(picture: Picture) -> Iterator[Gray]:
    """Each single colour, because red on green may be one grey."""
    if picture.ndim == 3 and picture.shape[2] in (3, 4):
        yield from load_cv2().split(_eight_bit(picture))[:3]


def _eight_bit(picture: Picture) -> NDArray[np.uint8]:
    """16 bits and floats spread over 0 to 255: a sensor's 12 bits would be nearly black else."""
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.uint8)
    colours = picture[:, :, :3] if picture.ndim == 3 else picture
    finite = np.nan_to_num(colours.astype(np.float32))
    low, high = float(finite.min()), float(finite.max())
    spread = (finite - low) * (255 / max(high - low, 1e-9))
    if picture.ndim == 3 and picture.shape[2] == 4:
        most = np.iinfo(picture.dtype).max if picture.dtype.kind in "iu" else 1.0
        opacity = picture[:, :, 3:].astype(np.float32) * (255 / most)
        spread = np.concatenate([spread, opacity], axis=2)
    return np.asarray(np.clip(np.rint(spread), 0, 255), np.uint8)
