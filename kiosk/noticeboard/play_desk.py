"""Takes what residents say and play: one vote, one thank-you, a round of the quiz, a team's turn.

Invariants
  1. Nothing is taken while somebody's visit is open, and after an answer the next waits (``voices.Rest``).
  2. A vote is kept durably before it is thanked for: as a sum in a small file (``voices.Held``), without a
     time (the file's own is set to 1970; who takes the card out can read from the file system when the last
     one came, and no more), until five of them are told by one entry.

``look`` looks at the town's file and the ledger, as the town's pages do.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from drivers.clock import boottime_ms
from kiosk.core.catalogue import Catalogue
from kiosk.core.days import date_of, day_number
from kiosk.core.errors import OperatorError, StorageError
from kiosk.core.events import Event, Noted
from kiosk.core.quiz import quiz
from kiosk.core.said import MAX_ANSWERS, MAX_TEAMS, AnySaid, SaidId, Thanked
from kiosk.core.taught import TeamChosen
from kiosk.core.view import View
from kiosk.core.voices import Held, Rest, after_telling, held_for, to_tell, with_vote
from kiosk.ledger import heard
from kiosk.ledger.errors import refused
from kiosk.ledger.heard import Thanks, Votes
from kiosk.noticeboard import playing
from kiosk.noticeboard.becoming import usual
from kiosk.noticeboard.file import Watched
from kiosk.noticeboard.pictures import known_pictures
from kiosk.noticeboard.playing import PlayTold
from kiosk.noticeboard.teller import Books
from kiosk.screen.app import Taker
from kiosk.screen.texts.town import Spoken
from sync.signing import write_durably

LOG = logging.getLogger("kiosk.play")
NOTE_S = 5.0
EVENT = "play"
FILE, MODE = "voices.json", 0o600
MAX_FILE_BYTES = 1_024


class Act(msgspec.Struct, frozen=True, tag_field="action", forbid_unknown_fields=True):
    """A touch."""


class VoiceAct(Act, frozen=True, tag="play_voice"):
    """An answer (from 0) to the question of the month."""

    question: SaidId
    choice: Annotated[int, Meta(ge=0, lt=MAX_ANSWERS)]


class ThanksAct(Act, frozen=True, tag="play_thanks"):
    """A prepared sentence to the neighbours."""

    sentence: SaidId


class QuizAct(Act, frozen=True, tag="play_quiz"):
    """A round of the quiz, please."""


class TeamAct(Act, frozen=True, tag="play_team"):
    """It is this team's turn (from 0)."""

    team: Annotated[int, Meta(ge=0, lt=MAX_TEAMS)]


class Follow(Protocol):
    def __call__(self, event: Event, wait_s: float, /) -> Sequence[tuple[int, Any]]: ...


