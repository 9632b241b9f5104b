"""Every finding of the doctor, made once from facts, and spoken in every language."""

from __future__ import annotations

import ast
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cli_site import WELL

from kiosk.cli.sentences import sentences
from kiosk.cli.texts import LANGUAGES, Words
from kiosk.corner import doctor as corner
from kiosk.doctor import CODES, examine, ground, worst
from kiosk.facts import BinFacts, CardFacts, DeviceFacts, Facts, LinkFacts, ListFacts, OrderFacts
from kiosk.settings import IndicatorScale, Settings
from kiosk.settings.shape import Bin, Contact, Station

DAY_MS = 86_400_000


def well(**changed: Any) -> Facts:
    return msgspec.structs.replace(WELL, **changed)


def device(name: str, **more: Any) -> dict[str, Any]:
    return {"devices": (DeviceFacts(**{"name": name, "state": "ok", **more}),)}


def scale(**more: Any) -> dict[str, Any]:
    one = {"bin": "b1", "item": "pet-bottle", "state": "ready", "scale": True, "rate_sps": 10.0}
    return {**device("scale:b1"), "bins": (BinFacts(**{"samples_per_s": 10.0, **one, **more}),)}


def cards(**more: Any) -> CardFacts:
    return CardFacts(**{"taken": 0, "reason": "unknown", "age_ms": 60_000, **more})


def closed(**more: Any) -> dict[str, Any]:
    one = {"name": "closed", "needed": True, "version": 7, "count": 200, "end_days": 90, **more}
    return {"lists": (ListFacts(**one),)}


def ends_in(days: int | None) -> LinkFacts:
    """A line that is well, over a certificate with so many days to go; None: the clock does not know."""
    return LinkFacts(
        online=True, code=None, certificate_ms=1_790_000_000_000, certificate_days=days
    )


def ordered(**more: Any) -> dict[str, Any]:
    return {"orders": OrderFacts(**more)}


