"""Every indicator's protocol by name, the most particular first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers import (
    indicator_ad,
    indicator_cas,
    indicator_dini,
    indicator_generic,
    indicator_kern,
    indicator_ohaus,
    indicator_sartorius,
    indicator_shinko,
    indicator_sics,
    indicator_sma,
)
from drivers.telegram import Codec


@dataclass(frozen=True, slots=True)
class Spec:
    """One protocol. ``request`` asks for the present weight and changes nothing; None: it only streams.

    ``says_gross``: its telegrams can say that a weight is gross. Whether one did is in its ``Frame.mode``.
    """

    decoder: Callable[[], Codec]
    request: bytes | None
    says_gross: bool


PROTOCOLS: dict[str, Spec] = {
    module.PROTOCOL: Spec(module.decoder, module.REQUEST, says_gross)
    for module, says_gross in (
        (indicator_ad, True),
        (indicator_dini, True),
        (indicator_cas, True),
        (indicator_sma, True),
        (indicator_sics, False),
        (indicator_shinko, False),
        (indicator_sartorius, False),
        (indicator_kern, False),
        (indicator_ohaus, False),
        (indicator_generic, False),
    )
}
