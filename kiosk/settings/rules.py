"""Settings and catalogue to what the rules read, every default resolved."""

from __future__ import annotations

from kiosk.core.catalogue import Catalogue
from kiosk.core.config import BinRules, ScaleRules, StationRules, Tariff
from kiosk.core.days import day_number
from kiosk.core.earned import Limits
from kiosk.core.heat_rules import HeatRules
from kiosk.core.quiet_hours import QuietHours
from kiosk.settings.hall import Sound
from kiosk.settings.scales import SAYS_GROSS, AnyScale, CountsScale, IndicatorScale
from kiosk.settings.shape import Bin, Points, Settings


def rules(settings: Settings, catalogue: Catalogue) -> StationRules:
    """The whole station's rules."""
    return StationRules(
        bins=tuple(
            bin_rules(one, catalogue, learns_warmth=learns_warmth(settings))
            for one in settings.bins
        ),
        readers=tuple(f"reader:{one.id}" for one in settings.readers),
        crowd=settings.station.crowd,
        tariff=tariff(settings.points),
        limits=Limits(settings.cards.visits_per_day, settings.cards.points_per_day),
        catalogue=catalogue.version,
        link_days=settings.points.effective_link_days,
        self_issue=settings.cards.self_issue,
        balance=settings.points.balance,
        visit_idle_ms=settings.station.visit_idle_s * 1000,
        quiet=quiet_hours(settings.sound),
        heat=HeatRules(
            1_000 * settings.heat.still_c, 1_000 * settings.heat.dim_c, 1_000 * settings.heat.back_c
        ),
    )


def quiet_hours(sound: Sound) -> QuietHours | None:
    """None where there are none."""
    if sound.quiet_from is None or sound.quiet_to is None:
        return None
    return QuietHours(_minute(sound.quiet_from), _minute(sound.quiet_to))


def _minute(time: str) -> int:
    hours, _, minutes = time.partition(":")
    return 60 * int(hours) + int(minutes)


def learns_warmth(settings: Settings) -> bool:
    return settings.thermometer is not None and settings.thermometer.learn


def bin_rules(one: Bin, catalogue: Catalogue, *, learns_warmth: bool = False) -> BinRules:
    """One bin's; what the bin leaves open comes from its item."""
    limit_g = one.bag_limit_g
    return BinRules(
        bin=one.id,
        item=one.item,
        scale=(None if one.scale is None else scale_rules(one.scale, learns_warmth=learns_warmth)),
        bag_limit_g=catalogue.items[one.item].bag_limit_g if limit_g is None else limit_g,
        near_empty_g=one.effective_near_empty_g,
        bag_min_g=one.effective_bag_min_g,
        full_hold_ms=None if one.full_pin is None else 1_000 * one.full_hold_s,
    )


def scale_rules(scale: AnyScale, *, learns_warmth: bool = False) -> ScaleRules:
    """One scale's. Certified needs seal, date and Min (``checks`` asks for all or none), and
    telegrams that tell gross from net."""
    if isinstance(scale, CountsScale):
        return ScaleRules(
            max_g=scale.max_g,
            division_g=scale.division_g,
            min_increment_g=scale.effective_min_increment_g,
            rate_sps=float(scale.rate_sps),
            counts_per_gram=scale.counts_per_gram,
            zero_counts=scale.zero_counts,
            adjustment=scale.adjustment,
            learns_warmth=learns_warmth,
        )
    until = scale.valid_until if scale.protocol in SAYS_GROSS else None
    return ScaleRules(
        max_g=scale.max_g,
        division_g=scale.division_g,
        min_increment_g=scale.effective_min_increment_g,
        rate_sps=scale.rate_sps if streams(scale) else 1000 / scale.poll_ms,
        zeroes_itself=scale.zeroes_itself,
        certified_until_day=None if until is None else day_number(until),
        certified_min_g=scale.min_g or 0,
        adjustment=scale.adjustment,
    )


def streams(scale: IndicatorScale) -> bool:
    """Whether it sends by itself; on Modbus nobody does."""
    return scale.stream and scale.protocol != "modbus"


def tariff(points: Points) -> Tariff:
    """The points' rules; what the mode does not use is left out."""
    return Tariff(
        number=points.tariff,
        mode=points.mode,
        per_visit=points.per_visit if points.mode == "visit" else 0,
        per_kg=dict(points.per_kg) if points.mode == "kg" else {},
        per_item=dict(points.per_item) if points.mode == "item" else {},
    )
