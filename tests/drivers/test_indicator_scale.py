"""The indicator's pump over a real pseudo-terminal, with real pyserial and an indicator's bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver_site import Inbox
from hw_sim.indicator_peer import IndicatorPeer

from drivers import indicator_ad, serial_scale
from drivers.serial_scale import SerialScale
from kiosk.core.events import DeviceBack, DeviceLost, IndicatorReading


class Site:
    """An indicator that somebody feeds, and a pump at the other end of the line."""

    def __init__(self, folder: Path, inbox: Inbox, *, stream: bool = True) -> None:
        self.link = folder / "tty"
        self.inbox = inbox
        self.grams = 1_640.0
        self.fed = threading.Event()
        self.fed.set()
        self.peer = IndicatorPeer(
            self.link, max_g=60_000, division_g=20, stream=stream, zeroes_itself=False
        )
        self.scale = self.pump(stream=stream)
        self._over = threading.Event()
        self._feeder = threading.Thread(target=self._feed)
        self._feeder.start()

    def pump(self, *, stream: bool = True) -> SerialScale:
        request = None if stream else indicator_ad.REQUEST
        return SerialScale("b1", str(self.link), request=request, poll_ms=50)

    def reading(self, status: str, gross_mg: int | None) -> IndicatorReading:
        """The first telegram of that status and weight; it is for our bin."""
        found = self.inbox.wait(
            IndicatorReading,
            lambda event: (event.status, event.gross_mg) == (status, gross_mg),
        )
        assert found.bin == "b1"
        return found

    def end(self) -> None:
        self.scale.stop()
        self._over.set()
        self._feeder.join()
        self.peer.stop()

    def _feed(self) -> None:
        while not self._over.wait(0.01):
            if self.fed.is_set():
                self.peer.feed(time.monotonic(), self.grams)


@pytest.fixture
def site(tmp_path: Path, inbox: Inbox) -> Iterator[Site]:
    made = Site(tmp_path, inbox)
    yield made
    made.end()


def test_a_stream_is_read_moving_then_stable(site: Site) -> None:
    site.scale.start(site.inbox.post)
    site.reading("stable", 1_640_000)
    site.grams = -2_500.0
    site.inbox.wait(IndicatorReading, lambda event: event.status == "motion")
    site.reading("stable", -2_500_000)


def test_an_indicator_that_has_to_be_asked_is_asked(tmp_path: Path, inbox: Inbox) -> None:
    site = Site(tmp_path, inbox, stream=False)
    site.scale.start(inbox.post)
    site.reading("stable", 1_640_000)
    site.end()


def test_beyond_its_range_it_says_so_and_no_weight(site: Site) -> None:
    site.grams = 70_000.0
    site.scale.start(site.inbox.post)
    site.reading("overload", None)


def test_a_net_telegram_is_no_gross_weight(site: Site) -> None:
    site.fed.clear()
    site.scale.start(site.inbox.post)
    while site.inbox.queue.empty():  # until the port is open
        site.peer.send(b"ST,NT,+0001.640kg\r\n")
        time.sleep(0.05)
    assert {(event.status, event.gross_mg) for event in site.inbox.drain()} == {("error", None)}


@pytest.mark.parametrize(
    ("telegram", "says_gross"),
    [(b"ST,GS,+0001.640kg\r\n", True), (b"ST,+00001640  g\r\n", False)],
    ids=["standard", "balance"],
)
def test_a_telegram_that_does_not_say_gross_is_no_more_than_a_weight(
    site: Site, telegram: bytes, says_gross: bool
) -> None:
    site.fed.clear()
    site.scale.start(site.inbox.post)
    while site.inbox.queue.empty():
        site.peer.send(telegram)
        time.sleep(0.05)
    said = {(event.gross_mg, event.says_gross) for event in site.inbox.drain()}
    assert said == {(1_640_000, says_gross)}


def test_silence_is_told_once_and_its_end_once(site: Site) -> None:
    site.scale.start(site.inbox.post)
    site.reading("stable", 1_640_000)
    site.fed.clear()
    lost = site.inbox.wait(DeviceLost)
    assert (lost.device, lost.code) == ("scale:b1", "indicator_silent")
    site.fed.set()
    site.inbox.wait(DeviceBack)
    site.reading("stable", 1_640_000)
    assert not any(isinstance(event, DeviceLost) for event in site.inbox.drain())


def test_bytes_that_are_no_telegrams_are_garbled(site: Site) -> None:
    site.fed.clear()
    site.scale.start(site.inbox.post)
    while site.inbox.queue.empty():
        site.peer.send(b"\x00\x7f12.34/3 G S\r\n")
        time.sleep(0.05)
    assert site.inbox.wait(DeviceLost).code == "indicator_garbled"


def test_noise_between_telegrams_costs_nothing(site: Site) -> None:
    site.peer.send(b"\x00\x7fGS,+0009.999kg\r\n\x00")
    site.scale.start(site.inbox.post)
    site.reading("stable", 1_640_000)
    site.peer.send(b"ST,GS,+00")
    site.reading("stable", 1_640_000)


def test_no_port_is_missing_and_found_when_it_comes(tmp_path: Path, inbox: Inbox) -> None:
    scale = SerialScale("b1", str(tmp_path / "tty"))
    scale.start(inbox.post)
    assert inbox.wait(DeviceLost).code == "indicator_missing"
    site = Site(tmp_path, inbox)
    inbox.wait(DeviceBack)
    scale.stop()
    site.end()


def test_a_plug_pulled_is_a_device_lost(tmp_path: Path, inbox: Inbox) -> None:
    site = Site(tmp_path, inbox)
    site.scale.start(inbox.post)
    site.reading("stable", 1_640_000)
    site.fed.clear()
    time.sleep(0.05)
    site.peer.stop()
    assert inbox.wait(DeviceLost).code == "indicator_missing"
    site.peer = IndicatorPeer(site.link, max_g=60_000, division_g=20)
    site.fed.set()
    inbox.wait(DeviceBack)
    site.end()


def test_what_was_sent_while_the_station_was_dead_is_not_taken_for_now(site: Site) -> None:
    site.scale.start(site.inbox.post)
    site.reading("stable", 1_640_000)
    site.scale.stop()
    site.fed.clear()
    for _ in range(100):
        site.peer.send(b"ST,GS,+00009.99kg\r\n")
    site.inbox.drain()
    site.fed.set()
    site.scale = site.pump()
    site.scale.start(site.inbox.post)
    site.reading("stable", 1_640_000)
    assert 9_990_000 not in {getattr(event, "gross_mg", None) for event in site.inbox.drain()}


def test_an_indicator_that_zeroes_itself_forgets_what_lies_on_it(tmp_path: Path) -> None:
    peer = IndicatorPeer(tmp_path / "tty", max_g=60_000, division_g=20, zeroes_itself=True)
    with (tmp_path / "tty").open("rb", buffering=0) as line:
        peer.feed(0.0, 5_000.0)
        assert line.read(64) == b"US,GS,+00000.00kg\r\n"
        peer.feed(0.1, 6_000.0)
        assert b"+00000.50kg" in line.read(64)
        peer.power_cycle()
        peer.feed(0.2, 6_000.0)
        assert b"+00000.00kg" in line.read(64)
    peer.stop()


@pytest.mark.parametrize(
    ("telegram", "code"),
    [
        (b"OL,GS,+99999.99kg\r\n", "indicator_overload"),
        (b"ST,NT,+00001.00kg\r\n", "indicator_error"),
    ],
    ids=["overload", "tared"],
)
def test_an_indicator_that_goes_on_without_a_weight_is_lost_until_it_weighs(
    site: Site, monkeypatch: pytest.MonkeyPatch, telegram: bytes, code: str
) -> None:
    monkeypatch.setattr(serial_scale, "NO_WEIGHT_MS", 300)
    site.scale.start(site.inbox.post)
    site.reading("stable", 1_640_000)
    site.fed.clear()
    over = threading.Event()

    def say() -> None:
        while not over.wait(0.05):
            site.peer.send(telegram)

    saying = threading.Thread(target=say)
    saying.start()
    assert site.inbox.wait(DeviceLost).code == code
    time.sleep(1.0)  # it is tried again and again meanwhile
    over.set()
    saying.join()
    assert site.inbox.drain() == []
    site.fed.set()
    site.inbox.wait(DeviceBack)
    site.reading("stable", 1_640_000)
