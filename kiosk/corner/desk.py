"""Takes the corner's touches: each is asked of the rules, which alone know whether the corner is open.

Invariant: nothing is done here before the rules have said ``done`` to it, and they say ``corner_closed``
where the corner is not open now (a touch refused so is told with 409).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from drivers.clock import boottime_ms
from kiosk.cards.work import worked
from kiosk.core.errors import OperatorError
from kiosk.core.events import CornerActed, CornerAsked, CornerWord, OrderGiven, Touch
from kiosk.core.orders import MAX_LANGUAGES, AnyOrder, Close, LockBin, Message, Open, UnlockBin
from kiosk.core.taught import ClassAsked
from kiosk.corner import doctor, shapes
from kiosk.corner.adjusting import Adjusting
from kiosk.corner.jobs import Job, Jobs, Told
from kiosk.doctor import Finding, examine
from kiosk.screen.app import Taker

if TYPE_CHECKING:
    from kiosk.answers import Answers
    from kiosk.cards.pin import CornerNumber
    from kiosk.core.events import CardWork, Event
    from kiosk.core.moment import Moment
    from kiosk.core.view import View
    from kiosk.facts import Facts
    from kiosk.screen.texts import Language
    from kiosk.settings import Settings
    from kiosk.tapping import ScaleOps

LOG = logging.getLogger("kiosk.corner")
SENTENCE, REASON = "sentence_", "reason_"
"""Prepared sentences stand in the catalogues' table ``corner`` under names that begin so."""


