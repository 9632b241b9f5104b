"""What the station is told of the way to the city: the heaviest thing that holds, once when it changes.

While the link is down that is why. While it is up it is what the city refuses or does not answer; else that
another client has this station's name, or seems to, which is told until a connection has lasted; else
what the broker refuses beside the ledger (a note); else that all is well.
"""

from __future__ import annotations

from dataclasses import replace

from sync.link_codes import TWIN
from sync.uplink_events import Report
from sync.uplink_pace import TWIN_MS, past

QUIET_REASONS = frozenset({"other_ledger", "old_epoch", "old_seq"})
"""Ordinary: an old retained acknowledgement, or two receivers that overtake each other."""
_WORDS = {
    "unknown_key": "The city does not know this station's key.",
    "fork": "The city holds other entries under these numbers.",
    "bad_signature": "The city finds the signature wrong.",
    "genesis": "The city does not take this ledger's beginning as this station's.",
    "other_station": "The city has this ledger under another station's name.",
    "city_silent": "The city does not acknowledge.",
    "packet_too_large": "The broker does not take a single entry: it is larger than its bound.",
    "taken_over": "Another client connects under this station's name.",
    "cut_short": "The broker ends each connection soon and without a reason.",
}
_REFUSED = "The city refuses what this station sends."
_UNFIT = "What came as the city's acknowledgement does not count."
MAX_NOTES = 8
"""Kinds of small troubles kept; there are fewer."""


class Telling:
    """``take`` gives what is to be reported after an event, if anything."""

    def __init__(self) -> None:
        self.said: Report | None = None
        """The last report, for a station's process that has not heard it."""
        self._new: Report | None = None
        self._notes: dict[str, str] = {}
        self._twin: str | None = None
        self._certificate_ms: int | None = None
        self.due_ms: int | None = None
        """When a connection will have lasted long enough after a twin."""

    def down(self, code: str, words: str) -> None:
        """There is no connection; ``words`` empty where the code has some here."""
        if code in TWIN and self._twin != "taken_over":
            self._twin = code
        self.due_ms = None
        self._new = Report(False, code, words or _WORDS.get(code, ""))

    def up(self, now_ms: int) -> None:
        """A new connection; what did not go beside the last one may go now."""
        self._notes.clear()
        if self._twin:
            self.due_ms = now_ms + TWIN_MS
        self.well()

    def well(self) -> None:
        """Connected, and the city has nothing against what is sent."""
        code, words = next(iter(self._notes.items()), (None, ""))
        if self._twin:
            code, words = self._twin, _WORDS[self._twin]
        self._new = Report(True, code, words)

    def held_up(self, code: str, words: str = "", *, online: bool = True) -> None:
        """The city refuses, or does not answer; ``words`` the broker's own, where there are some."""
        other = _UNFIT if code.startswith("ack_") else _REFUSED
        self._new = Report(online, code, words or _WORDS.get(code, other))

    def bad_ack_gone(self) -> None:
        """What came as the city's word and did not count is there no more."""
        if self.said is not None and self.said.online and (self.said.code or "").startswith("ack_"):
            self.well()

    def note(self, code: str, words: str) -> None:
        """Something beside the ledger does not go; the ledger does."""
        if len(self._notes) < MAX_NOTES:
            self._notes[code] = words
        if self.said is None or (self.said.online and self.said.code is None):
            self.well()

    def unnote(self, code: str) -> None:
        """It goes again."""
        if self._notes.pop(code, None) and self.said is not None and self.said.code == code:
            self.well()

    def tick(self, now_ms: int) -> None:
        """Time has passed: a connection that lasted until ``due_ms`` has no twin."""
        if not past(self.due_ms, now_ms):
            return
        twin, self._twin, self.due_ms = self._twin, None, None
        if self.said is not None and self.said.code == twin:
            self.well()

    def certificate(self, until_ms: int | None) -> None:
        """It goes with every report."""
        self._certificate_ms, self._new = until_ms, self._new or self.said

    def take(self) -> Report | None:
        """What is new since the last call."""
        if self._new is None:
            return None
        new, self._new = replace(self._new, certificate_ms=self._certificate_ms), None
        if new == self.said:
            return None
        self.said = new
        return new
