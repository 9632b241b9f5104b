"""Reading QR codes from picture files: what ``kiosk card read`` does.

Any file that OpenCV decodes is taken: grey, colour, palette, with transparency, 8, 16 bit or float.
How a camera was held (EXIF orientation) does not matter to a QR code.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.qr import read_gray
from drivers.vision import Gray, load_cv2
from kiosk.core.errors import OperatorError

MAX_FILE_BYTES = 256 << 20

Picture = NDArray[Any]


def read_files(paths: Iterable[str]) -> Iterator[dict[str, object]]:
    """One JSON object a file, in order: ``{"file", "texts", "ms"}``.

    ``texts`` holds each distinct text once, as a string where its bytes are UTF-8, else as
    ``{"hex": …}``; ``ms`` the time it took, with the file's decoding. A file that is no picture has
    ``"error"`` beside them, one sentence.
    """
    for path in paths:
        begun_s = time.perf_counter()
        line: dict[str, object] = {"file": path, "texts": []}
        try:
            line["texts"] = [as_json(text) for text in read_image(Path(path))]
        except OperatorError as error:
            line["error"] = error.what
        line["ms"] = round((time.perf_counter() - begun_s) * 1000, 1)
        yield line


def as_json(text: bytes) -> str | dict[str, str]:
    """A QR code's bytes as JSON can hold them without loss."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return {"hex": text.hex()}


def read_image(source: Path | Picture) -> list[bytes]:
    """Every distinct QR text in a picture, by everything that the house has.

    ``source`` a file, or an array as OpenCV gives it (blue, green, red, transparency last). Raises
    OperatorError (``no_picture``) for a file that cannot be read.
    """
    picture = _load(source) if isinstance(source, Path) else source
    for gray in _views(picture):
        if codes := read_gray(gray):
            return [code.text for code in codes]
    return []


def _load(path: Path) -> Picture:
    cv2 = load_cv2()
    try:
        if not path.is_file():
            raise _no_picture(f"{path} is no file.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _no_picture(f"{path} is larger than {MAX_FILE_BYTES >> 20} MiB.")
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise _no_picture(f"{path} cannot be read: {error.strerror}.") from error
    if data.size == 0:
        raise _no_picture(f"{path} is empty.")
    try:
        picture: Picture | None = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _no_picture(f"{path} is a broken or too large picture.") from error
    if picture is None or picture.size == 0:
        raise _no_picture(f"{path} is no picture.")
    return picture


def _no_picture(what: str) -> OperatorError:
    return OperatorError("no_picture", what, "Give a photograph or scan, such as a PNG or JPEG.")


def _views(picture: Picture) -> Iterator[Gray]:
    """Grey pictures to look into until one shows a code: transparent places as white, then as
    black; and of colours each single one, because red on green may be one grey."""
    cv2 = load_cv2()
    picture = _eight_bit(picture)
    if picture.ndim == 2:
        yield picture
        return
    channels = list(cv2.split(picture))
    opacity = channels.pop() if len(channels) in (2, 4) else None
    gray = cv2.cvtColor(cv2.merge(channels), cv2.COLOR_BGR2GRAY) if channels[1:] else channels[0]
    if opacity is not None and int(opacity.min()) < 255:
        dark = cv2.multiply(gray, opacity, scale=1 / 255)
        yield cv2.add(dark, cv2.bitwise_not(opacity))
        yield dark
        return
    yield gray
    if channels[1:]:
        yield from channels


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
