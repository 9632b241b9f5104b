"""Other rules come into force while the station runs: a catalogue, a tariff (``kiosk.town``).

Invariant: a visit counts by the tariff with which it began, also where it goes on after a pause, so its
points are ``tariff(visit so far) - tariff(visit before it)`` under one tariff. Scales, bins and readers are
the settings' and never change here.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.events import TownSaid
from kiosk.core.state import State


def done(state: State, said: TownSaid) -> None:
    """It is written: from now on visits begin under these rules."""
    rules = said.rules
    if rules is None:
        return
    state.rules = rules
    state.residents.limits = rules.limits_a_day
    for one in rules.bins:
        bin_ = state.bins[one.bin]
        # The line of its scale may have been adjusted since the settings were read.
        bin_.rules = replace(bin_.rules, bag_limit_g=one.bag_limit_g)
