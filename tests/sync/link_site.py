"""A station with its uplink, the city behind a broker with TLS, and what a caretaker is told."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
from city_site import Program, Station, eventually
from ends_site import Ends
from sync_site import CITY, STATION
from tls_site import IDENTITY, Authority, Issued, TlsMosquitto

from kiosk.cli.sentences import sentences
from kiosk.cli.texts import LANGUAGES, Words
from kiosk.doctor import Finding
from kiosk.doctor.link import link
from kiosk.facts import Facts, LinkFacts

FACTS = Facts(
    station=STATION, city=CITY, name="hall", ledger="a1" * 16, software="test", settings="00",
    uptime_ms=1000, head_seq=1, watermark=0, epoch=1, clock="synced", disk_free_bytes=1 << 40,
    screen_port=8080, screen_up=True,
)  # fmt: skip


class Line(Ends[Station]):
    """Over TLS."""

    def __init__(self, folder: Path, extra: str = "", server: Issued | None = None) -> None:
        self.authority = Authority(folder)
        self.client = self.authority.issue(IDENTITY)
        self.good_server = self.authority.issue("localhost")
        broker = TlsMosquitto(folder, self.authority, server or self.good_server, extra)
        super().__init__(folder, broker, Station)
        self.broker: TlsMosquitto = broker
        self.station.know_the_time()

    def uplink(
        self, station: Station | None = None, hosts: Path | None = None, **broker: Any
    ) -> Program:
        """Over TLS with the station's certificate, unless ``broker`` says otherwise."""
        tls = {
            "host": "localhost",
            "port": self.broker.tls_port,
            "ca_file": self.authority.ca,
            "cert_file": self.client.cert,
            "key_file": self.client.key,
        }
        said = {name: value for name, value in (tls | broker).items() if value is not None}
        script = Path(__file__).with_name("link_process.py")
        return self.begun(
            Program(
                self.log(),
                sys.executable,
                script,
                (station or self.station).socket,
                json.dumps(said, default=str),
                *([hosts] if hosts else []),
            )
        )

    def hurry(self, uplink: Program) -> None:
        """``systemctl reload``: not to wait for the next try. systemd does it once the process is ready."""
        eventually(lambda: uplink.has_said("started"), "the uplink is ready")
        uplink.send(signal.SIGUSR1)

    def same_at_both_ends(self) -> None:
        eventually(self.arrived, "the city signed for everything")
        seq, head = self.station.ledger.head
        own = f"FROM entry WHERE ledger = '{self.station.ledger.ledger_id}'"
        assert self.database.rows(f"SELECT count(*), max(seq) {own}") == [(seq, seq)]
        assert self.database.rows(f"SELECT hash {own} ORDER BY seq DESC LIMIT 1") == [(head,)]
        assert self.database.count("parked") == self.database.count("quarantine") == 0

    def close(self) -> None:
        super().close()
        self.broker.kill()


def doctor(station: Station) -> Finding:
    """What ``kiosk doctor link`` finds after the uplink's last word."""
    said = station.links[-1] if station.links else {"online": False, "code": "connecting"}
    found = LinkFacts(online=said["online"], code=said["code"])
    return link(msgspec.structs.replace(FACTS, link=found))


def told(station: Station, code: str | None, case: str) -> None:
    """The doctor comes to say this, in every language in words of its own."""

    def says() -> bool:
        found = doctor(station)
        return (found.cause, found.case) == (code, case)

    eventually(says, f"the doctor says {case} {code}; last {station.links[-3:]}")
    for language in LANGUAGES:
        words = Words(language)
        what, todo = sentences(words, doctor(station))
        assert code is None or (words(f"cause.{code}") in what and todo)
