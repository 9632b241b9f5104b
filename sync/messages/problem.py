"""The peer's mistake: bytes that are not what the contract says."""

from __future__ import annotations


class Malformed(ValueError):
    """A message that is refused. ``code`` is stable; the text holds no data of the message."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code
