"""Balances that residents ask for at a station: found in what is stored, answered after the commit.

Invariant: an ask is answered by the receiver that stored its entry, at most once, and only while
somebody may still stand there. The answer holds the ask's name and a number, and no pseudonym.

Theory. What comes out of a backlog is old: its resident is long at home, and nobody should pay for the
answer. Where the station's clock is synchronised its own time says how old an ask is; where it is not, the
batch's last entry of the same boot stands for now. The station passes over what it does not wait for, so a
wrong guess here costs one message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa

from kiosk.core.entries import BalanceAsked
from sync.messages import Batch
from sync.messages.bodies import KNOWN, Known, Moment
from sync.messages.points import encode_balance
from sync.receiver import corrections
from sync.signing import Signer

KIND = str(BalanceAsked.__struct_config__.tag)
LIVE_MS = 60_000
"""An ask older than this is answered no more."""
MAX_OF_BATCH = 16
"""Asks of one batch that are answered, the newest: one takes a touch and a card."""
_ASK = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A live ask, and the pseudonym that its seal stands for."""

    city: str
    station: str
    ask: str
    name: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """The answer, to be signed and published after the commit."""

    city: str
    station: str
    ask: str
    points: int
    as_of_ms: int

    @property
    def topic(self) -> str:
        return f"kiosk/v1/{self.city}/{self.station}/points"

    def signed(self, signer: Signer) -> bytes:
        return encode_balance(
            signer,
            self.city,
            self.station,
            ask=self.ask,
            points=self.points,
            as_of_ms=self.as_of_ms,
        )


def asked_in(city: str, station: str, batch: Batch, after: int, now_ms: int) -> list[Asked]:
    """The live asks among entries of a batch beyond seq ``after``; another shape asks nothing."""
    if KIND not in batch.kinds:
        return []
    last = next((each.at for each in reversed(batch.values) if isinstance(each, Known)), None)
    found = []
    for each in batch.seals:
        value = batch.values[each.seq - batch.first]
        if each.seq <= after or not isinstance(value, KNOWN[KIND]):
            continue
        ask: str = value.ask  # type: ignore[attr-defined]
        if _ASK.fullmatch(ask) and _age_ms(value.at, last, now_ms) <= LIVE_MS:
            found.append(Asked(city, station, ask, bytes.fromhex(each.pseudonym)))
    return found[-MAX_OF_BATCH:]


def _age_ms(at: Moment, last: Moment | None, now_ms: int) -> int:
    """How far from now that was; without a clock, from the batch's ``last`` moment of the same boot."""
    if at.clock == "synced":
        return abs(now_ms - at.utc_ms)
    if last is not None and last.boot == at.boot:
        return last.boot_ms - at.boot_ms
    return LIVE_MS + 1


def tell(connection: sa.Connection, asked: list[Asked], now_ms: int) -> list[Told]:
    """What each account has, with all that this transaction has booked; 0 for one nobody knows."""
    told = []
    for each in asked:
        account = corrections.account(connection, each.city, each.name)
        points = 0 if account is None else account.points
        told.append(Told(each.city, each.station, each.ask, points, now_ms))
    return told
