"""TLS as it goes wrong in the field: each trouble is told in words, and goes when its cause goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from city_site import eventually
from counting_proxy import CountingProxy
from link_site import Line, told
from tls_site import IDENTITY, Authority


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path)
    yield made
    made.close()


def test_a_certificate_of_its_own_lets_a_station_in_and_its_end_is_known(line: Line) -> None:
    line.receiver()
    line.uplink(crl_file=line.authority.crl)
    line.station.drop(3)
    line.same_at_both_ends()
    told(line.station, None, "ok")
    eventually(lambda: "certificate_ms" in line.station.links[-1], "the certificate's end is told")


def test_what_is_wrong_with_the_brokers_certificate_is_told_and_goes_with_it(line: Line) -> None:
    """One broker after the other behind the same address, as its administrator tries."""
    revoked = line.authority.issue("localhost")
    line.authority.revoke(revoked)
    (line.folder / "other").mkdir()
    stranger = Authority(line.folder / "other", "stranger")
    wrong = {
        "broker_cert_name": line.authority.issue("broker", host="another.example"),
        "broker_cert_expired": line.authority.issue("localhost", days=(-30, -1)),
        "broker_cert_early": line.authority.issue("localhost", days=(1, 30)),
        "broker_cert_revoked": revoked,
        "tls_refused": stranger.issue("localhost"),
    }
    line.receiver()
    line.station.drop()
    uplink = None
    for code, server in wrong.items():
        line.broker.restart(server=server)
        uplink = uplink or line.uplink(crl_file=line.authority.crl)
        line.hurry(uplink)
        told(line.station, code, "down" if code == "broker_cert_early" else "broken")
        assert line.station.ledger.watermark == 0
    assert uplink is not None
    line.broker.restart(server=line.good_server)
    line.authority.revoke(days=(-30, -1))
    line.hurry(uplink)
    told(line.station, "crl_unfit", "broken")
    line.authority.revoke()
    line.hurry(uplink)
    line.same_at_both_ends()
    told(line.station, None, "ok")


def test_what_is_wrong_with_the_stations_certificate_is_told_and_a_new_one_mends_it(
    line: Line,
) -> None:
    """The file is replaced in place; nobody restarts anything."""
    (line.folder / "other").mkdir()
    revoked = line.authority.issue(IDENTITY)
    line.authority.revoke(revoked)
    line.broker.restart()
    wrong = {
        "cert_expired": line.authority.issue(IDENTITY, days=(-30, -1)),
        "cert_revoked": revoked,
        "cert_refused": Authority(line.folder / "other", "stranger").issue(IDENTITY),
    }
    good = line.client.cert.read_bytes(), line.client.key.read_bytes()
    line.receiver()
    line.station.drop()
    uplink = None
    for code, client in wrong.items():
        line.client.cert.write_bytes(client.cert.read_bytes())
        line.client.key.write_bytes(client.key.read_bytes())
        uplink = uplink or line.uplink()
        line.hurry(uplink)
        told(line.station, code, "broken")
        assert line.station.ledger.watermark == 0
    assert uplink is not None
    line.client.cert.write_bytes(good[0])
    line.client.key.write_bytes(good[1])
    line.hurry(uplink)
    line.same_at_both_ends()
    told(line.station, None, "ok")


def test_a_station_that_shows_no_certificate_is_told_that_one_is_wanted(line: Line) -> None:
    line.uplink(cert_file=None, key_file=None)
    told(line.station, "cert_wanted", "broken")


def test_a_certificate_renewed_in_mid_drain_is_used_and_nothing_is_lost(line: Line) -> None:
    """Half of the pair comes first; then the old one is revoked."""
    uplink = line.uplink()
    line.station.drop(300)
    line.receiver()
    renewed = line.authority.issue(IDENTITY, days=(-1, 700))
    old = line.client
    line.client.cert.write_bytes(renewed.cert.read_bytes())
    line.hurry(uplink)
    told(line.station, "tls_files_new", "partly")
    line.station.drop(300)
    line.client.key.write_bytes(renewed.key.read_bytes())
    line.hurry(uplink)
    eventually(lambda: uplink.has_said("connecting anew"), "the new pair is used")
    line.station.drop(300)
    line.same_at_both_ends()
    told(line.station, None, "ok")
    line.authority.revoke(old)
    line.broker.restart()
    line.hurry(uplink)
    line.station.drop()
    line.same_at_both_ends()


def test_a_metered_line_resumes_its_session_and_saves_most_of_a_handshake(line: Line) -> None:
    """The bytes tell it: no certificate passes a second time."""
    proxy = CountingProxy(line.broker.tls_port)
    try:
        line.receiver()
        uplink = line.uplink(port=proxy.port, metered=True)
        line.station.drop()
        line.same_at_both_ends()
        whole, before = proxy.total(), len(line.station.links)
        proxy.cut()
        # It may be back before anybody looks: among all that was said since, not in the last word.
        eventually(
            lambda: not all(said["online"] for said in line.station.links[before:]),
            "the line is gone",
        )
        line.hurry(uplink)
        line.station.drop()
        line.same_at_both_ends()
        assert proxy.connections == 2
        assert proxy.total() - whole < whole - 1000, "two certificates and their proofs"
    finally:
        proxy.close()
