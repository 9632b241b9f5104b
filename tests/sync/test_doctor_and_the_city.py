"""What goes wrong between a whole station and its city, as ``kiosk doctor`` tells it, and how it heals:
nobody restarts the station or hurries it.

Six troubles, each made for real: two stations with one id, poison, a broker that acknowledges nothing, a
denied topic, DNS gone, a certificate expired. The bounds are those of docs/link.md. ``KIOSK_SEARCH_SIZE``
from 2 on waits also for what takes long: the ten minutes after which a twin counts as gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hall_site import Hall, Office, Town, until
from sync_site import CITY

LONG = int(os.environ.get("KIOSK_SEARCH_SIZE", "1")) > 1
LINE_S = 20.0
"""Until a trouble of the line is told, and between two tries of a line that fails."""
REFUSED_S = 20.0
"""Until the second try after a refusal that somebody has to mend; later ones are up to 5 min apart."""
HELD_S = 4.0
"""Until what the broker refused to take is sent once more, the first time."""
AT_ONCE_S = 1.0
TWIN_TOLD_S, TWIN_GONE_S = 120.0, 600.0


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def test_six_troubles_are_each_told_by_the_doctor_and_heal_by_themselves(town: Town) -> None:
    """Two brokers, that one trouble's twenty seconds pass while the others come and go."""
    office, other = town.office(), town.office()
    hall = town.hall("hall-1", office)
    silent = town.hall("hall-2", other)
    twin = town.hall("hall-1", office, copy_of=hall)
    for each in (silent, hall):
        each.start_uplink()
    for each in (silent, hall):
        each.connected(within_s=LINE_S)
    other.hang(hung=True)
    silent.touch()
    dns_gone(town, office, hall)
    poison(town, office, hall)
    topic_denied(town, office, hall)
    certificate_expired(town, office, hall)
    two_with_one_id(town, hall, twin)
    silent.told("broker_silent", level="WARN", within_s=LINE_S)
    other.hang(hung=False)
    town.arrived(silent, within_s=LINE_S)
    silent.well(within_s=AT_ONCE_S)
    if LONG:
        hall.well(within_s=TWIN_GONE_S)
    assert town.holds()


def dns_gone(town: Town, office: Office, hall: Hall) -> None:
    hall.hosts(known=False)
    office.broker.restart()
    hall.touch()
    hall.told("name_unknown", level="WARN", within_s=LINE_S)
    hall.hosts(known=True)
    town.arrived(hall, within_s=LINE_S)
    hall.well(within_s=AT_ONCE_S)


def poison(town: Town, office: Office, hall: Hall) -> None:
    """Retained, where the city's word stands; the next good word takes its place."""
    office.say(f"kiosk/v1/{CITY}/{hall.name}/ack", b"\xff\xfe\x00")
    hall.told("ack_bad_signature", level="ERR", within_s=AT_ONCE_S)
    hall.touch()
    town.arrived(hall, within_s=AT_ONCE_S)
    hall.well(within_s=AT_ONCE_S)


def certificate_expired(town: Town, office: Office, hall: Hall) -> None:
    """The files are replaced in place."""
    hall.certificate((-30, -1))
    office.broker.restart()
    hall.touch()
    hall.told("cert_expired", level="ERR", within_s=LINE_S)
    hall.certificate((-1, 365))
    town.arrived(hall, within_s=REFUSED_S)
    hall.well(within_s=AT_ONCE_S)


def topic_denied(town: Town, office: Office, hall: Hall) -> None:
    office.allow(ledgers=False)
    hall.touch()
    hall.told("not_authorized", level="ERR", within_s=LINE_S)
    office.allow(ledgers=True)
    town.arrived(hall, within_s=2 * HELD_S)
    hall.well(within_s=AT_ONCE_S)


def two_with_one_id(town: Town, hall: Hall, twin: Hall) -> None:
    """A copied card: the same keys, a ledger of its own. Neither loses anything; that they were two is
    told on until the one that is left has been connected for ten minutes."""
    twin.touch()
    twin.start_uplink()
    said = ("cut_short", "taken_over")  # as the broker says why it ends a connection, or not
    both = (hall, twin)
    until(lambda: any(each.has_said(*said) for each in both), TWIN_TOLD_S, lambda: "no twin told")
    for each in both:
        if LONG or each.has_said(*said):
            each.told(*said, within_s=TWIN_TOLD_S)
    town.arrived(hall, twin, within_s=REFUSED_S)
    assert twin.uplink is not None
    twin.uplink.kill()
    hall.touch()
    town.arrived(hall, twin, within_s=2 * REFUSED_S)
