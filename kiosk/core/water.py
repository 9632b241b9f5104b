"""Water as a weight: what a volume of it shows on a scale.

Density after Tanaka et al., "Recommended table for the density of water between 0 C and 40 C based on
recent experimental reports", Metrologia 38 (2001) 301. Tap water is heavier by up to 0.3 kg/m3, far
within what a bottle's volume is known to. Air carries 0.1 % of it, and of a steel weight 0.015 %; a scale
shows the *conventional mass*, as against weights of 8,000 kg/m3 in air of 1.2 kg/m3 (OIML D 28).
"""

from __future__ import annotations

from kiosk.core.adjustment import Reference

COLDEST_C, WARMEST_C = 0.0, 40.0
AIR_KG_M3, STEEL_KG_M3 = 1.2, 8000.0
SPREAD_PER_C = 4e-4
"""No more than this changes the density by a degree, up to 40 C."""
UNSURE_C = 5.0
"""So well a temperature is known that somebody feels or guesses."""


def density_kg_m3(celsius: float) -> float:
    """Of pure air-free water.

    >>> round(density_kg_m3(4.0), 2), round(density_kg_m3(20.0), 2)
    (999.97, 998.21)
    """
    if not COLDEST_C <= celsius <= WARMEST_C:
        raise ValueError(f"water of {celsius} C")
    return 999.974950 * (
        1 - (celsius - 3.983035) ** 2 * (celsius + 301.797) / (522528.9 * (celsius + 69.34881))
    )


def conventional_g(volume_ml: float, celsius: float) -> float:
    """What so much water shows on a scale.

    >>> round(conventional_g(1000.0, 20.0), 1)
    997.2
    """
    density = density_kg_m3(celsius)
    buoyancy = (1 - AIR_KG_M3 / density) / (1 - AIR_KG_M3 / STEEL_KG_M3)
    return volume_ml * density / 1000 * buoyancy


def of_volume(
    volume_ml: float, tolerance_ml: float, celsius: float, bottle_g: float = 0.0
) -> Reference:
    """A reference of water measured by volume, in a bottle of known weight."""
    thermal_ml = volume_ml * SPREAD_PER_C * UNSURE_C
    return Reference(
        mass_g=conventional_g(volume_ml, celsius) + bottle_g,
        tolerance_g=tolerance_ml + thermal_ml,
    )
