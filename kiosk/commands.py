"""The city's commands, taken in: believed by the city's signature alone, answered under the station's.

A command that is good goes to the rules as an event, waits there for its entry in the ledger, and is
answered when that is durable. Everything else is answered with a code, except what the city has not signed
for this station: that is nobody's, and is told in ``kiosk doctor``. The city asks again where no answer
came; what was done is then answered alike and not done again (``kiosk.core.standing``).

===============  ================================================================================
``expired``      its end is past
``clock_unsure`` the clock cannot say whether it is: the reply holds a nonce, and the city signs the
                 command once more with it and its own time (``kiosk.core.timely``)
``too_far``      it would count for longer than ids are remembered
``unknown_op``   a command of a later city; ``wrong_args`` likewise, or a mistake
``no_such_bin``  and ``no_such_seq``, ``other_ledger`` of a resend
``too_many``     more commands than are remembered
===============  ================================================================================
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiosk.answers import Answers
from kiosk.core.errors import KioskError
from kiosk.core.events import Late, Moment, OrderGiven
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
LOG_MS = 60_000
"""A refusal like the last one is logged no more often, however many come."""
MAX_NONCES = 32
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
        self._asked: dict[str, int] = {}
        """Nonces that the city was given, each with the boottime of that."""
        self._logged_ms = 0
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
                code = self._ask(command, order)
            except Malformed as malformed:
                code = malformed.code
            except KioskError as error:  # storage fails, or the rules are busy: the city asks again
                LOG.warning("command %s is not answered yet: %s", command.id, error)
                return Verdict(error.code)
        if (
            code is not None and code != "clock_unsure"
        ):  # that is a question, and the doctor has `clock`
            self._refuse(code, f"command {command.id} ({command.op})")
        nonce = self._nonce() if code == "clock_unsure" else None
        reply = encode_reply(self._signer, city.name, self._station, command.id, code, nonce)
        anew = code is None and isinstance(order, Refresh)
        return Verdict(code, self._listens() if anew else (), reply, refresh=anew)

    def _nonce(self) -> str:
        """A new one; whoever answers with it answers from now on."""
        while len(self._asked) >= MAX_NONCES:
            del self._asked[next(iter(self._asked))]
        nonce = secrets.token_hex(16)
        self._asked[nonce] = self._now().boot_ms
        return nonce

    def _late(self, command: Command, now: Moment) -> Late | None:
        """Why it is not to be done now."""
        asked_ms = None if command.nonce is None else self._asked.get(command.nonce)
        unsure = self._time.before(command.expires_ms, now) == "unsure"
        if unsure and asked_ms is not None and command.signed_ms is not None:
            self._time = self._time.told(command.signed_ms, asked_ms, now)
        self._time = self._time.at(now)
        in_time = self._time.before(command.expires_ms, now)
        if in_time != "yes":
            return "expired" if in_time == "no" else "clock_unsure"
        far = self._time.before(command.expires_ms - MAX_AHEAD_MS, now) == "yes"
        return "too_far" if far else None

    def _ask(self, command: Command, order: AnyOrder) -> str | None:
        """The rules' answer, None for done. Raises DeviceError where they are busy."""
        now = self._now()
        late = self._late(command, now)
        if isinstance(order, Resend):
            if order.ledger != self._ledger.ledger_id:
                return "other_ledger"
            if order.from_seq > self._ledger.head[0]:
                return "no_such_seq"
        told = self._answers.ask(
            lambda request: OrderGiven(
                now.boot_ms,
                request,
                "city",
                order,
                command.id,
                command.expires_ms,
                late,
                self._time,
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
        last, now_ms = self.refused, self._now().boot_ms
        if last is None or last.code != code or now_ms - self._logged_ms >= LOG_MS:
            self._logged_ms = now_ms
            LOG.warning("%s was refused: %s", what, code)
        self.refused = RefusedCommand(code, now_ms)
