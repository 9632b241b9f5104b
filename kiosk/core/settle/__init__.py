"""From samples to plateaus: when is a weight a weight?

Invariant: a plateau is told only in stable equilibrium (OIML R 76-1:2006, 4.4.2), and once; while it
holds, its level follows drift and creep but never a load.

``counts`` is the settler of raw ADC values and the place to begin; ``ringing`` the estimate that makes it
fast, ``floor`` and ``linear`` what that stands on; ``lens`` the plain test for platforms that ring in ways
which nobody foresaw; ``spikes`` and ``cadence`` what a sample passes first; ``held`` a plateau's level;
``indicator`` the settler of instruments that say themselves what is stable.
"""

from kiosk.core.settle.counts import CountsSettler
from kiosk.core.settle.indicator import IndicatorSettler
from kiosk.core.settle.signs import Motion, Plateau, Sign

__all__ = ["CountsSettler", "IndicatorSettler", "Motion", "Plateau", "Sign"]
