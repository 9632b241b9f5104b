"""The control socket: how the uplink and the command line speak to a running station."""

from kiosk.control.client import ControlClient, StationError
from kiosk.control.server import ControlServer, Framed, Handler, Reply, StreamHandler

__all__ = [
    "ControlClient",
    "ControlServer",
    "Framed",
    "Handler",
    "Reply",
    "StationError",
    "StreamHandler",
]
