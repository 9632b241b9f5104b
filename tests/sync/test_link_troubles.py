"""The line and its broker as they go wrong in the field: each told in words, and healed by itself.

Real station ledger, real uplink process, real mosquitto, real receiver. Where a bound is long, the rules
keep it in virtual time (``test_uplink_rules``).
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from city_site import Listener, Station, eventually
from link_site import Line, doctor, told
from sync_site import CITY, STATION
from tls_site import IDENTITY

from kiosk.cli.sentences import sentences
from kiosk.cli.texts import Words
from sync.link_codes import TWIN

OWN = f"kiosk/v1/{CITY}/{STATION}/"
ALL = "topic readwrite kiosk/#\n"
"""What a client without a certificate may: the receiver and the stories' own eyes."""
MAY = [f"topic {way} {OWN}#\n" for way in ("write", "read")]


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[list[Line]]:
    made: list[Line] = []
    yield made
    for each in made:
        each.close()


@pytest.fixture
def line(tmp_path: Path, lines: list[Line]) -> Line:
    lines.append(Line(tmp_path))
    return lines[0]


def plain(line: Line) -> dict[str, object]:
    """No TLS, where a story is about something else."""
    return {"port": line.broker.port, "ca_file": None, "cert_file": None, "key_file": None}


def may(folder: Path, *lines: str) -> str:
    """The broker's list of rights, and the setting that names it."""
    (folder / "acl").write_text(f"{ALL}user {IDENTITY}\n{''.join(lines)}", encoding="utf-8")
    return f"acl_file {folder / 'acl'}"


def test_two_stations_with_one_id_throw_each_other_off_and_are_told(line: Line) -> None:
    """A copied setting: another ledger under the same name. Neither loses anything. Not every broker says
    why it ended a connection; then the third time tells."""
    line.receiver()
    first = line.uplink()
    line.station.drop(3)
    line.same_at_both_ends()
    (line.folder / "twin").mkdir()
    twin = Station(line.folder / "twin", line.station.city_key)
    try:
        second = line.uplink(twin)
        for uplink, thrown in itertools.cycle(((first, line.station), (second, twin))):
            eventually(lambda thrown=thrown: bool(thrown.links), "connected once")
            if all(doctor(each).cause in TWIN for each in (line.station, twin)):
                break
            line.hurry(uplink)
            time.sleep(0.2)
        line.station.drop(3)
        second.kill()
        line.hurry(first)
        eventually(line.arrived, "the rightful one goes on")
        # Until the connection has lasted longer than a twin waits, nobody knows that it is gone.
        assert doctor(line.station).cause in TWIN
        what, todo = sentences(Words("ja"), doctor(line.station))
        assert "同じ名前の別のステーション" in what and "同じステーション" in todo
    finally:
        twin.stop()
    line.same_at_both_ends()
    assert line.station.links[-1]["online"]


def test_a_denied_ledger_is_told_and_goes_once_the_right_is_given(
    tmp_path: Path, lines: list[Line]
) -> None:
    deny = f"topic deny {OWN}ledger\n"
    line = Line(tmp_path, may(tmp_path, *MAY, deny))
    lines.append(line)
    line.receiver()
    line.uplink()
    line.station.drop(3)
    told(line.station, "not_authorized", "refused")
    assert line.station.ledger.watermark == 0
    may(tmp_path, *MAY)
    line.broker.reload()
    line.same_at_both_ends()
    told(line.station, None, "ok")


def test_a_denied_birth_is_told_and_the_entries_go_all_the_same(
    tmp_path: Path, lines: list[Line]
) -> None:
    deny = f"topic deny {OWN}state\n"
    line = Line(tmp_path, may(tmp_path, *MAY, deny))
    lines.append(line)
    line.receiver()
    line.uplink()
    line.station.drop(3)
    line.same_at_both_ends()
    told(line.station, "state_refused", "partly")
    may(tmp_path, *MAY)
    line.broker.reload()
    line.station.stop()  # the next birth, as a restart of the station makes one
    line.station.start()
    told(line.station, None, "ok")


