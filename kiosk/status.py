"""The one-page state of a station, from its facts."""

from __future__ import annotations

from typing import Any

from kiosk.facts import Facts, to_dict


def report(facts: Facts) -> dict[str, Any]:
    """What ``kiosk status --json`` prints: the facts and what follows from them."""
    lost = [device.name for device in facts.devices if device.state == "lost"]
    return {"running": True, **to_dict(facts), "queue": facts.queue, "lost": lost}
