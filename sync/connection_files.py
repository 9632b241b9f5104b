"""What a connection stands on, looked at once a minute: certificates that were renewed in place, and topics
that the broker denied and may not deny any more. SIGUSR1 (``systemctl reload``) asks to look at once, and
to connect at once where a try is waited for.
"""

from __future__ import annotations

import logging
import signal
import time

from kiosk.core.errors import OperatorError
from sync.mqtt import Broker
from sync.mqtt_tls import Tls
from sync.uplink_events import Certificate, Event, Hurried, Noted, Renewed

LOOK_S = 60.0
ASK_AGAIN_S = 900.0
"""Between subscriptions to a topic that was denied: no broker tells when rights are mended."""

log = logging.getLogger("kiosk.uplink")


class ConnectionFiles:
    """The TLS files of one broker, for all connections to it."""

    def __init__(self, broker: Broker) -> None:
        self.tls = Tls(broker, resume=broker.metered) if broker.ca_file is not None else None
        self._asked = False
        self._due_s = 0.0
        self._until_ms: int | None = None
        self._said = ""
        self._ask_s: float | None = None

    def heed(self) -> None:
        """Hear SIGUSR1 from now on; on the main thread. The handler only notes (``ending``)."""
        signal.signal(signal.SIGUSR1, self._note)

    def _note(self, _number: int, _frame: object) -> None:
        self._asked = True

    @property
    def due(self) -> bool:
        """Whether ``look`` has something to do."""
        return self._asked or time.monotonic() >= self._due_s

    def look(self) -> list[Event]:
        """When the certificate ends, whether it was renewed, or changed to what cannot be used."""
        self._due_s = time.monotonic() + LOOK_S
        asked, self._asked = self._asked, False
        found: list[Event] = [Hurried()] if asked else []
        if self.tls is None:
            return found
        until_ms = self.tls.until_ms()
        if until_ms != self._until_ms:
            self._until_ms = until_ms
            found.append(Certificate(until_ms))
        try:
            if self.tls.renewed():
                log.info("new TLS files: connecting anew")
                found.append(Renewed())
        except OperatorError as error:
            if error.what != self._said:
                log.warning("%s", error)
            self._said = error.what
            found.append(Noted("tls_files_new", error.what))
        return found

    def ask_again(self) -> None:
        """The broker denied a topic."""
        self._ask_s = time.monotonic() + ASK_AGAIN_S

    def ask_now(self) -> bool:
        """Whether it is time to ask for it once more."""
        if self._ask_s is None or time.monotonic() < self._ask_s:
            return False
        self._ask_s = None
        return True
