"""What a caretaker writes down of the yard, and what residents say together: written now or not at all.

Whoever gave it waits for the answer, so nothing of it stands in a queue. What residents say is written
only while nobody's visit is open, in the rules' own judgement: a card may have been seen since the touch,
and the entry beside its check-in would be taken for its word (``voices``).
"""

from __future__ import annotations

from kiosk.core.events import Noted
from kiosk.core.intents import Note
from kiosk.core.said import AnySaid
from kiosk.core.state import State


def noted(state: State, event: Noted) -> None:
    if state.intents or (isinstance(event.draft, AnySaid) and state.visits.open()):
        return
    state.intend(Note(event.draft))
