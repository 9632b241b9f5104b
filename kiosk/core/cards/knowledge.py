"""What the station knows of cards beside its keys, as ports: lists, counters, holders.

All of it under pseudonyms. Readers' threads ask, so whatever stands behind a port answers from several
threads and within a millisecond. A station that knows nothing of the kind uses the ``NO_*`` here.
"""

from __future__ import annotations

from typing import Literal, Protocol

Standing = Literal["good", "closed", "unlisted", "list_old"]
"""``unlisted``: an allow list is in force and does not name it. ``list_old``: the list is older than
the settings allow, and so nobody can say."""

Count = Literal["fresh", "replayed", "copied"]
"""``replayed``: the very counter that was seen last. ``copied``: one further back, so that somebody
else has been using the card's messages."""

Holding = Literal["held", "spare"]
"""``spare``: a pre-printed card that nobody has begun to use yet."""


class Lists(Protocol):
    """Closed cards, and those that alone are allowed."""

    def standing(self, name: bytes, /, *, proves: bool = True) -> Standing:
        """``proves``: whether the card proves itself; that may count while a list is old."""
        ...


class Counters(Protocol):
    """The last counter of each card that counts its readings; durable before it answers."""

    def count(self, name: bytes, counter: int, /) -> Count: ...


class Holders(Protocol):
    """Whose card it is: several cards may belong to one account."""

    def account(self, name: bytes, /) -> bytes | None:
        """The pseudonym of the account that the card was joined to, None where it was joined to none."""
        ...

    def holding(self, name: bytes, /) -> Holding:
        """Of a spare card: whether somebody holds it by now."""
        ...


class Caretakers(Protocol):
    """Whose card opens the caretaker's corner."""

    def knows(self, names: tuple[bytes, ...], /) -> bool:
        """Whether a caretaker's card has one of these names: the one in force first, then the one under
        the key before, from which the station goes over to the new one."""
        ...


class _NoLists:
    def standing(self, _name: bytes, *, proves: bool = True) -> Standing:  # noqa: ARG002
        return "good"


class _NoHolders:
    def account(self, _name: bytes) -> bytes | None:
        return None

    def holding(self, _name: bytes) -> Holding:
        return "spare"


class _NoCaretakers:
    def knows(self, _names: tuple[bytes, ...]) -> bool:
        return False


NO_LISTS: Lists = _NoLists()
NO_HOLDERS: Holders = _NoHolders()
NO_CARETAKERS: Caretakers = _NoCaretakers()
