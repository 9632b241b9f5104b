"""One frame of a camera, decoded no further than somebody looks.

Most cameras send JPEG. Decoding it at an eighth of its size costs about half of decoding it whole, and
a frame that nobody looks at costs nothing. So a frame keeps the bytes.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.vision import Gray, load_cv2

THUMB_PX = (80, 60)
EVEN_LEVELS = 16
"""A picture whose brightest and darkest place differ by less shows nothing that could freeze."""
DARK_LEVELS = 40
"""A picture without any place brighter than this shows no card."""
_JPEG = b"\xff\xd8"


class Frame:
    """``number`` counts from 1, ``t_ms`` when it came. ``data`` as the camera gave it: JPEG bytes in one
    row, or a picture, grey or BGR."""

    def __init__(self, data: NDArray[np.uint8], t_ms: int, number: int) -> None:
        self._data = data
        self.t_ms = t_ms
        self.number = number

    @cached_property
    def thumb(self) -> Gray | None:
        """About ``THUMB_PX``; None for a JPEG that cannot be read."""
        cv2 = load_cv2()
        if "gray" in self.__dict__ or not self._is_coded:
            gray = self.gray
        else:
            gray = self._decoded(cv2.IMREAD_REDUCED_GRAYSCALE_8)
        if gray is None or (gray.shape[1], gray.shape[0]) == THUMB_PX:
            return gray
        small: Gray = cv2.resize(gray, THUMB_PX, interpolation=cv2.INTER_AREA)
        return small

    @cached_property
    def gray(self) -> Gray | None:
        """The whole picture; None for a JPEG that cannot be read."""
        cv2 = load_cv2()
        if self._is_coded:
            return self._decoded(cv2.IMREAD_GRAYSCALE)
        if self._data.ndim == 2:
            return self._data
        gray: Gray = cv2.cvtColor(self._data, cv2.COLOR_BGR2GRAY)
        return gray

    def repeats(self, other: Frame) -> bool:
        """Whether it is the other one to the last bit."""
        return np.array_equal(self._data, other._data)

    @property
    def looked_at(self) -> bool:
        """Whether somebody had it decoded, well or not."""
        return "thumb" in self.__dict__

    @property
    def is_even(self) -> bool:
        """Whether it is of one brightness all over, as with the lens covered."""
        thumb = self.thumb
        return thumb is not None and int(thumb.max()) - int(thumb.min()) < EVEN_LEVELS

    @property
    def is_dark(self) -> bool:
        """Whether it is too dark everywhere to show a card."""
        thumb = self.thumb
        return thumb is not None and int(thumb.max()) < DARK_LEVELS

    @property
    def _is_coded(self) -> bool:
        return self._data.ndim == 1 or (self._data.ndim == 2 and 1 in self._data.shape)

    def _decoded(self, how: int) -> Gray | None:
        cv2, data = load_cv2(), self._data.reshape(-1)
        if bytes(data[: len(_JPEG)]) != _JPEG:
            return None
        try:
            decoded: Any = cv2.imdecode(data, how)
        except cv2.error:  # it claims to be larger than any camera's picture
            return None
        return None if decoded is None else np.asarray(decoded, np.uint8)
