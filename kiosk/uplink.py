"""``kiosk uplink``: the uplink's process with this station's settings. Construction only."""

from __future__ import annotations

import logging
import sys

import msgspec

from kiosk.core.errors import OperatorError
from kiosk.settings import Settings


def run(settings: Settings) -> int:
    """Runs until SIGTERM or SIGINT; OperatorError where the settings name no broker."""
    from sync.mqtt import Broker
    from sync.only_one import only_one
    from sync.run_uplink import run_uplink

    if settings.mqtt is None:
        raise OperatorError(
            "no_mqtt",
            "The settings name no broker, so there is no way to the city.",
            "Write host in [mqtt], or do not start the uplink.",
        )
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    way = msgspec.structs.asdict(settings.mqtt)
    compress = way.pop("compress")
    with only_one(settings.paths.socket):
        run_uplink(settings.paths.socket, Broker(**way), compress=compress)
    return 0
