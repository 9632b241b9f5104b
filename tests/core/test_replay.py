"""Traces through the station's own code: plateaus once each, changes as a station would record."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from kiosk.core.config import ScaleRules
from kiosk.core.errors import OperatorError
from kiosk.core.settle import CountsSettler, Plateau
from kiosk.replay import replay

RULES = ScaleRules(60_000, 20, 20, 10.0, counts_per_gram=43.0, zero_counts=84_000)


def trace(steps: list[tuple[int, float]], *, seed: int = 1, rate: int = 10) -> Iterator[str]:
    """``steps`` of (milliseconds, grams), a hand moving for half a second at each."""
    rng, t_ms, before = random.Random(seed), 0, steps[0][1]
    yield "t_ms,note,counts\n"
    yield "# a comment\n"
    for ms, grams in steps:
        for i in range(ms * rate // 1000):
            age_ms = i * 1000 // rate
            ramp = min(1.0, age_ms / 400)
            hand = rng.gauss(0, 200) if age_ms < 500 and grams != before else 0.0
            load = before + (grams - before) * ramp + hand
            t_ms += 1000 // rate
            yield f"{t_ms},x,{round(84_000 + load * 43 + rng.gauss(0, 25))}\n"
        before = grams


def kinds(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] == kind]


def test_each_plateau_is_told_once_and_each_change_is_weighed() -> None:
    lines = list(replay(trace([(4000, 0), (5000, 500), (5000, 5_000), (5000, 4_800)]), RULES))
    assert [round(p["gross_g"], -1) for p in kinds(lines, "stable")] == [0, 500, 5_000, 4_800]
    assert [round(w["net_g"], -1) for w in kinds(lines, "weighing")] == [500, 4_500, -200]
    assert lines[-1]["plateaus"] == 4 and lines[-1]["samples"] == 190


def test_a_trace_cut_at_a_plateau_gives_the_same_line() -> None:
    rows = list(trace([(4000, 0), (5000, 700)]))
    whole = kinds(list(replay(rows, RULES)), "stable")
    for plateau in whole:
        cut = [r for r in rows if not r[0].isdigit() or int(r.split(",")[0]) <= plateau["t_ms"]]
        assert kinds(list(replay(cut, RULES)), "stable")[-1] == plateau


def test_small_drops_are_carried_to_the_next() -> None:
    steps = [(4000, 0.0)] + [(4000, 30_000 + 12.0 * i) for i in range(6)]
    nets = [w["net_g"] for w in kinds(list(replay(trace(steps), RULES)), "weighing")]
    assert abs(sum(nets) - 30_060) < 20 and all(abs(n) >= 19.5 for n in nets)


def test_slow_drift_belongs_to_no_change() -> None:
    drift = [(1000, 1_000 + 0.1 * i) for i in range(300)]
    rows = list(trace([(4000, 1_000.0), *[(s, round(g, 1)) for s, g in drift], (5000, 1_530.0)]))
    # Hands are on the bin only at the last step: the drifting steps are too small to see.
    nets = [w["net_g"] for w in kinds(list(replay(rows, RULES)), "weighing")]
    assert len(nets) <= 1 or abs(nets[-1] - 500) < 20


def test_spikes_in_pairs_are_rejected_and_counted() -> None:
    rows = list(trace([(6000, 2_000)]))
    for at in (20, 21, 45, 46):
        t, note, _ = rows[at].split(",")
        rows[at] = f"{t},{note},{1 << 22}\n"
    lines = list(replay(rows, RULES))
    assert lines[-1]["rejected"] == {"spike": 4}
    assert len(kinds(lines, "stable")) == 1


def test_a_weight_that_never_settles_records_nothing() -> None:
    rng = random.Random(3)
    rows = [
        "t_ms,counts\n",
        *(f"{i * 100},{84_000 + int(rng.gauss(0, 9e3))}\n" for i in range(300)),
    ]
    assert [line["kind"] for line in replay(rows, RULES)] == ["summary"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("5,7\n5,8\n", "Line 3 of the trace: t_ms 5 does not rise"),
        ("5,seven\n", "Line 2 of the trace: counts must be a whole number"),
        ("5\n", "Line 2 of the trace: the row is too short"),
    ],
)
def test_a_bad_row_is_named(row: str, what: str) -> None:
    with pytest.raises(OperatorError, match=what):
        list(replay(["t_ms,counts\n", *row.splitlines(keepends=True)], RULES))


def test_a_trace_without_its_columns_is_refused() -> None:
    with pytest.raises(OperatorError, match="must name the columns"):
        list(replay(["time,value\n"], RULES))


def test_after_lost_samples_the_old_level_goes_on_and_a_later_drop_begins_later() -> None:
    rows = list(trace([(5000, 2_000), (5000, 2_600)]))
    del rows[35:50]  # a second and a half lost, just before the drop
    settler = CountsSettler(RULES)
    plateaus = []
    for row in rows[2:]:
        t_ms, _, counts = row.split(",")
        plateaus += [s for s in settler.feed(int(t_ms), int(counts)) if isinstance(s, Plateau)]
    first, second = plateaus
    assert round(second.gross_g, -1) == 2_600
    assert second.began_ms >= 5_000, "the drop's first movement, not the gap's beginning"
    assert second.left_g == pytest.approx(first.gross_g, abs=3)


@pytest.mark.parametrize("rate", [10, 80])
@pytest.mark.parametrize("seed", range(3))
def test_twenty_grams_ten_times_on_thirty_kilograms_are_two_hundred(rate: int, seed: int) -> None:
    rules = ScaleRules(60_000, 20, 20, float(rate), counts_per_gram=43.0, zero_counts=84_000)
    steps = [(4_000, 30_000.0 + 20 * i) for i in range(11)]
    nets = [
        w["net_g"]
        for w in kinds(list(replay(trace(steps, seed=seed, rate=rate), rules)), "weighing")
    ]
    assert len(nets) == 10
    assert sum(nets) == pytest.approx(200.0, abs=4.0)


@pytest.mark.parametrize(
    ("max_g", "d", "counts_per_gram", "rate"),
    [(6_000, 2, 430.0, 10), (150_000, 50, 17.0, 80), (60_000, 20, -43.0, 80), (60_000, 20, 43.0, 5),
     (30_000, 10, 80.0, 100), (60_000, 20, 43.0, 40)],
)  # fmt: skip
def test_other_scales_other_rates(max_g: int, d: int, counts_per_gram: float, rate: int) -> None:
    rules = ScaleRules(
        max_g, d, d, float(rate), counts_per_gram=counts_per_gram, zero_counts=84_000
    )
    rows = []
    for row in trace([(5_000, 0), (5_000, 100.0 * d), (5_000, 40.0 * d)], seed=4, rate=rate):
        if row[0].isdigit():
            t_ms, note, counts = row.split(",")
            row = f"{t_ms},{note},{round(84_000 + (int(counts) - 84_000) * counts_per_gram / 43)}\n"
        rows.append(row)
    lines = list(replay(rows, rules))
    assert [w["net_g"] / d for w in kinds(lines, "weighing")] == pytest.approx([100, -60], abs=1)


def test_wherever_a_trace_is_cut_the_lines_before_are_the_same() -> None:
    rng = random.Random(5)
    steps = [(rng.randrange(1_500, 6_000), rng.uniform(0.0, 20_000.0)) for _ in range(6)]
    rows = list(trace(steps, seed=5, rate=80))
    whole = list(replay(rows, RULES_FAST))[:-1]
    assert len(whole) >= 6
    for cut in rng.sample(range(3, len(rows)), 12):
        until_ms = int(rows[cut - 1].split(",")[0])
        expected = [line for line in whole if line["t_ms"] <= until_ms]
        assert list(replay(rows[:cut], RULES_FAST))[:-1] == expected


def test_jitter_lost_samples_and_wrong_values_change_no_weight() -> None:
    rng = random.Random(6)
    rows, last_ms = ["t_ms,counts\n"], -1
    for row in trace([(4_000, 1_000), (6_000, 3_000), (6_000, 2_000)], seed=6, rate=80):
        if not row[0].isdigit() or rng.random() < 0.05:
            continue
        t_ms, _, counts = row.split(",")
        last_ms = max(last_ms + 1, int(t_ms) + rng.randrange(-4, 5))
        wrong = rng.choice([(1 << 22) - 1, (1 << 23) - 1]) if rng.random() < 0.02 else None
        rows.append(f"{last_ms},{counts.strip() if wrong is None else wrong}\n")
    lines = list(replay(rows, RULES_FAST))
    assert [w["net_g"] for w in kinds(lines, "weighing")] == pytest.approx([2_000, -1_000], abs=5)
    assert set(lines[-1]["rejected"]) == {"saturated", "spike"}


RULES_FAST = ScaleRules(60_000, 20, 20, 80.0, counts_per_gram=43.0, zero_counts=84_000)