class PlayDesk:
    """``note`` on the main thread, the touches in threads of the screen's server."""

    def __init__(
        self,
        town: Path,
        data: Path,
        items: Sequence[str],
        ledger: Books,
        *,
        catalogue: Callable[[], Catalogue],
        today: Callable[[], int | None],
        follow: Follow,
        post: Callable[[Event], None],
        tell: Callable[[str, object], None],
        spoken: Spoken,
    ) -> None:
        """``items`` of the bins; ``follow`` has the loop write an entry; ``today`` the local day;
        ``spoken`` what the screen speaks."""
        self._spoken = spoken
        self._watched = Watched(town, spoken.codes)
        self._file = data / FILE
        self._items, self._ledger = tuple(items), ledger
        self._catalogue, self._today = catalogue, today
        self._follow, self._post, self._tell = follow, post, tell
        self._view: View | None = None
        self._rests: dict[str, Rest] = {}
        self._told: PlayTold | None = None
        self._lock, self._looking = threading.Lock(), threading.Lock()

    def takers(self) -> tuple[Taker, ...]:
        return (
            Taker(VoiceAct, self._voice),
            Taker(ThanksAct, self._thanks),
            Taker(QuizAct, self._quiz),
            Taker(TeamAct, lambda asked: self._post(TeamChosen(boottime_ms(), asked.team))),
        )

    def note(self, view: View) -> None:
        """What the screen shows from now on."""
        self._view = view

    # -- telling --------------------------------------------------------------------------------

    def look(self) -> PlayTold | None:
        """Tells what is new; None where nothing is, or it cannot be read now. One looks at a time."""
        with self._looking:
            self._watched.look()
            return self._look()

    def _look(self) -> PlayTold | None:
        town, day = self._watched.town, self._day()
        question = playing.asked_now(town, day)
        votes, thanks = playing.NO_VOTES, playing.NO_THANKS
        try:
            if question is not None:
                votes = self._votes(question.id)
            if town.thanks and day is not None:
                thanks = self._thanked(day_number(day))
        except StorageError:
            return None  # looked at again
        value = playing.played(town, day, votes, thanks, quiz=bool(self._round(0)))
        if value == self._told:
            return None
        self._told = value
        self._tell(EVENT, value)
        return value

    def _day(self) -> date | None:
        day = self._today()
        return None if day is None else date_of(day)

    def _votes(self, question: str) -> Votes:
        with self._ledger.lend_reader() as db:
            return heard.votes(db, question)

    def _thanked(self, day: int) -> Thanks:
        with self._ledger.lend_reader() as db:
            return heard.thanks(db, day)

    # -- taking ---------------------------------------------------------------------------------

    def _voice(self, asked: VoiceAct) -> dict[str, bool]:
        question = playing.asked_now(self._watched.town, self._day())
        if question is None or question.id != asked.question:
            raise _gone()
        if asked.choice >= len(question.answers):
            raise _gone()
        with self._lock:
            self._check("voice")
            told = self._votes(question.id).batches
            held = held_for(self._read(), question.id, len(question.answers), told)
            held = with_vote(held, asked.choice)
            self._write(held)
            self._take("voice")
            entry = to_tell(held)
            if entry is not None:
                try:
                    self._keep(entry)
                except (OperatorError, StorageError) as error:
                    LOG.warning("five answers wait for the next one: %s", error)
                else:
                    self._write(after_telling(held))
        self.look()
        return {"kept": True}

    def _thanks(self, asked: ThanksAct) -> dict[str, bool]:
        if asked.sentence not in {one.id for one in self._watched.town.thanks}:
            raise _gone()
        with self._lock:
            self._check("thanks")
            self._keep(Thanked(asked.sentence))
            self._take("thanks")
        self.look()
        return {"kept": True}

    def _quiz(self, _: QuizAct) -> dict[str, Any]:
        questions = self._round(int.from_bytes(os.urandom(8), "big"))
        if not questions:
            raise _gone()
        return {"questions": questions}

    def _round(self, seed: int) -> Sequence[Any]:
        town = self._watched.town
        if town.quiz is None:
            return ()
        becomes = {**usual(), **town.becomes}
        known = playing.knowledge(
            self._items, self._catalogue(), becomes, known_pictures(), self._spoken
        )
        return quiz(known, playing.own(town.quiz), seed)

    def _check(self, what: str) -> None:
        """OperatorError where it is not the moment."""
        view, rest = self._view, self._rests.get(what)
        if view is None or view.visits_open > 0:
            raise OperatorError(
                "play_visit", "Somebody is at the bins now.", "Wait until the screen is free."
            )
        if rest is not None and not rest.is_over(boottime_ms(), view.checkins):
            raise OperatorError(
                "play_rest", "The answer before this one was just taken.", "Try again in a minute."
            )

    def _take(self, what: str) -> None:
        assert self._view is not None, "looked at by _check"
        self._rests[what] = Rest(boottime_ms(), self._view.checkins)

    def _keep(self, entry: AnySaid) -> None:
        """Writes the entry. OperatorError, StorageError where it is not kept (as far as is known)."""
        try:
            written = self._follow(Noted(boottime_ms(), entry), NOTE_S)
        except TimeoutError:
            raise _not_kept() from None
        if not any(item.draft is entry for _, item in written):
            raise _not_kept()

    # -- what waits -----------------------------------------------------------------------------

    def _read(self) -> Held | None:
        """What waits; None where nothing does, or nobody can read it any more."""
        try:
            with self._file.open("rb") as file:
                return msgspec.json.decode(file.read(MAX_FILE_BYTES), type=Held)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refused(error, self._file) from error
        except msgspec.MsgspecError:
            LOG.warning("%s is damaged: at most four answers are lost", self._file)
            return None

    def _write(self, held: Held) -> None:
        try:
            write_durably(self._file, msgspec.json.encode(held), mode=MODE)
            os.utime(self._file, (0, 0))  # when somebody answered is nobody's business
        except OSError as error:
            raise refused(error, self._file) from error


def _gone() -> OperatorError:
    return OperatorError("play_gone", "That is not asked any more.", "Look at the screen again.")


def _not_kept() -> OperatorError:
    return OperatorError(
        "play_not_kept", "The station cannot record just now.", "Try again in a moment."
    )
