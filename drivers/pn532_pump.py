"""An NFC reader: a PN532 on a serial port, asked for cards again and again.

Invariant: nothing is believed that the chip said once. An identifier counts when two answers in a
row agree, with the cards' power switched off between them; a chip that does not answer, or not
sensibly, ``MAX_FAILURES`` times in a row is lost, closed, woken up and set up anew.

Codes: ``nfc_missing`` (no port), ``nfc_silent`` (no answer), ``nfc_garbled`` (answers that cannot
be, or another chip).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import serial

from drivers import pn532
from drivers.clock import boottime_ms
from drivers.presence import Presence
from drivers.worker import Worker
from kiosk.core.cards import CardDesk, is_random_uid
from kiosk.core.errors import DeviceError

ACK_MS = 150
"""The chip acknowledges within 15 ms (UM0701-02 6.2.1.3); a busy host reads it later."""
ANSWER_MS = 300
"""The two looks of a poll take some 30 ms."""
READ_S = 0.02
REST_S = 0.08
"""Between two rounds over all kinds of cards."""
MAX_FAILURES = 3
"""Tries of one command before the chip is given up."""
MAX_READ_BYTES = 512
_CHECK_CABLE = "Check the NFC reader's cable and port, and switch it off and on."

T = TypeVar("T")
Parse = Callable[[bytes], pn532.Target | None]

ROUND: tuple[tuple[bytes, Parse], ...] = (
    (pn532.LIST_TYPE_A, pn532.type_a_target),
    (pn532.LIST_FELICA_212, pn532.felica_target),
    (pn532.LIST_FELICA_424, pn532.felica_target),
    (pn532.LIST_TYPE_B, pn532.type_b_target),  # only to say kindly that it is not taken
)


class Pn532Reader(Worker):
    """``name`` as ``reader:ID``; ``desk`` makes events of identifiers."""

    def __init__(self, name: str, port: str, desk: CardDesk, *, baud: int = 115_200) -> None:
        super().__init__(name)
        self._path = port
        self._baud = baud
        self._desk = desk
        self._port: serial.Serial | None = None
        self._decoder = pn532.Decoder()
        self._frames: list[pn532.Frame] = []
        self._presence = Presence()

    def open(self) -> None:
        """Open the port, wake the chip up and set it up."""
        try:
            self._port = serial.Serial(
                self._path, self._baud, timeout=READ_S, write_timeout=0.5, exclusive=True
            )
            self._port.write(pn532.WAKE_UP)
            self._begin_anew()
        except (OSError, ValueError) as error:
            raise self._missing() from error
        self._ask(pn532.SAM_CONFIGURATION, pn532.SAM_NORMAL, bytes)
        self._ask(pn532.GET_FIRMWARE_VERSION, b"", pn532.check_firmware)
        self._ask(pn532.RF_CONFIGURATION, pn532.RETRIES_ONCE, bytes)

    def step(self) -> None:
        """Look once for each kind of card."""
        for request, parse in ROUND:
            if not self.stopping:
                self._look(request, parse)
        self.deliver()
        self.rest(REST_S)

    def close(self) -> None:
        """Close the port."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def _look(self, request: bytes, parse: Parse) -> None:
        t_ms = boottime_ms()
        first = self._find(request, parse)
        if first is None:
            return
        second = self._find(request, parse)
        if second is None or _key(first) != _key(second):
            return
        if self._presence.is_new(_key(first), t_ms):
            self.deliver(self._desk.identify_nfc(first.uid, t_ms=t_ms))

    def _find(self, request: bytes, parse: Parse) -> pn532.Target | None:
        target = self._ask(pn532.IN_LIST_PASSIVE_TARGET, request, parse)
        if target is not None:
            self._ask(pn532.RF_CONFIGURATION, pn532.FIELD_OFF, bytes)
        return target

    def _ask(self, code: int, data: bytes, parse: Callable[[bytes], T]) -> T:
        """What ``parse`` makes of the answer to one command. Raises DeviceError."""
        failure = "nfc_silent"
        try:
            for _ in range(MAX_FAILURES):
                try:
                    return parse(self._exchange(code, data))
                except pn532.GarbledError:
                    failure = "nfc_garbled"
                except TimeoutError:
                    pass
                self._begin_anew()
        except OSError as error:  # serial.SerialException is one
            raise self._missing() from error
        raise self._trouble(failure)

    def _exchange(self, code: int, data: bytes) -> bytes:
        """One command, its acknowledgement and its answer. Raises GarbledError, TimeoutError."""
        assert self._port is not None
        self._port.write(pn532.command(code, data))
        self._await(pn532.Ack, ACK_MS)
        answer = self._await(pn532.Answer, ANSWER_MS)
        if not isinstance(answer, pn532.Answer) or answer.command != code:
            raise pn532.GarbledError("the answer to another command")
        return answer.data

    def _await(self, kind: type[pn532.Frame], patience_ms: int) -> pn532.Frame:
        """The next frame, which has to be of this kind."""
        assert self._port is not None
        until_ms = boottime_ms() + patience_ms
        while boottime_ms() < until_ms:
            if self._frames:
                frame = self._frames.pop(0)
                if isinstance(frame, kind):
                    return frame
                raise pn532.GarbledError("a frame out of turn")
            size = min(max(1, self._port.in_waiting), MAX_READ_BYTES)
            self._frames += self._decoder.feed(self._port.read(size))
        if self._decoder.flush():
            raise pn532.GarbledError("bytes, but no frame")
        raise TimeoutError

    def _begin_anew(self) -> None:
        """Forget the conversation. A chip in the middle of an answer gives it up on an ACK."""
        assert self._port is not None
        self._port.write(pn532.ACK)
        self._port.reset_input_buffer()
        self._decoder.flush()
        self._frames.clear()

    def _missing(self) -> DeviceError:
        return DeviceError(
            "nfc_missing", f"The NFC reader's port {self._path} cannot be used.", _CHECK_CABLE
        )

    def _trouble(self, code: str) -> DeviceError:
        what = {
            "nfc_silent": f"The NFC reader at {self._path} does not answer.",
            "nfc_garbled": f"The NFC reader at {self._path} answers nonsense.",
        }[code]
        return DeviceError(code, what, _CHECK_CABLE)


def _key(target: pn532.Target) -> bytes:
    """What makes two answers the same card: a telephone has a new number at each of them."""
    uid = b"random" if is_random_uid(target.uid) else target.uid
    return target.modulation.encode() + b":" + uid
