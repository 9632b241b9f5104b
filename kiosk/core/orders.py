"""What a station may be told to do by its city or its caretaker.

What is not understood as a whole is not done: an unknown field refuses the order. Texts are people's, and
plain: none holds a control character, a line's end, or what turns the direction of writing around.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kiosk.core.canonical import MAX_INTEGER

MAX_TEXT = 120
"""Half-width letters of one sentence in one language (a Japanese one counts two): two lines on the
screen, so that no bin and no button is pushed off it."""
MAX_LANGUAGES = 8

_PLAIN = r"\A[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*\Z"

BinId = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z", max_length=32)]
Language = Annotated[str, Meta(pattern=r"\A[a-z]{2,8}\Z")]
Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, pattern=_PLAIN)]
Words = Annotated[dict[Language, Text], Meta(min_length=1, max_length=MAX_LANGUAGES)]
"""One sentence by language (``ja``, ``easy``, ``en``, or a town's own)."""
OrderId = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z", max_length=32)]
UtcMs = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
By = Literal["city", "caretaker", "station"]
"""Who had it done; ``station``: its time was over, or a new ledger says again what stood in the old."""


def _check_width(words: dict[str, str] | None) -> None:
    """Raises ValueError, which msgspec tells with its place."""
    for text in (words or {}).values():
        if sum(1 if letter < "\u0100" else 2 for letter in text) > MAX_TEXT:
            raise ValueError(f"a sentence is wider than {MAX_TEXT} half-width letters")


class Order(msgspec.Struct, frozen=True, tag_field="op", forbid_unknown_fields=True):
    """One thing to do."""


class Identify(Order, frozen=True, tag="identify"):
    """Show which station this is: lamps, a tone, and the screen says so for ``seconds``."""

    seconds: Annotated[int, Meta(ge=1, le=60)] = 10


class Message(Order, frozen=True, tag="message"):
    """A sentence on the waiting screen until ``until_ms`` (UTC); ``text`` null takes it away."""

    text: Words | None
    until_ms: UtcMs

    def __post_init__(self) -> None:
        _check_width(self.text)


class Resend(Order, frozen=True, tag="resend"):
    """Send the entries of ``ledger`` from ``from_seq`` on to the city once more."""

    ledger: Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z", max_length=32)]
    from_seq: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]


class LockBin(Order, frozen=True, tag="lock_bin"):
    """The screen sends people from this bin to its overflow place. What falls in is weighed."""

    bin: BinId


class UnlockBin(Order, frozen=True, tag="unlock_bin"):
    """The bin is used as before."""

    bin: BinId


class Close(Order, frozen=True, tag="close"):
    """The screen says that the station is closed, and why. What falls in is weighed."""

    reason: Words | None = None

    def __post_init__(self) -> None:
        _check_width(self.reason)


class Open(Order, frozen=True, tag="open"):
    """The station is open again."""

    reason: Words | None = None

    def __post_init__(self) -> None:
        _check_width(self.reason)


class Refresh(Order, frozen=True, tag="refresh"):
    """Say state and health anew, and ask anew for all that the city has said."""


AnyOrder = Identify | Message | Resend | LockBin | UnlockBin | Close | Open | Refresh