class CornerDesk:
    """``note`` on the main thread, the touches in threads of the screen's server.

    ``tell`` publishes ``event: corner``; ``facts`` the station's and ``names`` of its bins,
    for the doctor.
    """

    def __init__(
        self,
        settings: Settings,
        languages: Sequence[Language],
        *,
        answers: Answers,
        post: Callable[[Event], None],
        scales: ScaleOps,
        number: CornerNumber,
        now: Callable[[], Moment],
        facts: Callable[[], Facts],
        names: Callable[[], doctor.Names],
        tell: Callable[[str, object], None],
    ) -> None:
        self._settings = settings
        self._languages = languages
        self._answers = answers
        self._post = post
        self._scales = scales
        self._number = number
        self._now = now
        self._facts = facts
        self._names = names
        self._tell = tell
        self._jobs = Jobs(self._told)
        self._was_open = False

    def takers(self) -> tuple[Taker, ...]:
        """Of every touch of the corner's pages."""
        takes: dict[type[shapes.Act], Callable[[Any], object]] = {
            shapes.Begin: lambda _: self._word("begin"),
            shapes.Pad: self._pad,
            shapes.Number: self._typed,
            shapes.Stir: lambda _: self._word("touch"),
            shapes.End: self._end,
            shapes.Doctor: self._doctor,
            shapes.AtBin: self._at_bin,
            shapes.Shut: self._shut,
            shapes.Unshut: lambda _: self._order(Open()),
            shapes.Notice: self._notice,
            shapes.Class: self._class,
            shapes.Adjust: self._adjust,
            shapes.Agree: self._agree,
            shapes.Card: self._card,
            shapes.Cancel: self._cancel,
        }
        return tuple(Taker(shape, take) for shape, take in takes.items())

    def note(self, view: View) -> None:
        """What the screen shows from now on: with the corner ends what was begun in it."""
        is_open = view.corner in ("open", "aside")
        if self._was_open and not is_open:
            self._jobs.cancel()
        self._was_open = is_open

    def stop(self) -> None:
        self._jobs.stop()

    def _told(self, job: Told | None) -> None:
        self._tell("corner", {"job": job})

    # -- in and out -----------------------------------------------------------------------------

    def _word(self, word: CornerWord) -> None:
        told = self._answers.ask(lambda request: CornerAsked(boottime_ms(), request, word))
        check(told.code)

    def _pad(self, _: shapes.Pad) -> dict[str, Any]:
        """Whether there is a number, and how long nobody may try."""
        self._word("number")
        return {"set": self._number.is_set, "wait_s": -(-self._number.wait_ms() // 1000)}

    def _typed(self, asked: shapes.Number) -> None:
        self._word("number")  # tries count only where somebody stands before the pad
        self._number.check(asked.number)
        self._word("opened")
        LOG.info("the corner was opened by its number")

    def _end(self, _: shapes.End) -> None:
        self._jobs.cancel()
        self._word("end")

    # -- looking --------------------------------------------------------------------------------

    def _doctor(self, _: shapes.Doctor) -> dict[str, Any]:
        self._word("touch")
        return doctor.told(self._findings(), self._names())

    def _findings(self) -> Iterator[Finding]:
        from kiosk.doctor import ground

        facts, now = self._facts(), self._now()
        yield from ground.keys(self._settings)
        today = self._local(now).date()
        yield from ground.seals(self._settings, today, clock_known=now.clock == "synced")
        yield from examine(facts)

    # -- doing ----------------------------------------------------------------------------------

    def _do(self, act: Callable[[str], Touch | OrderGiven | ClassAsked]) -> None:
        told = self._answers.ask(
            lambda request: CornerActed(boottime_ms(), request, act(request)),
        )
        check(told.code)

    def _at_bin(self, asked: shapes.AtBin) -> None:
        self._known(asked.bin)
        if asked.what == "lock":
            return self._order(LockBin(asked.bin))
        if asked.what == "unlock":
            return self._order(UnlockBin(asked.bin))
        what, t_ms = asked.what, boottime_ms()
        return self._do(lambda _: Touch(t_ms, what, asked.bin))

    def _order(self, order: AnyOrder) -> None:
        t_ms = boottime_ms()
        self._do(lambda request: OrderGiven(t_ms, request, "caretaker", order))

    def _shut(self, asked: shapes.Shut) -> None:
        self._order(Close(None if asked.reason is None else self._sentence(REASON, asked.reason)))

    def _notice(self, asked: shapes.Notice) -> None:
        now = self._now()
        if asked.sentence is None:
            return self._order(Message(None, now.utc_ms))
        end = datetime.combine(
            self._local(now).date() + timedelta(days=asked.days), time(), self._zone
        )
        until_ms = int(end.timestamp() * 1000)
        return self._order(Message(self._sentence(SENTENCE, asked.sentence), until_ms))

    def _class(self, asked: shapes.Class) -> None:
        t_ms = boottime_ms()
        self._do(lambda request: ClassAsked(t_ms, request, asked.teams or 0))

    def _adjust(self, asked: shapes.Adjust) -> None:
        self._known(asked.bin)
        self._word("touch")
        adjusting = Adjusting(asked, self._scales, self._answers, self._stirred)
        adjusting.check()
        kg = f"{asked.grams / 1000:.3f}"
        self._jobs.start("adjust", adjusting.work, bin=asked.bin, kg=kg)

    def _agree(self, _: shapes.Agree) -> None:
        self._word("touch")
        self._jobs.agree()

    def _card(self, asked: shapes.Card) -> None:
        self._word("touch")
        self._jobs.start("card", lambda job: self._card_work(job, asked.work), work=asked.work)

    def _cancel(self, _: shapes.Cancel) -> None:
        self._jobs.cancel()
        self._word("touch")

    def _card_work(self, job: Job, work: Any) -> None:
        def within(asked: CardWork) -> Event:
            return CornerActed(asked.t_ms, asked.request, asked)

        first = {"replace": "slip", "begin": "card", "close": "any"}
        job.tell(step=first[work])
        # The rules wait for a touch as long for everybody.
        for item in worked(self._answers, work, 0, within=within):
            job.check()
            if item is not None:
                job.tell(step=item["show"])
                self._stirred()
        job.tell(step="done")
        self._stirred()

    def _stirred(self) -> None:
        """Somebody is at work, at a scale or with a card. Nobody waits for the answer."""
        self._post(CornerAsked(boottime_ms(), "", "touch"))

    # -- small things ---------------------------------------------------------------------------

    def _sentence(self, kind: str, key: str) -> dict[str, str]:
        """A prepared sentence by language. Raises OperatorError for one that is not there."""
        said = {one.code: one.corner[key] for one in self._languages if key in one.corner}
        if not key.startswith(kind) or not said:
            raise OperatorError(
                "no_such_sentence", "There is no such sentence.", "Choose one of those shown."
            )
        return dict(list(said.items())[:MAX_LANGUAGES])

    def _known(self, bin_id: str) -> None:
        if bin_id not in {one.id for one in self._settings.bins}:
            raise OperatorError(
                "no_such_bin", f"There is no bin {bin_id}.", "Choose one of those shown."
            )

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._settings.station.timezone)

    def _local(self, now: Moment) -> datetime:
        return datetime.fromtimestamp(now.utc_ms / 1000, self._zone)


def check(code: str) -> None:
    """OperatorError where the rules did not do it."""
    if code == "corner_closed":
        raise OperatorError(
            "corner_closed",
            "The caretaker's corner is not open.",
            "Touch the caretaker's button, and show the card.",
        )
    if code != "done":
        raise OperatorError(code, f"That cannot be done now ({code}).", "Try again in a moment.")
