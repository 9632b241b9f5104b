"""Gravity where a scale was adjusted, and where it stands.

A load cell feels a force, so its counts for a gram go with the local g: about 0.5 % more at the poles
than at the equator, 0.14 % from Okinawa to Hokkaido (29 g on 20 kg). A scale adjusted where it stands
needs none of this; one adjusted in a workshop and carried away does.

Normal gravity by latitude: Somigliana's formula with the constants of GRS 80 (Moritz, Journal of Geodesy 74
(2000) 128); with height it falls by 3.086e-6 m/s2 a metre. True gravity differs from it by up to
0.002 m/s2 (0.02 %) in Japan.
"""

from __future__ import annotations

import math

EQUATOR_M_S2 = 9.7803267715
K = 0.001931851353
E2 = 0.00669438002290
FALL_A_METRE = 3.086e-6


def normal_m_s2(latitude_deg: float, height_m: float = 0.0) -> float:
    """Gravity at a latitude and a height above the sea.

    >>> [round(normal_m_s2(latitude), 4) for latitude in (0, 35.7, 43.1, 90)]
    [9.7803, 9.7979, 9.8045, 9.8322]
    """
    if not -90 <= latitude_deg <= 90:
        raise ValueError(f"latitude {latitude_deg}")
    square = math.sin(math.radians(latitude_deg)) ** 2
    at_sea = EQUATOR_M_S2 * (1 + K * square) / math.sqrt(1 - E2 * square)
    return at_sea - FALL_A_METRE * height_m


def moved(counts_per_gram: float, adjusted_m_s2: float, here_m_s2: float) -> float:
    """The slope here, of a scale that was adjusted elsewhere."""
    return counts_per_gram * here_m_s2 / adjusted_m_s2
