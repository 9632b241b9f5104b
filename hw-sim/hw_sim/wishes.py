"""What the environment asks of a demo: the DEMO_* variables (``docs/demo.md``)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hw_sim.demo_site import DemoError

DIGITS = 12
"""Of a number in the environment; none that is wished for has more."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """All of them; ``seconds`` None until Ctrl-C."""

    folder: Path = Path(".demo")
    seconds: float | None = None
    speed: float = 1.0
    seed: int = 1
    port: int = 8080
    keep: bool = False
    kills: int = 0

    @classmethod
    def from_environment(cls, given: Mapping[str, str] | None = None) -> Wishes:
        """From the DEMO_* variables; DemoError names the one that cannot be read."""
        env = os.environ if given is None else given
        return cls(
            folder=Path(env.get("DEMO_DIR") or ".demo"),
            seconds=_number(env, "DEMO_S", 0, least=1, most=86_400) or None,
            speed=_number(env, "DEMO_SPEED", 1, least=0.01, most=1_000),
            seed=_whole(env, "DEMO_SEED", 1, least=0, most=1_000_000_000),
            port=_whole(env, "DEMO_PORT", 8080, least=1, most=65_535),
            keep=_whole(env, "DEMO_KEEP", 0, least=0, most=1) == 1,
            kills=_whole(env, "DEMO_KILLS", 0, least=0, most=1_000),
        )


def _number(
    env: Mapping[str, str], name: str, default: float, *, least: float, most: float
) -> float:
    text = env.get(name) or ""
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise _unreadable(name, text, f"number from {least:g} to {most:g}")
    return value


def _whole(env: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or not least <= int(text[:DIGITS]) <= most:
        raise _unreadable(name, text, f"whole number from {least} to {most}")
    return int(text)


def _unreadable(name: str, text: str, wanted: str) -> DemoError:
    return DemoError(f"{name}={text} is no {wanted}. Correct it, or leave it out.")
