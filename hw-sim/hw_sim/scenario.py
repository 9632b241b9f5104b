"""A simulated station's rig and people, as a file: what is wired where, and whose cards there are.

``hw-sim world FILE`` reads it as JSON or TOML; ``hw-sim demo`` writes it from :func:`demo_rig` and
makes ``station.toml`` of the same rig, so that world and station cannot disagree about a pin.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hw_sim.residents import Card

MAX_G = 60_000
DIVISION_G = 20
COUNTS_PER_GRAM = 43.0
ZERO_COUNTS = 84_000

Pin = Annotated[int, Meta(ge=0, le=27)]


class BinRig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bin: its scale (``hx711`` needs the two pins; ``none`` has only a lid) and its pins."""

    id: str
    item: str
    scale: Literal["hx711", "indicator", "none"]
    dout_pin: Pin | None = None
    sck_pin: Pin | None = None
    lid_pin: Pin | None = None
    lamp_pin: Pin | None = None
    full_pin: Pin | None = None
    """A fill sensor under the flap, low while something is before it: whatever goes in passes it."""
    rate_sps: Literal[10, 80] = 10


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the world process needs. ``speed`` divides the quiet between visits, nothing else."""

    bins: tuple[BinRig, ...]
    cards: tuple[Card, ...]
    screen_port: int
    camera_port: int
    seed: int = 1
    speed: Annotated[float, Meta(gt=0)] = 1.0
    buzzer_pin: Pin = 22


def demo_rig() -> tuple[BinRig, ...]:
    """Two HX711 bins, one on a serial indicator, one without a scale."""
    return (
        BinRig("b1", "pet-bottle", "hx711", dout_pin=5, sck_pin=6, lamp_pin=27),
        BinRig("b2", "newspaper", "hx711", dout_pin=23, sck_pin=24, lamp_pin=25),
        BinRig("b3", "can-alu", "indicator", lamp_pin=16),
        BinRig("b4", "carton", "none", lid_pin=17, lamp_pin=26, full_pin=18),
    )


def load(path: Path) -> Scenario:
    """Read a scenario. Raises ``OSError``, ``tomllib.TOMLDecodeError`` or
    ``msgspec.MsgspecError`` (which names the place) for what is none."""
    if path.suffix == ".toml":
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Scenario)
    return msgspec.json.decode(path.read_bytes(), type=Scenario)


def save(scenario: Scenario, path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(scenario)))
