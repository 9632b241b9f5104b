"""What every device's thread owes: one word when it is lost, one when it is back, an end in time."""

from __future__ import annotations

import threading

import pytest
from driver_site import LONG_S, Inbox

from drivers.worker import LAST_RETRY_S, Worker
from kiosk.core.errors import DeviceError
from kiosk.core.events import DeviceBack, DeviceLost, Tick


class Shaky(Worker):
    """A device whose every step says what it was told to."""

    def __init__(self, *script: str) -> None:
        super().__init__("scale:b1")
        self.script = list(script)
        self.opened = 0
        self.closed = 0
        self.idle = threading.Event()

    def open(self) -> None:
        self.opened += 1
        if self.script and self.script[0] == "missing":
            raise self._fault(self.script.pop(0))

    def step(self) -> None:
        if not self.script:
            self.idle.set()
            self.rest(0.05)
            return
        match self.script.pop(0):
            case "works":
                self.deliver(Tick(1))
            case "bug":
                raise ZeroDivisionError
            case fault:
                raise self._fault(fault)

    def close(self) -> None:
        self.closed += 1

    def _fault(self, code: str) -> DeviceError:
        return DeviceError(code, "It is broken.", "Mend it.")


def told(worker: Shaky, inbox: Inbox) -> list[str]:
    """What is said until the script has come to its end."""
    worker.start(inbox.post)
    assert worker.idle.wait(LONG_S)
    worker.stop()
    names = {DeviceLost: "lost", DeviceBack: "back", Tick: "tick"}
    return [names[type(event)] for event in inbox.drain()]


def test_a_device_that_works_says_nothing_of_itself(inbox: Inbox) -> None:
    assert told(Shaky("works", "works"), inbox) == ["tick", "tick"]


def test_a_device_lost_three_times_over_is_lost_once_and_back_before_its_word(inbox: Inbox) -> None:
    worker = Shaky("works", "silent", "missing", "garbled", "works", "works")
    assert told(worker, inbox) == ["tick", "lost", "back", "tick", "tick"]
    assert worker.opened == worker.closed == 4


def test_the_word_of_a_loss_names_device_code_and_what_is_wrong(inbox: Inbox) -> None:
    worker = Shaky("missing")
    worker.start(inbox.post)
    lost = inbox.wait(DeviceLost)
    worker.stop()
    assert (lost.device, lost.code, lost.detail) == ("scale:b1", "missing", "It is broken.")


def test_a_device_that_waits_to_be_tried_again_stops_at_once(inbox: Inbox) -> None:
    worker = Shaky(*["missing"] * 50)
    worker.start(inbox.post)
    inbox.wait(DeviceLost)
    worker.stop()
    worker.stop()
    assert len(worker.script) > 40, f"up to {LAST_RETRY_S} s between two tries"
    assert "scale:b1" not in {thread.name for thread in threading.enumerate()}


def test_a_device_may_be_stopped_before_it_was_started() -> None:
    Shaky().stop()


def test_an_idle_thread_still_shows_signs_of_life(inbox: Inbox) -> None:
    worker = Shaky()
    worker.start(inbox.post)
    assert worker.idle.wait(LONG_S)
    before = worker.beat_ms()
    worker.idle.clear()
    assert worker.idle.wait(LONG_S)
    worker.stop()
    assert worker.beat_ms() > before


def test_our_own_bug_is_not_a_lost_device(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    crashed = threading.Event()
    caught: list[type[BaseException]] = []

    def crash(hook: threading.ExceptHookArgs) -> None:
        caught.append(hook.exc_type)
        crashed.set()

    monkeypatch.setattr(threading, "excepthook", crash)
    worker = Shaky("bug")
    worker.start(inbox.post)
    assert crashed.wait(LONG_S)
    worker.stop()
    assert caught == [ZeroDivisionError]
    assert inbox.drain() == []
    assert worker.closed == 1
