"""The peer's mistake: bytes that are not what the contract says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """What a message that is refused says of itself: enough to see whose signature it bears."""

    ledger: str
    first: int
    last: int
    head: bytes
    signature: bytes


class Malformed(ValueError):
    """A message that is refused. ``code`` is stable; the text holds no data of the message.

    ``claim`` where it has a batch's shape, and something in it does not hold.
    """

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code
        self.claim: Claim | None = None
