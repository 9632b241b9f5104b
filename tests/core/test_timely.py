"""Whether a command comes in time, by clocks that may not be known: a property over every kind of drift."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.events import Moment
from kiosk.core.timely import KnownTime

DAY_MS = 86_400_000
NOON_MS = 20_000 * DAY_MS


def moment(boot_ms: int, utc_ms: int, *, synced: bool) -> Moment:
    return Moment(boot_ms, utc_ms, "synced" if synced else "unsynced", utc_ms // DAY_MS)


def test_a_synchronised_clock_says_it() -> None:
    now = moment(5_000, NOON_MS, synced=True)
    assert KnownTime().before(NOON_MS + 1, now) == "yes"
    assert KnownTime().before(NOON_MS, now) == "no"


def test_a_clock_that_was_never_set_since_the_boot_says_nothing() -> None:
    for claimed_ms in (0, NOON_MS, 2 * NOON_MS):
        now = moment(5_000, claimed_ms, synced=False)
        assert KnownTime().before(NOON_MS, now) == "unsure"


@given(
    passed_ms=st.integers(0, 30 * DAY_MS),
    drift_ppm=st.integers(-500, 500),
    wall_off_ms=st.integers(-(10**12), 10**12),
    margin_ms=st.integers(-40_000_000, 40_000_000),
)
def test_a_clock_known_once_since_the_boot_is_never_wrong(
    passed_ms: int, drift_ppm: int, wall_off_ms: int, margin_ms: int
) -> None:
    """The true time goes on; boottime drifts beside it; the wall clock says anything."""
    known = KnownTime().at(moment(1_000, NOON_MS, synced=True))
    true_ms = NOON_MS + passed_ms
    boot_ms = 1_000 + passed_ms + passed_ms * drift_ppm // 1_000_000
    end_ms = true_ms + margin_ms
    said = known.before(end_ms, moment(boot_ms, true_ms + wall_off_ms, synced=False))
    assert said in (("yes", "unsure") if true_ms < end_ms else ("no", "unsure"))
    if abs(margin_ms) > passed_ms // 900 + 3_000:
        assert said != "unsure", "and no more unsure than it has to be"
