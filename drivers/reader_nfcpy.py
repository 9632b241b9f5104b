"""An NFC reader driven by nfcpy: Sony's RC-S380, and other readers that nfcpy knows. An optional extra.

Invariant: an identifier counts when two looks in a row agree, with the cards' power switched off between
them. nfcpy believes some damaged answers and stumbles over others (``IndexError`` and the like), so
whatever it raises is a failure of the reader; ``MAX_FAILURES`` in a row and it is lost.

Codes: ``reader_library`` (nfcpy is not installed), ``nfc_missing`` (no such reader, or no right to it),
``nfc_silent`` (it does not answer), ``nfc_garbled`` (it answers nonsense).
"""

from __future__ import annotations

import errno
import logging
import termios
from contextlib import suppress
from typing import Any

from drivers.clock import boottime_ms
from drivers.nfc_card import NUMBERLESS, TYPE_B, Chip, felica, type_a
from drivers.presence import Presence
from drivers.worker import Worker
from kiosk.core.cards import CardDesk
from kiosk.core.errors import DeviceError

USB = "usb"
REST_S = 0.08
"""Between two rounds over all kinds of cards."""
MAX_FAILURES = 3
SENSF_RES = slice(1, 9)
"""Where the IDm lies in a FeliCa card's answer."""
STUMBLES = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError)
"""What a library raises that did not expect these bytes."""
GONE = frozenset((errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.EACCES, errno.EBUSY))


class NfcpyReader(Worker):
    """``device`` as nfcpy's: ``usb`` for the first it knows, ``usb:054c:06c3``, ``usb:003:007``; or the
    path of a serial port with a PN532."""

    def __init__(self, name: str, device: str, desk: CardDesk) -> None:
        super().__init__(name)
        self._where = device
        self._desk = desk
        self._chip: Any = None
        self._nfc: Any = None
        self._failures = 0
        self._presence = Presence()

    def open(self) -> None:
        """Find the reader and set it up, which is a conversation with it."""
        self._nfc = _library(self._where)
        try:
            self._chip = self._connected()
        except termios.error as error:
            raise self._missing() from error
        except OSError as error:
            raise self._trouble(error) from error
        except self._stumbles():
            raise self._garbled() from None  # what the library says may hold a card's answer
        if self._chip is None:
            raise self._missing()
        self._failures = 0

    def step(self) -> None:
        """Look once for each kind of card."""
        for kind in ("106A", "212F", "424F", "106B"):
            if not self.stopping:
                self._look(kind)
        self.rest(REST_S)

    def close(self) -> None:
        """Let go of the reader; it is told to sleep, if it still hears."""
        chip, self._chip = self._chip, None
        if chip is None:
            return
        transport = chip.chipset.transport
        with suppress(OSError, termios.error, *self._stumbles()):
            chip.close()
        with suppress(OSError, termios.error, *self._stumbles()):
            transport.close()
        tty = getattr(transport, "tty", None)
        if tty is not None:  # nfcpy flushes before it closes, which a port that has gone refuses
            tty.close()

    def _connected(self) -> Any:
        """nfcpy's device, or None where there is no reader."""
        clf = self._nfc.clf
        if self._where.startswith(USB):
            return clf.device.connect(self._where)
        # nfcpy finds serial ports by their names in /dev alone; ours may be a udev link's.
        from nfc.clf import pn532

        tty = clf.transport.TTY(self._where)
        try:
            return pn532.init(tty)
        except (OSError, termios.error) as error:
            tty.tty.close()
            raise TimeoutError("no PN532 answers") from error

    def _look(self, kind: str) -> None:
        t_ms = boottime_ms()
        try:
            first = self._find(kind)
            second = self._find(kind) if first is not None else None
        except termios.error as error:
            raise self._missing() from error
        except OSError as error:
            self._failed(self._trouble(error), error)
            return
        except self._stumbles():
            self._failed(self._garbled())
            return
        self._failures = 0
        self.deliver()
        if first is None or second is None or first.key != second.key:
            return
        if self._presence.is_new(first.key, t_ms):
            self.deliver(self._desk.identify_nfc(first.uid, t_ms=t_ms))

    def _find(self, kind: str) -> Chip | None:
        """One look for cards of this kind, from and to a field without power."""
        sense = {"A": self._chip.sense_tta, "B": self._chip.sense_ttb, "F": self._chip.sense_ttf}
        found = sense[kind[-1]](self._nfc.clf.RemoteTarget(kind))
        if found is None:
            return None
        self._chip.mute()
        if kind == "106B":
            return TYPE_B
        if kind == "106A":
            if found.sdd_res is None:
                return NUMBERLESS  # a Type 1 tag
            return type_a(bytes(found.sdd_res), found.sens_res[0])
        return felica(bytes(found.sensf_res[SENSF_RES]))

    def _stumbles(self) -> tuple[type[Exception], ...]:
        """All that nfcpy raises beside OSError."""
        import usb1
        from nfc.clf import pn53x, rcs380

        own: tuple[type[Exception], ...] = (
            self._nfc.clf.Error,
            pn53x.Chipset.Error,
            rcs380.CommunicationError,
            rcs380.StatusError,
            usb1.USBError,
        )
        return STUMBLES + own

    def _failed(self, trouble: DeviceError, cause: Exception | None = None) -> None:
        """One more failure; raises when it was the last that is borne."""
        self._failures += 1
        if self._failures >= MAX_FAILURES or trouble.code == "nfc_missing":
            raise trouble from cause

    def _trouble(self, error: OSError) -> DeviceError:
        if error.errno in GONE:
            return self._missing()
        return DeviceError(
            "nfc_silent",
            f"The NFC reader at {self._where} does not answer.",
            "Unplug the NFC reader and plug it in again.",
        )

    def _missing(self) -> DeviceError:
        return DeviceError(
            "nfc_missing",
            f"There is no NFC reader at {self._where}, or it may not be used.",
            "Check the NFC reader's cable, and that the udev rules are installed.",
        )

    def _garbled(self) -> DeviceError:
        return DeviceError(
            "nfc_garbled",
            f"The NFC reader at {self._where} answers nonsense.",
            "Unplug the NFC reader and plug it in again.",
        )


def _library(where: str) -> Any:
    """nfcpy, silenced: on DEBUG it writes cards' answers into the log. Raises DeviceError."""
    try:
        import nfc
        import nfc.clf
        import nfc.clf.device
        import nfc.clf.transport
    except (ImportError, OSError) as error:  # OSError: nfcpy is there, libusb-1.0 is not
        raise DeviceError(
            "reader_library",
            f"The NFC reader at {where} needs nfcpy, which is not installed.",
            "Install requirements/readers.lock (systemd/install.sh --readers).",
        ) from error
    logging.getLogger("nfc").setLevel(logging.CRITICAL)
    return nfc
