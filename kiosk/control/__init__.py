"""The control socket: how the uplink and the command line speak to a running station."""

from kiosk.control.client import ControlClient, StationError
from kiosk.control.server import ControlServer, Handler, StreamHandler

__all__ = ["ControlClient", "ControlServer", "Handler", "StationError", "StreamHandler"]
