"""The city's commands, taken in: believed by the city's signature alone, answered under the station's.

A command that is good goes to the rules as an event, waits there for its entry in the ledger, and is
answered when that is durable. Everything else is answered with a code, except what the city has not signed
for this station: that is nobody's, and is told in ``kiosk doctor``. The city asks again where no answer
came; what was done is then answered alike and not done again (``kiosk.core.standing``).

===============  ================================================================================
``expired``      its end is past
``clock_unsure`` the clock cannot say whether it is (``kiosk.core.timely``): the city asks again
``too_far``      it would count for longer than ids are remembered
``unknown_op``   a command of a later city; ``wrong_args`` likewise, or a mistake
``no_such_bin``  and ``no_such_seq``, ``other_ledger`` of a resend
``too_many``     more commands than are remembered
===============  ================================================================================
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiosk.answers import Answers
from kiosk.core.errors import KioskError
from kiosk.core.events import Moment, OrderGiven
from kiosk.core.orders import AnyOrder, Refresh, Resend
from kiosk.core.timely import KnownTime
from kiosk.words import Verdict
from sync.messages import Command, Malformed
from sync.messages.commands import MAX_AHEAD_MS, encode_reply, order_of, read_command

if TYPE_CHECKING:
    from kiosk.cards.list_files import City
    from kiosk.ledger import Ledger
    from sync.signing import Signer

LOG = logging.getLogger("kiosk.commands")

TOPIC = "command"
ANSWER_S = 3.0
"""The uplink gives a request five seconds; the rules answer within one tick."""


@dataclass(frozen=True, slots=True)
class RefusedCommand:
    """The last command that was not done: why, and when (boottime)."""

    code: str
    t_ms: int


class Commands:
    """Takes what comes on ``command``. One at a time; on control connections' threads."""

    def __init__(
        self,
        station: str,
        *,
        city: City | None,
        signer: Signer,
        ledger: Ledger,
        answers: Answers,
        now: Callable[[], Moment],
        listens: Callable[[], tuple[str, ...]],
    ) -> None:
        """``city`` None: nobody's word can be believed. ``listens`` what is asked for anew by a refresh."""
        self._station = station
        self._city = city
        self._signer = signer
        self._ledger = ledger
        self._answers = answers
        self._now = now
        self._listens = listens
        self._lock = threading.Lock()
        self._time = KnownTime()
        self.refused: RefusedCommand | None = None

    @property
    def topics(self) -> tuple[str, ...]:
        return () if self._city is None else (TOPIC,)

    def takes(self, topic: str) -> bool:
        return topic == TOPIC

    def tick(self, now: Moment) -> None:
        """Called every second or so on the main thread."""
        self._time = self._time.at(now)

    def accept(self, topic: str, payload: bytes) -> Verdict:
        """One command."""
        if self._city is None or topic != TOPIC:
            return Verdict("not_asked")
        city = self._city
        with self._lock:
            try:
                command = read_command(payload, city.name, self._station, city.key)
            except Malformed as malformed:
                self._refuse(malformed.code, "a command")
                return Verdict(malformed.code)
            try:
                order = order_of(command)
                code = self._late(command) or self._ask(command, order)
            except Malformed as malformed:
                LOG.warning("command %s: %s", command.id, malformed)
                code = malformed.code
            except KioskError as error:  # storage fails, or the rules are busy: the city asks again
                LOG.warning("command %s is not answered yet: %s", command.id, error)
                return Verdict(error.code)
        if code is not None:
            self._refuse(code, f"command {command.id} ({command.op})")
        reply = encode_reply(self._signer, city.name, self._station, command.id, code)
        anew = code is None and isinstance(order, Refresh)
        return Verdict(code, self._listens() if anew else (), reply, refresh=anew)

    def _late(self, command: Command) -> str | None:
        now = self._now()
        self._time = self._time.at(now)
        in_time = self._time.before(command.expires_ms, now)
        if in_time != "yes":
            return "expired" if in_time == "no" else "clock_unsure"
        far = self._time.before(command.expires_ms - MAX_AHEAD_MS, now) == "yes"
        return "too_far" if far else None

    def _ask(self, command: Command, order: AnyOrder) -> str | None:
        """The rules' answer, None for done. Raises DeviceError where they are busy."""
        if isinstance(order, Resend):
            if order.ledger != self._ledger.ledger_id:
                return "other_ledger"
            if order.from_seq > self._ledger.head[0]:
                return "no_such_seq"
        told = self._answers.ask(
            lambda request: OrderGiven(
                self._now().boot_ms, request, "city", order, command.id, command.expires_ms
            ),
            wait_s=ANSWER_S,
        )
        if told.code != "done":
            return told.code
        LOG.info("command %s (%s) is done", command.id, command.op)
        if isinstance(order, Resend):
            self._ledger.send_again(order.from_seq - 1)
        return None

    def _refuse(self, code: str, what: str) -> None:
        LOG.warning("%s was refused: %s", what, code)
        self.refused = RefusedCommand(code, self._now().boot_ms)
