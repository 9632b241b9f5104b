"""Every protocol over a real pseudo-terminal: what the peer shows is what the pump posts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from driver_site import Inbox
from hw_sim.indicator_peer import IndicatorPeer
from hw_sim.indicator_speech import SPEECHES
from indicator_site import frames, said

from drivers import indicator_generic, indicator_modbus
from drivers.indicator_modbus import Registers
from drivers.modbus_scale import ModbusScale
from drivers.probe import Found, Tried, probe
from drivers.protocols import PROTOCOLS
from drivers.serial_line import Line
from drivers.serial_scale import SerialScale
from kiosk.core.events import DeviceLost, IndicatorReading

REGISTERS = Registers(decimals=2)
GENERIC_REQUEST = b"P\r\n"


class Bench:
    """A peer that somebody loads."""

    def __init__(self, link: Path, protocol: str, *, stream: bool, baud: int | None = None) -> None:
        self.link = link
        self.grams = 1_640.0
        self.peer = IndicatorPeer(
            link, max_g=60_000, division_g=20, stream=stream, protocol=protocol, baud=baud
        )
        self._over = threading.Event()
        self._feeder = threading.Thread(target=self._feed)
        self._feeder.start()

    def end(self) -> None:
        self._over.set()
        self._feeder.join()
        self.peer.stop()

    def _feed(self) -> None:
        while not self._over.wait(0.01):
            self.peer.feed(time.monotonic(), self.grams)


Make = Callable[..., Bench]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Make]:
    made: list[Bench] = []

    def make(protocol: str, *, stream: bool, baud: int | None = None) -> Bench:
        made.append(Bench(tmp_path / "tty", protocol, stream=stream, baud=baud))
        return made[-1]

    yield make
    for one in made:
        one.end()


@contextmanager
def pump(bench: Bench, protocol: str, inbox: Inbox, *, stream: bool) -> Iterator[None]:
    port = str(bench.link)
    scale: SerialScale
    if protocol == indicator_modbus.PROTOCOL:
        scale = ModbusScale("b1", port, REGISTERS, poll_ms=50, line=Line(9600, 8, "N", 1))
    else:
        spec = PROTOCOLS[protocol]
        request = spec.request or GENERIC_REQUEST
        scale = SerialScale(
            "b1",
            port,
            decoder=spec.decoder,
            request=None if stream else request,
            poll_ms=50,
            line=Line(9600, 8, "N", 1),
        )
    scale.start(inbox.post)
    try:
        yield
    finally:
        scale.stop()


def wait(inbox: Inbox, status: str, gross_mg: int | None) -> None:
    inbox.wait(IndicatorReading, lambda event: (event.status, event.gross_mg) == (status, gross_mg))


CASES = [
    *((protocol, True) for protocol in SPEECHES if protocol != "modbus"),
    *((protocol, False) for protocol in SPEECHES),
]


def test_every_protocol_has_its_peer() -> None:
    assert set(SPEECHES) == {*PROTOCOLS, indicator_modbus.PROTOCOL}


@pytest.mark.parametrize(("protocol", "stream"), CASES)
def test_a_load_moves_then_stands_then_is_below_zero(
    bench: Make, inbox: Inbox, protocol: str, stream: bool
) -> None:
    one = bench(protocol, stream=stream)
    with pump(one, protocol, inbox, stream=stream):
        wait(inbox, "stable", 1_640_000)
        one.grams = -2_500.0
        inbox.wait(IndicatorReading, lambda event: event.status == "motion")
        wait(inbox, "stable", -2_500_000)


@pytest.mark.parametrize("protocol", sorted(set(SPEECHES) - {"ohaus", "shinko", "kern"}))
def test_beyond_the_range_there_is_no_weight(bench: Make, inbox: Inbox, protocol: str) -> None:
    one = bench(protocol, stream=protocol != "modbus")
    one.grams = 70_000.0
    with pump(one, protocol, inbox, stream=True):
        wait(inbox, "overload", None)


def test_a_transmitter_that_is_not_there_is_silent(bench: Make, inbox: Inbox) -> None:
    one = bench("sics", stream=False)
    with pump(one, "modbus", inbox, stream=False):
        assert inbox.wait(DeviceLost).code == "indicator_silent"


@pytest.mark.parametrize(
    ("protocol", "stream", "baud"),
    [
        ("ad", True, 2400),
        ("sartorius", True, 1200),
        ("sics", False, 9600),
        ("modbus", False, 9600),
    ],
)
def test_probe_finds_speed_and_protocol(
    bench: Make, protocol: str, stream: bool, baud: int
) -> None:
    one = bench(protocol, stream=stream, baud=baud)
    *tried, found = probe(str(one.link), 60.0)
    assert all(isinstance(attempt, Tried) for attempt in tried)
    assert isinstance(found, Found)
    assert (found.protocol, found.line.baud, found.stream) == (protocol, baud, stream)
    assert found.unit_id == (1 if protocol == "modbus" else None)


def test_probe_asks_nothing_that_zeroes_or_tares() -> None:
    asked = {spec.request for spec in PROTOCOLS.values()} - {None}
    assert all(
        request.strip() not in (b"Z", b"T", b"TA", b"ZERO", b"TARE", b"R") for request in asked
    )
    assert indicator_modbus.request(Registers())[1] == 3  # a read


def test_probe_hears_a_cheap_line_and_gives_up_in_time(bench: Make) -> None:
    one = bench("generic", stream=True, baud=2400)
    *_, last = probe(str(one.link), 60.0)
    assert isinstance(last, Found) and last.protocol == "generic"
    quiet = list(probe(str(one.link), 0.0))
    assert quiet == []


def test_a_generic_reading_is_as_the_settings_say() -> None:
    reading = indicator_generic.Reading("kg", 2, "unless_moving")
    codec = indicator_generic.decoder(reading)
    lines = b"12.5 1.640\r\n" * 3 + b"12.5 1.640 ?\r\n" * 3
    found = frames([*codec.feed(lines), *codec.end()])
    assert [said(one) for one in found] == [
        *[("stable", None, "1.640", "kg")] * 3,
        *[("motion", None, "1.640", "kg")] * 3,
    ]
