"""Reaching the broker: name lookups bounded in time, and what stands in the way, in words.

``getaddrinfo`` cannot be interrupted and waits as long as the C library likes: with two dead name servers
half a minute, with a hanging network for ever. So it runs on a thread of its own, and whoever waits goes
after ``LOOKUP_S``. The next try joins a lookup that still runs, so there is one such thread a name, however
long the line is down.
"""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

from kiosk.core.errors import OperatorError
from sync import mqtt_tls
from sync.mqtt_events import Broker

LOOKUP_S = 8.0
"""Longer than a slow mobile line takes, shorter than a connection's bound."""
MAX_ADDRESSES = 3
"""Tried one after the other; more would outlast the connection's bound."""


class LookupHangs(OSError):
    """No answer from the name service in time."""


class _Lookup:
    """One question, and its answer once there is one."""

    def __init__(self, host: str, port: int) -> None:
        self.done = threading.Event()
        self.addresses: tuple[str, ...] = ()
        self.error: OSError | None = None
        self._where = (host, port)
        threading.Thread(target=self._ask, name="name-lookup", daemon=True).start()

    def _ask(self) -> None:
        try:
            found = socket.getaddrinfo(*self._where, type=socket.SOCK_STREAM)
            self.addresses = tuple(dict.fromkeys(str(each[4][0]) for each in found))
        except OSError as error:
            self.error = error
        except UnicodeError as error:  # a label that is empty or too long for DNS
            self.error = socket.gaierror(socket.EAI_NONAME, f"{error}")
        finally:
            self.done.set()


_running: dict[tuple[str, int], _Lookup] = {}
_lock = threading.Lock()


def addresses(host: str, port: int) -> tuple[str, ...]:
    """At most ``MAX_ADDRESSES`` of ``host``, in the system's order. Raises OSError, which may be
    ``LookupHangs``."""
    with _lock:
        lookup = _running.get((host, port))
        if lookup is None:
            lookup = _running[host, port] = _Lookup(host, port)
    if not lookup.done.wait(LOOKUP_S):
        raise LookupHangs(f"no answer from the name service in {LOOKUP_S:.0f} s")
    with _lock:
        if _running.get((host, port)) is lookup:
            del _running[host, port]  # asked anew each time: addresses move
    if lookup.error is not None:
        raise lookup.error
    return lookup.addresses[:MAX_ADDRESSES]


def why(error: OSError, broker: Broker) -> tuple[str, str]:
    """(code, words) of a connection that was not made."""
    place = f"{broker.host}:{broker.port}"
    if isinstance(error, ssl.SSLEOFError):
        return "tls_failed", f"{place} ends the connection during the handshake: is it TLS?"
    if isinstance(error, ssl.SSLError):
        return mqtt_tls.why(error, place)
    if isinstance(error, LookupHangs):
        return "name_slow", f"The name service does not answer about {broker.host} (DNS)."
    if isinstance(error, socket.gaierror):
        return "name_unknown", f"The name {broker.host} is not known (DNS)."
    if isinstance(error, TimeoutError):
        # ssl's words: there is a TCP connection, and nobody behind it.
        if "handshake" in str(error):
            return "broker_silent", f"{place} takes the connection and says nothing."
        return "broker_unreachable", f"{place} does not answer."
    return "broker_unreachable", f"{place} cannot be reached: {error.strerror or error}."


def password(path: Path | None) -> str | None:
    """What stands in the file. Raises OperatorError."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise OperatorError(
            "password_file_unreadable",
            f"The password file {path} cannot be read ({error.strerror}).",
            "Correct password_file in the settings, or who may read the file.",
            file=path,
            reason=error.strerror,
        ) from error
