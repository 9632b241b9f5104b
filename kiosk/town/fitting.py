"""Whether a station can live with the city's catalogue and tariff, by the checks of its own settings.

A catalogue is refused as a whole where it lacks an item of one of the bins: no bin goes without a name. A
tariff names every item of the city, and a station has some: rates for items that its catalogue lacks, or
for which it forbids points, are left out. What a station cannot do at all (points by weight where
nobody knows whose drop it was) is refused.
"""

from __future__ import annotations

import msgspec

from kiosk.core.catalogue import Catalogue, TariffTable
from kiosk.settings import Settings
from kiosk.settings.bin_checks import check_bin
from kiosk.settings.checks import check_turns
from kiosk.settings.shape import Points
from kiosk.tomlfile import FileProblem


def catalogue_misfit(settings: Settings, catalogue: Catalogue) -> str | None:
    """What does not fit, None where all does: ``item_unknown bin[0].item``."""
    try:
        for number, one in enumerate(settings.bins):
            check_bin(one, f"bin[{number}]", catalogue, settings.paths.catalogue)
    except FileProblem as problem:
        return f"{problem.code} {problem.place}"
    return None


def tariff_misfit(settings: Settings, tariff: TariffTable) -> str | None:
    """As above, of a tariff: ``points_need_turns points.mode``."""
    points = msgspec.structs.replace(settings.points, mode=tariff.mode)
    try:
        check_turns(msgspec.structs.replace(settings, points=points), settings.paths.catalogue)
    except FileProblem as problem:
        return f"{problem.code} {problem.place}"
    return None


def points_of(settings: Settings, tariff: TariffTable, catalogue: Catalogue) -> Points:
    """The settings' points by the city's tariff; how long links are kept stays the settings'."""

    def known(rates: dict[str, int]) -> dict[str, int]:
        return {
            code: points
            for code, points in rates.items()
            if (item := catalogue.items.get(code)) is not None
            and not (item.legal and item.legal.points == "no")
        }

    return msgspec.structs.replace(
        settings.points,
        mode=tariff.mode,
        per_visit=tariff.per_visit,
        tariff=tariff.version,
        per_kg=known(tariff.per_kg),
        per_item=known(tariff.per_item),
    )
