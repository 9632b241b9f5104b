"""An NFC reader behind PC/SC: pcscd and pyscard (ACR122U, Sony RC-S300 and their kin). An optional extra.

The daemon watches the reader and tells when a card comes and goes; its number is asked for once a
presentation. Between card, reader and us every step has a CRC (ISO/IEC 14443-3, USB), so one answer counts.

Codes: ``reader_library`` (pyscard is not installed), ``pcsc_service`` (pcscd does not run, or does not
let us in), ``nfc_missing`` (it knows no such reader), ``nfc_garbled`` (an answer that cannot be).
"""

from __future__ import annotations

from typing import Any

from drivers.clock import boottime_ms
from drivers.nfc_card import Chip
from drivers.pcsc_answers import GET_UID, chip
from drivers.presence import Presence
from drivers.worker import Worker
from kiosk.core.cards import CardDesk
from kiosk.core.errors import DeviceError

LOOK_MS = 200
"""So long one question "what has changed" waits for a change."""
CARD_COUNT_SHIFT = 16
"""Above the flags of a reader's state stands how many cards came and went (pcsclite.h)."""
MAX_FAILURES = 3
"""Answers in a row that cannot be. A card that leaves while it is asked counts as none."""


class PcscReader(Worker):
    """``reader`` a part of the reader's name as ``pcsc_scan`` shows it; empty: the first one."""

    def __init__(self, name: str, reader: str, desk: CardDesk) -> None:
        super().__init__(name)
        self._wanted = reader
        self._desk = desk
        self._scard: Any = None
        self._context: Any = None
        self._reader = ""
        self._state = 0
        self._atr = b""
        self._turn: int | None = None
        self._shown: Chip | None = None
        self._failures = 0
        self._presence = Presence()

    def open(self) -> None:
        """Find the reader at the daemon."""
        scard = self._scard = _library()
        code, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if code != scard.SCARD_S_SUCCESS:
            self._context = None
            raise self._no_service(code)
        code, readers = scard.SCardListReaders(self._context, [])
        fitting = [one for one in readers if self._wanted in one] if not code else []
        if not fitting:
            raise self._missing()
        self._reader = fitting[0]
        self._state = scard.SCARD_STATE_UNAWARE
        self._shown = self._turn = None

    def step(self) -> None:
        """Wait a moment for a change; ask a card that is new for its number."""
        scard = self._scard
        code, states = scard.SCardGetStatusChange(
            self._context, LOOK_MS, [(self._reader, self._state)]
        )
        t_ms = boottime_ms()
        if code == scard.SCARD_S_SUCCESS:
            _, self._state, atr = states[0]
            self._atr = bytes(atr)
        elif code != scard.SCARD_E_TIMEOUT:
            raise (
                self._missing() if code == scard.SCARD_E_UNKNOWN_READER else self._no_service(code)
            )
        if self._state & scard.SCARD_STATE_UNAVAILABLE or self._state & scard.SCARD_STATE_UNKNOWN:
            raise self._missing()
        self._look()
        self.deliver()
        if self._shown is not None and self._presence.is_new(self._shown.key, t_ms):
            self.deliver(self._desk.identify_nfc(self._shown.uid, t_ms=t_ms))

    def _look(self) -> None:
        """Whether a card lies there, and which. To ask one changes the state too (in use, not), so what
        counts is the daemon's own count of cards that came and went."""
        scard = self._scard
        turn = self._state >> CARD_COUNT_SHIFT
        if not self._state & scard.SCARD_STATE_PRESENT or self._state & scard.SCARD_STATE_MUTE:
            self._shown = self._turn = None
        elif turn != self._turn:
            self._shown = self._asked()
            self._turn = turn if self._shown is not None else None

    def close(self) -> None:
        """Let go of the daemon."""
        if self._context is not None:
            self._scard.SCardReleaseContext(self._context)
            self._context = None

    def _asked(self) -> Chip | None:
        """The card; None where it left meanwhile, or must be asked again. Raises DeviceError."""
        scard = self._scard
        code, card, protocol = scard.SCardConnect(
            self._context,
            self._reader,
            scard.SCARD_SHARE_SHARED,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        if code != scard.SCARD_S_SUCCESS:
            return None
        header = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
        code, answer = scard.SCardTransmit(card, header, list(GET_UID))
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        if code != scard.SCARD_S_SUCCESS:
            return None
        try:
            found = chip(self._atr, bytes(answer))
        except ValueError as error:
            self._failures += 1
            if self._failures < MAX_FAILURES:
                return None
            self._failures = 0
            raise DeviceError(
                "nfc_garbled",
                f"The NFC reader {self._reader} answers nonsense.",
                "Unplug the NFC reader and plug it in again.",
            ) from error
        self._failures = 0
        return found

    def _no_service(self, code: int) -> DeviceError:
        said = self._scard.SCardGetErrorMessage(code).rstrip(".")
        return DeviceError(
            "pcsc_service",
            f"The PC/SC daemon cannot be used ({said}).",
            "Install and start pcscd, and let the station use it (docs/readers.md).",
        )

    def _missing(self) -> DeviceError:
        return DeviceError(
            "nfc_missing",
            "The PC/SC daemon knows no reader" + (f' "{self._wanted}".' if self._wanted else "."),
            "Check the reader's cable and its driver; pcsc_scan shows what the daemon knows.",
        )


def _library() -> Any:
    """pyscard's plain interface to the daemon. Raises DeviceError."""
    try:
        from smartcard import scard
    except ImportError as error:
        raise DeviceError(
            "reader_library",
            "A PC/SC reader needs pyscard, which is not installed.",
            "Install requirements/readers.lock (systemd/install.sh --readers).",
        ) from error
    return scard
