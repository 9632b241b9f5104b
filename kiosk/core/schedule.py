"""Which of a city's words counts when: catalogues and tariffs in their order of versions.

Invariants
  1. What is in force never goes back to a lower version, whatever is said again and whatever a clock says.
  2. One version means one content for ever: entries carry only its number.
  3. No clock that nobody vouches for brings anything into force.

Theory. A word has a version, the moment from which it is effective, and the moment at which the city
signed it. The moment that is certainly past is a synchronised clock's; without one, the latest at which the
city signed a word that is held here: a station that never knows the time still takes what the city
said was in force already. Of the words whose moment is past the highest version counts. A higher
version that is effective no later than a lower one takes its place: so a city mends what has not begun.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.core.events import Moment

MAX_WAITING = 4
"""Words that wait for their moment."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word, as far as the order goes. ``effective_ms`` and ``signed_ms`` UTC; ``digest`` of its
    content (hex)."""

    version: int
    effective_ms: int
    signed_ms: int
    digest: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """``in_force`` the version that counts, None while none does; ``terms`` by version: that one, and
    those that wait."""

    in_force: int | None = None
    terms: tuple[Term, ...] = ()

    def term(self, version: int | None) -> Term | None:
        return next((one for one in self.terms if one.version == version), None)

    def waiting(self) -> tuple[Term, ...]:
        """By version, and so by the moment from which they are effective."""
        return tuple(one for one in self.terms if one.version > (self.in_force or 0))

    def refusal(self, term: Term) -> str | None:
        """Why a word does not count: ``conflict`` where its version was something else, ``old`` where a
        later one is here; None where it does, or is held already."""
        held = self.term(term.version)
        if held is not None:
            same = (held.digest, held.effective_ms) == (term.digest, term.effective_ms)
            return None if same else "conflict"
        if term.version < (self.in_force or 0):
            return "old"
        later = (one for one in self.waiting() if one.version > term.version)
        return "old" if any(one.effective_ms <= term.effective_ms for one in later) else None

    def take(self, term: Term) -> Schedule:
        """With a word that is not refused. Of too many that wait the lowest go."""
        assert self.refusal(term) is None
        held = self.term(term.version)
        if held is not None and held.signed_ms >= term.signed_ms:
            return self
        waiting = [
            one
            for one in self.waiting()
            if one.version > term.version
            or (one.version < term.version and one.effective_ms < term.effective_ms)
        ]
        present = [one for one in self.terms if one.version == self.in_force]
        if term.version == self.in_force:
            present = [term]
        else:
            waiting.append(term)
        waiting.sort(key=lambda one: one.version)
        return replace(self, terms=(*present, *waiting[-MAX_WAITING:]))

    def due(self, now: Moment) -> tuple[int, ...]:
        """Versions above the one in force whose moment is certainly past, the highest first."""
        past_ms = max((one.signed_ms for one in self.terms), default=0)
        if now.clock == "synced":
            past_ms = now.utc_ms
        found = [one.version for one in self.waiting() if one.effective_ms <= past_ms]
        return tuple(reversed(found))

    def begun(self, version: int) -> Schedule:
        """``version`` is in force from now on; lower ones are of no more use."""
        assert version > (self.in_force or 0) and self.term(version) is not None
        return Schedule(version, tuple(one for one in self.terms if one.version >= version))
