"""One uplink a station: two with the same MQTT client name would throw each other off the broker.

The lock is a name in the kernel (an abstract Unix socket), made from the control socket's path: no file
to leave behind, and let go when the process ends, however it ends.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.core.errors import OperatorError


@contextmanager
def only_one(control: Path) -> Iterator[None]:
    """Hold the uplink's place at the station behind ``control``; OperatorError where it is taken."""
    name = hashlib.sha256(os.fsencode(control.resolve())).hexdigest()[:32]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as place:
        try:
            place.bind(f"\0kiosk-uplink-{name}")
        except OSError as error:
            raise OperatorError(
                "uplink_running",
                "This station's uplink is running already.",
                "Stop the other one first (systemctl stop kiosk-uplink).",
            ) from error
        yield
