"""systemd's notification socket (sd_notify(3)): READY=1, WATCHDOG=1; silent without one."""

from __future__ import annotations

import os
import socket


def notify(message: str) -> None:
    """Send ``message`` when systemd asked for it; a service that cannot be heard goes on."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto(message.encode(), address)
        except OSError:
            return