def test_a_broker_that_does_not_deliver_the_citys_word_is_told(
    tmp_path: Path, lines: list[Line]
) -> None:
    """mosquitto's own plugin refuses the subscription to a station that nobody listed."""
    (plugin,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    rights = tmp_path / "rights.json"
    access = dict.fromkeys(("publishClientSend", "publishClientReceive", "unsubscribe"), True)
    rights.write_text(json.dumps({"defaultACLAccess": access | {"subscribe": False}}), "utf-8")
    extra = f"plugin {plugin}\nplugin_opt_config_file {rights}"
    line = Line(tmp_path, extra)
    lines.append(line)
    uplink = line.uplink()
    told(line.station, "subscription_refused", "broken")
    line.broker.restart(extra="")
    line.receiver()
    line.hurry(uplink)
    line.same_at_both_ends()
    told(line.station, None, "ok")


def test_poison_on_the_stations_own_topics_is_told_and_passed_over(line: Line) -> None:
    """Retained, so that it comes again with every connection: bytes that are no text, a flood, another
    type, an old form. The uplink stays connected, and the city's next word makes it good."""
    listener = Listener(line.broker.port)
    try:
        for topic in ("ack", "closed/full", "closed/delta", "command"):
            listener.publish(OWN + topic, b"\xff\xfe\x00", retain=True)
        line.uplink()
        told(line.station, "ack_bad_signature", "refused")
        poison = (
            (b"\xc3\x28", None),
            (b"[" * 100_000, "application/json"),
            (b"{}", "image/png"),
            (b"not zlib", "application/json+zlib"),
            (b'{"ledger":"x"}', "application/json"),
        )
        for payload, kind in poison:
            for topic in ("ack", "closed/full", "allowed/full/1", "points", "command"):
                listener.publish(OWN + topic, payload, retain=True, content_type=kind)
        line.station.drop(3)
        line.receiver()
        line.same_at_both_ends()
        told(line.station, None, "ok")
        assert len(listener.on("state")) == 1, "connected once, and never again"
    finally:
        listener.close()


def test_somebody_takes_a_bad_retained_word_away_and_nothing_is_told_any_more(line: Line) -> None:
    listener = Listener(line.broker.port)
    try:
        listener.publish(OWN + "ack", b"\xff", retain=True)
        line.uplink()
        told(line.station, "ack_bad_signature", "refused")
        listener.publish(OWN + "ack", b"", retain=True)
        told(line.station, None, "ok")
    finally:
        listener.close()


@pytest.mark.parametrize("bound", ["message_size_limit 3000", "max_packet_size 3000"])
def test_a_broker_that_takes_small_packets_gets_small_batches(
    tmp_path: Path, lines: list[Line], bound: str
) -> None:
    """One that says so at the connection, and one that only says so afterwards (PUBACK 0x95)."""
    line = Line(tmp_path, bound)
    lines.append(line)
    for _ in range(20):
        line.station.check_in()  # salts and pseudonyms are what does not compress
        line.station.drop(10)
    line.receiver()
    line.uplink()
    line.same_at_both_ends()
    told(line.station, None, "ok")


def test_a_broker_that_takes_not_even_one_entry_is_told_and_mended(
    tmp_path: Path, lines: list[Line]
) -> None:
    line = Line(tmp_path, "message_size_limit 300")
    lines.append(line)
    line.receiver()
    uplink = line.uplink()
    told(line.station, "packet_too_large", "refused")
    line.broker.restart(extra="")
    line.hurry(uplink)
    line.same_at_both_ends()
    told(line.station, None, "ok")


def test_a_broker_that_takes_one_message_at_a_time_gets_one_at_a_time(
    tmp_path: Path, lines: list[Line]
) -> None:
    """mosquitto ends a connection that sends more than it offered (0x93); births count too."""
    line = Line(tmp_path, "max_inflight_messages 1")
    lines.append(line)
    for _ in range(3):
        line.station.drop(1000)
    line.receiver()
    line.uplink()
    eventually(lambda: line.station.ledger.watermark > 1000, "on its way")
    line.station.stop()
    line.station.start()
    line.same_at_both_ends()
    codes = {each["code"] for each in line.station.links}
    assert codes <= {None}, codes


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ("retain_available false", "no_retain"),
        ("max_qos 0", "no_qos1"),
    ],
)
def test_a_broker_that_cannot_serve_says_so_and_is_told(
    tmp_path: Path, lines: list[Line], extra: str, code: str
) -> None:
    line = Line(tmp_path)
    lines.append(line)
    line.broker.restart(extra=extra)
    uplink = line.uplink(**plain(line))
    told(line.station, code, "broken")
    line.broker.restart(extra="")
    line.receiver()
    line.hurry(uplink)
    line.same_at_both_ends()


def test_a_wrong_password_is_told_until_the_right_one_lies_there(
    tmp_path: Path, lines: list[Line]
) -> None:
    line = Line(tmp_path)
    lines.append(line)
    # mosquitto takes a file without hashes as it stands only through its own tool: nobody is in this one.
    (tmp_path / "passwords").write_text("", encoding="utf-8")
    refusing = f"allow_anonymous false\npassword_file {tmp_path / 'passwords'}"
    line.broker.restart(extra=refusing)
    secret = tmp_path / "password"
    secret.write_text("old\n", encoding="utf-8")
    uplink = line.uplink(**plain(line), username="hall", password_file=secret)
    told(line.station, "login_refused", "broken")
    secret.unlink()
    line.hurry(uplink)
    told(line.station, "password_file_unreadable", "broken")
    secret.write_text("new\n", encoding="utf-8")
    line.broker.restart(extra="")
    line.receiver()
    line.hurry(uplink)
    line.same_at_both_ends()


def test_dns_gone_is_told_and_the_station_comes_back_with_it(line: Line) -> None:
    hosts = line.folder / "hosts"
    hosts.write_text("", encoding="utf-8")
    line.receiver()
    line.uplink(hosts=hosts, **plain(line) | {"host": "broker.example"})
    told(line.station, "name_unknown", "down")
    line.station.drop(3)
    hosts.write_text("broker.example 127.0.0.1\n", encoding="utf-8")
    line.same_at_both_ends()
    told(line.station, None, "ok")


def test_a_dead_broker_is_told_and_the_station_comes_back_with_it(line: Line) -> None:
    line.broker.kill()
    line.uplink()
    told(line.station, "broker_unreachable", "down")
    line.broker.start()
    line.receiver()
    line.station.drop(3)
    line.same_at_both_ends()
    told(line.station, None, "ok")
    names = {code for code in (each["code"] for each in line.station.links) if code}
    assert names <= {"broker_unreachable", "city_silent"}, names
