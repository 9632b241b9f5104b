"""An NFC reader: a PN532 on a serial port, asked for cards again and again.

Invariant: nothing is believed that the chip said once. An identifier counts when two answers in a
row agree, with the cards' power switched off between them and the second asked for otherwise: of
type A by the very UID, so that another card does not answer. A chip that does not answer, or not
sensibly, ``MAX_FAILURES`` times in a row is lost, closed, woken up and set up anew.

A card that talks ISO/IEC 14443-4 is asked for its NDEF message in the second of these looks, where
the town's cards prove themselves (``nfc_judge``). A card that breaks off there is the card's matter:
the chip is given up only where it does not answer for itself.

Codes: ``gpio_missing`` (no reset line), ``nfc_missing`` (no port), ``nfc_silent`` (no answer),
``nfc_garbled`` (answers that cannot be, or another chip).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import serial

from drivers import pn532, type4
from drivers.clock import boottime_ms
from drivers.gpio import Reset
from drivers.nfc_judge import UNREAD, NfcJudge, Unread, key_of
from drivers.worker import Worker
from kiosk.core.cards import CardDesk, is_random_uid
from kiosk.core.errors import DeviceError

ACK_MS = 150
"""The chip acknowledges within 15 ms (UM0701-02 6.2.1.3); a busy host reads it later."""
ANSWER_MS = 300
"""The two looks of a poll take some 30 ms."""
CARD_MS = 500
"""A card may ask for more time again and again; so long one of its answers is waited for."""
READ_S = 0.02
REST_S = 0.08
"""Between two rounds over all kinds of cards."""
MAX_FAILURES = 3
"""Tries of one command before the chip is given up."""
MAX_READ_BYTES = 512
FIRST_TARGET = b"\x01"
"""The number that the chip gave the one card it listed."""
_CHECK_CABLE = "Check the NFC reader's cable and port, and switch it off and on."

T = TypeVar("T")
Parse = Callable[[bytes], pn532.Target | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of card is looked for, and how once more."""

    request: bytes
    again: Callable[[pn532.Target], bytes]
    parse: Parse


def _by_uid(target: pn532.Target) -> bytes:
    if is_random_uid(target.uid):  # which it has forgotten with its power
        return pn532.LIST_TYPE_A
    return pn532.list_this_type_a(target.uid)


ROUND: tuple[Kind, ...] = (
    Kind(pn532.LIST_TYPE_A, _by_uid, pn532.type_a_target),
    Kind(pn532.LIST_FELICA_212, lambda _: pn532.FELICA_212_BARE, pn532.felica_target),
    Kind(pn532.LIST_FELICA_424, lambda _: pn532.FELICA_424_BARE, pn532.felica_target),
    # Only to say kindly that it is not taken:
    Kind(pn532.LIST_TYPE_B, lambda _: pn532.LIST_TYPE_B, pn532.type_b_target),
)


class Pn532Reader(Worker):
    """``name`` as ``reader:ID``; ``desk`` makes events of identifiers; ``today`` the local day, None
    while it is not known; ``reset_pin`` where the chip's RSTPDN is wired to: a chip that hangs hears
    nothing else."""

    def __init__(
        self,
        name: str,
        port: str,
        desk: CardDesk,
        today: Callable[[], int | None],
        *,
        baud: int = 115_200,
        reset_pin: int | None = None,
    ) -> None:
        super().__init__(name)
        self._path = port
        self._baud = baud
        self._reset_pin = reset_pin
        self._reset: Reset | None = None
        self._judge = NfcJudge(desk, today)
        self._port: serial.Serial | None = None
        self._decoder = pn532.Decoder()
        self._frames: list[pn532.Frame] = []

    def open(self) -> None:
        """Open the port, reset the chip where it can be, wake it up and set it up."""
        if self._reset_pin is not None:
            self._reset = Reset(self._reset_pin, "The NFC reader's reset line")
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
        for kind in ROUND:
            if not self.stopping:
                self._look(kind)
        self.deliver()
        self.rest(REST_S)

    def close(self) -> None:
        """Close the port."""
        if self._reset is not None:
            self._reset.close()
            self._reset = None
        if self._port is not None:
            self._port.close()
            self._port = None

    def _look(self, kind: Kind) -> None:
        t_ms = boottime_ms()
        first = self._list(kind.request, kind.parse)
        if first is None:
            return
        self._field_off()
        second = self._list(kind.again(first), kind.parse)
        if second is None:
            return
        alike = key_of(first) == key_of(second)
        told = not alike or self._judge.still_here(second, t_ms)
        message = None if told else self._message(second)
        self._field_off()
        if not told and (event := self._judge.tell(second, message, t_ms)) is not None:
            self.deliver(event)

    def _list(self, request: bytes, parse: Parse) -> pn532.Target | None:
        return self._ask(pn532.IN_LIST_PASSIVE_TARGET, request, parse)

    def _field_off(self) -> None:
        self._ask(pn532.RF_CONFIGURATION, pn532.FIELD_OFF, bytes)

    def _message(self, target: pn532.Target) -> bytes | Unread | None:
        """The card's NDEF message, in the field as it was listed."""
        if not self._judge.wants_message(target):
            return None
        try:
            return type4.read_message(self._apdu)
        except (pn532.CardGoneError, pn532.GarbledError, type4.UnreadableError, TimeoutError):
            self._begin_anew()
            return UNREAD
        except OSError as error:
            raise self._missing() from error

    def _apdu(self, apdu: bytes) -> bytes:
        """One command to the card, its answer. Once: what became of a lost one nobody knows."""
        self.beat()
        answer = self._exchange(pn532.IN_DATA_EXCHANGE, FIRST_TARGET + apdu, CARD_MS)
        return pn532.card_answer(answer)

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

    def _exchange(self, code: int, data: bytes, patience_ms: int = ANSWER_MS) -> bytes:
        """One command, its acknowledgement and its answer. Raises GarbledError, TimeoutError."""
        assert self._port is not None
        self._port.write(pn532.command(code, data))
        self._await(pn532.Ack, ACK_MS)
        answer = self._await(pn532.Answer, patience_ms)
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
