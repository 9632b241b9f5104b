"""The ledger in the hands of the running station: opened as the settings say, written for the loop.

Only two things end the process from here, both so that the next start may put them right: a ledger that
is damaged, and one of which the city has signed more than it holds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from kiosk import __version__
from kiosk.core.cards.facts import of_items
from kiosk.core.effects import Item
from kiosk.core.entries import Opening
from kiosk.core.errors import StorageError
from kiosk.ledger import Ledger
from kiosk.recounting import Recounting
from sync.signing import Signer

if TYPE_CHECKING:
    from kiosk.cards.holders import CardHolders
    from kiosk.clock import StationClock
    from kiosk.ledger.acks import AckVerdict
    from kiosk.settings import Settings
    from kiosk.town.town import Town

LOG = logging.getLogger("kiosk")


def open_ledger(settings: Settings, clock: StationClock, place: ExitStack) -> Ledger:
    """The station's ledger, in the place that is held for it."""
    openings = {
        b.id: Opening(
            gross_g=None if b.scale is None else 0,
            bag=None,
            adjustment=0 if b.scale is None else b.scale.adjustment,
        )
        for b in settings.bins
    }
    with Recounting(settings.screen.host, settings.screen.port) as counting:
        ledger = Ledger.open(
            settings.paths.data,
            station=settings.station.id,
            city=settings.station.city,
            signer=Signer.load(settings.paths.station_key),
            city_key=None if settings.city is None else settings.city.key,
            software=f"kiosk {__version__}",
            openings=openings,
            items={b.id: b.item for b in settings.bins},
            clock=clock.at,
            day_of=clock.day_of,
            place=place,
            counting=counting,
        )
    if ledger.turn_over is not None:
        LOG.warning("a new ledger begins: %s", ledger.turn_over)
    return ledger


class Recorder:
    """Appends for the loop, on its thread; what stays refused is told once."""

    def __init__(
        self, ledger: Ledger, holders: CardHolders, town: Town, start_anew: Callable[[], None]
    ) -> None:
        """``start_anew`` ends the process so that it is started again."""
        self._ledger = ledger
        self._holders = holders
        self._town = town
        self._start_anew = start_anew
        self._refusing: str | None = None

    def append(self, items: Sequence[Item]) -> tuple[int, ...]:
        """The seqs. Raises StorageError."""
        try:
            seqs = self._ledger.append(items)
        except StorageError as error:
            if error.code != self._refusing:  # tried again every second: told once
                LOG.error("nothing can be recorded: %s: %s", error.code, error.what)
            self._refusing = error.code
            if error.code == "damaged":  # the next start salvages what proves itself
                LOG.critical("the ledger is damaged: starting anew")
                self._start_anew()
            raise
        if self._refusing is not None:
            LOG.warning("recording goes on")
            self._refusing = None
        self._holders.committed(of_items(items), self._ledger.ledger_id, seqs[-1])
        self._town.committed(item.draft for item in items)
        return seqs

    def acknowledged(self, verdict: AckVerdict) -> None:
        """The city's word came, on a control connection's thread."""
        if verdict.restart:
            LOG.warning("the city has signed what this ledger does not hold: starting anew")
            self._start_anew()