CASES = [
    (well(), "OK", ""),
    (well(storage_trouble="disk_full"), "ERR", "ledger.trouble"),
    (well(temperature_mc=45_000), "OK", ""),
    (well(temperature_mc=76_400, warm="still"), "WARN", "heat.still"),
    (well(temperature_mc=91_000, warm="dim"), "WARN", "heat.dim"),
    (well(disk_free_bytes=400 << 20), "WARN", "disk.low"),
    (well(disk_free_bytes=1 << 20), "ERR", "disk.full"),
    (well(**device("scale:b1", state="lost", code="scale_missing")), "ERR", "scale.lost"),
    (well(**device("scale:b1", beat_age_ms=11_000)), "ERR", "scale.hangs"),
    (well(**scale(state="question")), "WARN", "scale.question"),
    (well(**scale(state="overload")), "WARN", "scale.overload"),
    (well(**scale(broken=True, samples_per_s=0.0)), "WARN", "scale.set_aside"),
    (well(**scale(seal="expired")), "WARN", "scale.seal_expired"),
    (well(**scale(seal="undated")), "WARN", "scale.seal_undated"),
    (well(**scale(seal="unsaid")), "WARN", "scale.seal_unsaid"),
    (well(**scale(samples_per_s=0.0)), "ERR", "scale.silent"),
    (well(**scale(samples_per_s=4.0)), "WARN", "scale.slow"),
    (well(**scale(rejected=4000)), "WARN", "scale.noisy"),
    (well(**device("reader:qr", state="lost", code="camera_gone")), "ERR", "reader.lost"),
    (well(**device("reader:nfc", beat_age_ms=60_000)), "ERR", "reader.hangs"),
    (well(**device("reader:qr", hint="dark")), "WARN", "reader.dark"),
    (well(**device("lid:b1", state="lost", code="pin_lost")), "WARN", "lid.lost"),
    (well(**device("lid:b1", beat_age_ms=60_000)), "WARN", "lid.hangs"),
    (well(**device("signals:all", state="lost", code="gpio_missing")), "WARN", "device.lost"),
    (well(**device("lamp:b1", beat_age_ms=60_000)), "WARN", "device.hangs"),
    (well(cards=cards(refused=1, taken=9)), "WARN", "card.refused"),
    (well(cards=cards(refused=3, reason="forged")), "WARN", "card.all"),
    (well(cards=cards(refused=1, age_ms=DAY_MS)), "OK", ""),
    (well(**closed(worth="good")), "OK", ""),
    (well(**closed(worth="good", missing_parts=3)), "OK", ""),
    (well(**closed(worth="old")), "WARN", "lists.old"),
    (well(**closed(worth="ended")), "ERR", "lists.ended"),
    (well(**closed(worth="old", version=None)), "WARN", "lists.missing"),
    (well(**closed(worth="good", refused="digest", refused_age_ms=9)), "WARN", "lists.refused"),
    (well(**closed(worth="good", refused="digest", refused_age_ms=2 * DAY_MS)), "OK", ""),
    (well(**ordered(closed={"ja": "点検中"}, closed_by="city")), "WARN", "orders.closed"),
    (well(**ordered(closed={}, closed_by="caretaker")), "WARN", "orders.closed_here"),
    (well(**ordered(locked=("b1",))), "WARN", "orders.locked"),
    (well(**ordered(refused="bad_signature", refused_age_ms=9)), "WARN", "orders.refused"),
    (
        well(**ordered(answer_refused="bad_signature", answer_refused_age_ms=9)),
        "WARN",
        "orders.answer_refused",
    ),
    (well(**ordered(answer_refused="shape", answer_refused_age_ms=2 * DAY_MS)), "OK", ""),
    (well(**ordered(refused="expired", refused_age_ms=2 * DAY_MS)), "OK", ""),
    (well(screen_up=False), "ERR", "screen.down"),
    (well(uplink_wanted=False, link=LinkFacts()), "OK", ""),
    (well(link=LinkFacts()), "WARN", "link.stopped"),
    (well(link=LinkFacts(code="connection_lost")), "WARN", "link.down"),
    (well(link=LinkFacts(online=True, code="city_silent")), "WARN", "link.silent"),
    (well(link=LinkFacts(online=True, code="ack_no_city_key")), "ERR", "link.refused"),
    (well(link=LinkFacts(online=True, code="never_heard_of")), "ERR", "link.refused"),
    (well(link=LinkFacts(online=True, code="fork")), "ERR", "link.refused"),
    (well(link=LinkFacts(online=True, code="state_refused")), "WARN", "link.partly"),
    (well(link=LinkFacts(online=True, code="taken_over")), "ERR", "link.twin"),
    (well(link=LinkFacts(code="taken_over")), "ERR", "link.twin"),
    (well(link=LinkFacts(code="cert_expired")), "ERR", "link.broken"),
    (well(link=LinkFacts(code="broker_cert_early")), "WARN", "link.down"),
    (well(link=ends_in(31)), "OK", ""),
    (well(link=ends_in(29)), "WARN", "certificate.soon"),
    (well(link=ends_in(-1)), "ERR", "certificate.expired"),
    (well(link=ends_in(None)), "OK", ""),
    (well(clock="unsynced"), "WARN", "clock.unsynced"),
    (well(head_seq=2000), "WARN", "watermark.behind"),
    (well(last_ack_age_ms=2 * DAY_MS), "WARN", "ack.old"),
    (well(last_ack_age_ms=None, uptime_ms=2 * DAY_MS), "WARN", "ack.old"),
    (well(core_dumps=True), "WARN", "core_dumps.on"),
]


@pytest.mark.parametrize(
    ("facts", "level", "case"), CASES, ids=[case or "well" for *_, case in CASES]
)
def test_one_thing_wrong_is_one_finding(facts: Facts, level: str, case: str) -> None:
    findings = list(examine(facts))
    assert worst(findings) == level
    wrong = [f"{one.code}.{one.case}" for one in findings if one.level != "OK"]
    assert wrong == ([case] if case else [])
    assert {one.code for one in findings} <= set(CODES)
    for language, finding in product(LANGUAGES, findings):
        what, todo = sentences(Words(language), finding)
        assert what and (todo or finding.level == "OK")
        assert what.startswith(tuple("0123456789")) or len(what) > 5


