"""One QR code found in a picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Code:
    """``text`` the symbol's bytes, hidden from ``repr`` because it may be a card; the box around it
    in pixels of the picture. ``symbol`` what zxing-cpp saw, None from a decoder that keeps nothing."""

    text: bytes = field(repr=False)
    left: float
    top: float
    right: float
    bottom: float
    symbol: Any = field(default=None, repr=False, compare=False)

    def scaled(self, factor: float) -> Code:
        """The same code in a picture ``factor`` times as large."""
        return replace(
            self,
            left=self.left * factor,
            top=self.top * factor,
            right=self.right * factor,
            bottom=self.bottom * factor,
        )

    def moved(self, pixels: float) -> Code:
        """The same code in a picture with ``pixels`` more at the left and the top."""
        return self.moved_by(pixels, pixels)

    def moved_by(self, x_px: float, y_px: float) -> Code:
        """The same code in a picture with so much more at the left and at the top."""
        return replace(
            self,
            left=self.left + x_px,
            top=self.top + y_px,
            right=self.right + x_px,
            bottom=self.bottom + y_px,
        )

    def overlaps(self, other: Code) -> bool:
        """Whether the two boxes share a place in the picture."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def is_again(self, other: Code) -> bool:
        """Whether this is the same code, found once more: the same text about the same centre."""
        x, y = (other.left + other.right) / 2, (other.top + other.bottom) / 2
        return (
            self.text == other.text
            and self.left <= x <= self.right
            and self.top <= y <= self.bottom
        )
