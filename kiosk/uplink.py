"""``kiosk uplink``: the uplink's process with this station's settings. Construction only."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from kiosk.core.errors import OperatorError
from kiosk.settings import Mqtt, Settings

if TYPE_CHECKING:
    from sync.mqtt import Broker


def run(settings: Settings) -> int:
    """Runs until SIGTERM or SIGINT; OperatorError where the settings name no broker."""
    from sync.only_one import only_one
    from sync.run_uplink import run_uplink

    if settings.mqtt is None:
        raise OperatorError(
            "no_mqtt",
            "The settings name no broker, so there is no way to the city.",
            "Write host in [mqtt], or do not start the uplink.",
        )
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    with only_one(settings.paths.socket):
        run_uplink(
            settings.paths.socket,
            broker(settings.mqtt),
            compress=settings.mqtt.effective_compress,
            health_s=settings.mqtt.health_s,
            gather_s=settings.mqtt.gather_s,
        )
    return 0


def broker(mqtt: Mqtt) -> Broker:
    """The settings as the connection takes them."""
    from sync.mqtt import Broker

    return Broker(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password_file=mqtt.password_file,
        ca_file=mqtt.ca_file,
        cert_file=mqtt.cert_file,
        key_file=mqtt.key_file,
        crl_file=mqtt.crl_file,
        keepalive_s=mqtt.effective_keepalive_s,
        metered=mqtt.metered,
    )
