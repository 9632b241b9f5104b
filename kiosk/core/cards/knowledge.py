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

    def standing(self, name: bytes, /) -> Standing: ...


class Counters(Protocol):
    """The last counter of each card that counts its readings; durable before it answers."""

    def count(self, name: bytes, counter: int, /) -> Count: ...


class Holders(Protocol):
    """Whose card it is: several cards may belong to one account."""

    def account(self, name: bytes, /) -> bytes:
        """The account's pseudonym; the card's own where it was joined to none."""
        ...

    def holding(self, name: bytes, /) -> Holding:
        """Of a spare card: whether somebody holds it by now."""
        ...


class _NoLists:
    def standing(self, _name: bytes) -> Standing:
        return "good"


class _NoHolders:
    def account(self, name: bytes) -> bytes:
        return name

    def holding(self, _name: bytes) -> Holding:
        return "spare"


NO_LISTS: Lists = _NoLists()
NO_HOLDERS: Holders = _NoHolders()
