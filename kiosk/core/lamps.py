"""The lamps on the bins: one lights where something was recorded, and goes out by itself."""

from __future__ import annotations

from kiosk.core.effects import Lamp


class Lamps:
    """Which lamps are on, and until when."""

    def __init__(self) -> None:
        self._off_ms: dict[str, int] = {}

    def light(self, bin_id: str, until_ms: int) -> Lamp:
        self._off_ms[bin_id] = until_ms
        return Lamp(bin_id, "on")

    def blink(self, bin_id: str, until_ms: int) -> Lamp:
        self._off_ms[bin_id] = until_ms
        return Lamp(bin_id, "blink")

    def darken(self, bin_id: str) -> Lamp:
        self._off_ms.pop(bin_id, None)
        return Lamp(bin_id, "off")

    def pass_time(self, t_ms: int) -> list[Lamp]:
        if not self._off_ms:
            return []
        off = [bin_id for bin_id, until_ms in self._off_ms.items() if t_ms >= until_ms]
        for bin_id in off:
            del self._off_ms[bin_id]
        return [Lamp(bin_id, "off") for bin_id in off]
