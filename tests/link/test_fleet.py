"""Many stations in one process, their broker killed: everybody returns, evenly, and nothing is lost.

``KIOSK_SEARCH_SIZE`` multiplies the stations. Their clocks run ten times as fast as ours, so that the
period in which they return takes two seconds.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from hw_sim.demo_site import DemoError
from hw_sim.fleet import mqtt5
from hw_sim.fleet.rates import comeback, percentile
from hw_sim.fleet.run import Wish, run
from hw_sim.fleet.site import Given

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
STATIONS = 30 * SIZE


def test_a_fleet_survives_its_brokers_death_and_loses_nothing() -> None:
    summary = run(
        Wish(
            STATIONS,
            seconds=10.0,
            outage_s=8.0,
            queued_visits=2,
            speed=10.0,
            seed=SIZE,
            given=Given(sqlite=True),
        )
    )
    assert summary.wrong == []
    back = summary.comeback
    assert back is not None
    assert back.connections == STATIONS
    assert summary.tries > 2 * STATIONS, "while the broker was away they tried"
    assert summary.entries >= STATIONS * 9


def test_a_fleet_with_a_good_line_stays_on_it() -> None:
    """Longer than the rules wait for a PUBACK, of a birth too."""
    wish = Wish(5, scenario="day", seconds=40.0, speed=10.0, seed=SIZE, given=Given(sqlite=True))
    summary = run(wish)
    assert summary.wrong == []
    assert summary.tries == 5


def test_an_even_return_and_a_herd_are_told_apart() -> None:
    even = comeback([100 + n / 50 for n in range(1000)], 100.0)
    herd = comeback([100 + (n % 10) / 20 for n in range(900)] + [110.0] * 100, 100.0)
    assert even is not None
    assert herd is not None
    assert even.ratio == pytest.approx(1.0, rel=0.01)
    assert (herd.connections, herd.peak_per_s) == (1000, 900)
    assert herd.ratio == pytest.approx(9.0)
    assert comeback([99.0], 100.0) is None
    fast = comeback([100 + n / 512 for n in range(1000)], 100.0, second_s=0.125)
    assert fast is not None
    assert fast.peak_per_s == 64, "in a second of the stations' clocks"
    assert percentile([], 0.5) is None
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0


def test_somebody_elses_broker_is_not_killed() -> None:
    with pytest.raises(DemoError, match="not killed"):
        run(Wish(1, given=Given(broker="mqtt://127.0.0.1:1")))


PACKETS = {
    b"\x20\x06\x00\x00\x03\x21\x00\x0a": mqtt5.Connack(0, 10),
    b"\x20\x03\x00\x87\x00": mqtt5.Connack(0x87, mqtt5.DEFAULT_RECEIVE_MAXIMUM),
    b"\x90\x04\x00\x01\x00\x01": mqtt5.Suback((1,)),
    b"\x40\x02\x00\x07": mqtt5.Puback(7, 0),
    b"\x40\x03\x00\x07\x97": mqtt5.Puback(7, 0x97),
    b"\x32\x09\x00\x01t\x00\x05\x00abc": mqtt5.Published("t", b"abc", 5),
    b"\x30\x06\x00\x01t\x00ab": mqtt5.Published("t", b"ab", None),
    b"\xd0\x00": mqtt5.Other(13),
    b"\xe0\x02\x8b\x00": mqtt5.Ended(0x8B),
}
"""Written by hand after the standard."""


def test_the_light_client_reads_packets_however_they_are_cut() -> None:
    stream, random = b"".join(PACKETS), Random(SIZE)
    for _ in range(50):
        decoder, found, at = mqtt5.Decoder(), [], 0
        while at < len(stream):
            step = random.randrange(1, 12)
            found += decoder.feed(stream[at : at + step])
            at += step
        assert found == list(PACKETS.values())


def test_the_light_client_takes_any_bytes_or_says_that_they_are_none() -> None:
    random = Random(SIZE)
    for _ in range(2_000 * SIZE):
        decoder = mqtt5.Decoder()
        try:
            for _ in decoder.feed(random.choice(list(PACKETS)) + random.randbytes(40)):
                pass
        except mqtt5.NotMqtt:
            continue
