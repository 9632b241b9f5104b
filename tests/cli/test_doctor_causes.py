"""Whatever code a device, the disk, a card or the way to the city can give: the doctor has words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from cli_site import WELL

from kiosk.cli.sentences import cause, sentences
from kiosk.cli.texts import LANGUAGES, Words
from kiosk.core.events import RefusalReason
from kiosk.doctor import examine
from kiosk.doctor.link import judged
from kiosk.facts import LinkFacts
from kiosk.ledger import errors as ledger_errors
from kiosk.ledger.acks import Reason
from sync import mqtt_tls
from sync.link_codes import PEOPLE, TWIN
from sync.mqtt_reasons import FAILURE, Answered, reason
from sync.uplink_telling import QUIET_REASONS

ROOT = Path(__file__).parents[2]
LINK_FILES = (
    "sync/uplink.py",
    "sync/uplink_telling.py",
    "sync/run_uplink.py",
    "sync/mqtt.py",
    "sync/mqtt_reach.py",
    "kiosk/gathering.py",
)
LINK_MAKERS = {
    *("Report", "LinkDown", "LinkFacts", "Closed", "Taken", "Noted"),
    *("_end", "_lost", "_hold", "note", "held_up"),
}
TLS_CODES = {code for code, _ in (*mqtt_tls._VERIFY.values(), *mqtt_tls._ALERTS.values())}
CITY_MAKERS = {"AckError", "Refused"}
CODE = re.compile(r"[a-z]+(_[a-z]+)*")


def trees(names: Iterable[str]) -> Iterator[ast.Module]:
    for name in names:
        yield ast.parse((ROOT / name).read_text(encoding="utf-8"))


def words_in(nodes: Iterable[ast.AST]) -> set[str]:
    """Every string constant in these that may be a code."""
    return {
        leaf.value
        for node in nodes
        for leaf in ast.walk(node)
        if isinstance(leaf, ast.Constant)
        and isinstance(leaf.value, str)
        and CODE.fullmatch(leaf.value)
    }


def codes_of(names: Iterable[str], makers: set[str]) -> set[str]:
    """Codes handed to ``makers``, put into ``code``, or returned before their words."""
    found: set[str] = set()
    for tree in trees(names):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
                if name in makers:
                    found |= words_in([*node.args, *(one.value for one in node.keywords)])
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "code":
                found |= words_in([node.value])
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                found |= words_in(node.value.elts[:1])
    return found


def link_codes() -> set[str]:
    receiver = [f"sync/receiver/{file.name}" for file in (ROOT / "sync/receiver").glob("*.py")]
    told_by_the_city = codes_of(receiver, CITY_MAKERS) - {"gap"}  # mended without a word
    # A batch of the right size whose content does not hold; a larger one never leaves the station.
    told_by_the_city |= codes_of(["sync/messages/batch.py"], {"Malformed"}) - {"too_large"}
    acks = {f"ack_{reason}" for reason in get_args(Reason) if reason not in QUIET_REASONS}
    found = codes_of(LINK_FILES, LINK_MAKERS) | told_by_the_city | acks | default_code()
    return found | broker_codes() | TLS_CODES | PEOPLE | TWIN


def broker_codes() -> set[str]:
    """Every code that a broker's answer may become."""
    refusals = range(FAILURE, 0x100)
    return {reason(packet, value)[0] for packet in get_args(Answered) for value in refusals}


def default_code() -> set[str]:
    code = LinkFacts().code
    return set() if code is None else {code}


LINK = sorted(link_codes())


def test_the_codes_are_really_found_in_the_source() -> None:
    assert {
        "no_uplink",
        "connecting",
        "broker_silent",
        "broker_unreachable",
        "tls_refused",
        "subscription_refused",
        "not_authorized",
        "station_renamed",
        "city_silent",
        "unknown_key",
        "other_station",
        "genesis",
        "fork",
        "ack_no_city_key",
        "name_slow",
        "state_refused",
        "taken_over",
        "cert_expired",
        *PEOPLE,
    } <= set(LINK)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", LINK)
def test_every_code_of_the_link_is_told_in_words(code: str, language: str) -> None:
    words = Words(language)  # type: ignore[arg-type]
    assert words.get(f"cause.{code}"), code
    for online in (False, True):
        facts = msgspec.structs.replace(WELL, link=LinkFacts(online=online, code=code))
        (finding,) = [one for one in examine(facts) if one.code == "link"]
        what, todo = sentences(words, finding)
        assert finding.level == judged(online, code)[0]
        assert words(f"cause.{code}") in what and todo


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_a_device_the_disk_or_a_card_is_told_in_words(language: str) -> None:
    source = "".join(file.read_text("utf-8") for file in (ROOT / "drivers").glob("*.py"))
    devices = set(re.findall(r'"((?:scale|indicator|camera|nfc|gpio)_[a-z]+)"', source))
    assert {"indicator_garbled", "scale_stuck", "nfc_silent", "gpio_missing"} <= devices
    disk = {ledger_errors.from_os(OSError(number, "")).code for number in range(200)}
    disk |= set(ledger_errors._SQLITE_CODES.values())
    assert {"disk_full", "read_only", "io_error", "damaged"} <= disk
    words = Words(language)  # type: ignore[arg-type]
    for code in devices | disk | set(get_args(RefusalReason)):
        assert cause(words, code) != code, code
    for code in disk:
        assert words.get(f"advice.{code}"), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_has_no_words_that_nothing_can_give(language: str) -> None:
    """Words that nobody can meet would be kept right for nothing."""
    texts = Words(language).all()  # type: ignore[arg-type]
    causes = {key.removeprefix("cause.") for key in texts if key.startswith("cause.")}
    advice = {key.removeprefix("advice.") for key in texts if key.startswith("advice.")}
    assert advice <= causes
    source = "".join(
        file.read_text("utf-8")
        for folder in ("drivers", "sync", "kiosk")
        for file in (ROOT / folder).rglob("*.py")
    )
    for code in causes:
        assert f'"{code}"' in source or f'"{code.removeprefix("ack_")}"' in source, code