def test_an_uplink_that_does_not_run_is_named_and_the_router_is_not() -> None:
    """On a terminal with the command that starts it, in the corner with what to say on the telephone."""
    (found,) = [one for one in examine(well(link=LinkFacts())) if one.code == "link"]
    assert found.cause == "no_uplink"
    (here,) = corner.told([found], {})["findings"]
    for language in LANGUAGES:
        what, todo = sentences(Words(language), found)
        assert "kiosk-uplink" in what and "systemctl start kiosk-uplink" in todo
        assert what == here["what"][language] and "kiosk-uplink" in here["todo"][language]
        assert "systemctl" not in here["todo"][language]
        for router in ("router", "ルーター"):
            assert router not in what + todo + here["todo"][language]


def test_a_full_disk_is_no_worn_out_card() -> None:
    """SQLite tells a file that it cannot make on a full disk as an I/O error."""
    refused = {"storage_trouble": "io_error"}
    causes = [
        one.cause
        for free_bytes in (0, 8 << 30)
        for one in examine(well(**refused, disk_free_bytes=free_bytes))
        if one.code == "ledger"
    ]
    assert causes == ["disk_full", "io_error"]


def test_with_nothing_waiting_an_old_acknowledgement_is_no_trouble() -> None:
    quiet = well(head_seq=118, last_ack_age_ms=9 * DAY_MS)
    assert worst(list(examine(quiet))) == "OK"


def test_every_finding_in_the_source_has_words_and_one_next_step() -> None:
    """Also those of files and keys, which facts cannot make."""
    root = Path(__file__).parents[2] / "kiosk"
    found = set()
    for file in ("doctor/station.py", "doctor/orders.py", "doctor/ground.py", "cli/asking.py"):
        for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                given = {one.arg: one.value for one in node.keywords}
                code, level, case = (given.get(name) for name in ("code", "level", "case"))
                if all(isinstance(one, ast.Constant) for one in (code, level, case)):
                    found.add((code.value, level.value, case.value))  # type: ignore[union-attr]
    assert len(found) > 15
    for language, (code, level, case) in product(LANGUAGES, found):
        words = Words(language)
        assert words.all()[f"doctor.{code}.{case}.what"]
        assert level == "OK" or words.all()[f"doctor.{code}.{case}.todo"]


INDICATOR = {"port": "/dev/ttyUSB0", "max_g": 60_000, "division_g": 20}
SEALED = {**INDICATOR, "seal_number": "A-1", "valid_until": date(2027, 3, 31), "min_g": 400}


@pytest.mark.parametrize(
    ("scale_of", "today", "clock_known", "level", "case"),
    [
        (INDICATOR, date(2027, 3, 1), True, "OK", "none"),
        (SEALED, date(2026, 12, 1), True, "OK", "ok"),
        (SEALED, date(2027, 3, 31), True, "WARN", "soon"),
        (SEALED, date(2027, 4, 1), True, "WARN", "expired"),
        (SEALED, date(2026, 12, 1), False, "WARN", "clock"),
        ({**SEALED, "protocol": "sics"}, date(2026, 12, 1), True, "WARN", "unsaid"),
    ],
)
def test_the_doctor_says_whether_a_seal_certifies(
    scale_of: dict[str, Any], today: date, clock_known: bool, level: str, case: str
) -> None:
    bins = (Bin(id="b1", item="can-alu", scale=IndicatorScale(**scale_of)),)
    contact = Contact(name="A", phone="1")
    station = Station(id="s", city="c", name="S", contact=contact)
    found = list(ground.seals(Settings(station=station, bins=bins), today, clock_known=clock_known))
    assert [(one.level, one.case) for one in found] == [(level, case)]
    for language in LANGUAGES:
        what, todo = sentences(Words(language), found[0])
        assert what and (todo or level == "OK")


def test_a_few_refused_readings_a_day_are_ordinary() -> None:
    """One in a hundred on a board in the field, over a week."""
    week = well(**scale(rejected=60_000), uptime_ms=7 * DAY_MS)
    assert worst(list(examine(week))) == "OK"
