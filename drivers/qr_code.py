"""One QR code found in a picture."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Code:
    """``text`` the symbol's bytes, hidden from ``repr`` because it may be a card; the box around it
    in pixels of the picture."""

    text: bytes = field(repr=False)
    left: float
    top: float
    right: float
    bottom: float

    def scaled(self, factor: float) -> Code:
        """The same code in a picture ``factor`` times as large."""
        return Code(
            self.text,
            self.left * factor,
            self.top * factor,
            self.right * factor,
            self.bottom * factor,
        )

    def moved(self, pixels: float) -> Code:
        """The same code in a picture with ``pixels`` more at the left and the top."""
        return Code(
            self.text,
            self.left + pixels,
            self.top + pixels,
            self.right + pixels,
            self.bottom + pixels,
        )

    def overlaps(self, other: Code) -> bool:
        """Whether the two boxes share a place in the picture."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )
