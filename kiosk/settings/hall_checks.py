"""What the tables of ``hall`` must say together."""

from __future__ import annotations

from pathlib import Path

from kiosk.settings.hall import Heat, Sound
from kiosk.tomlfile import FileProblem


def check_sound(sound: Sound, file: Path) -> None:
    """Quiet hours have a beginning and an end, and are not the whole day."""
    if (sound.quiet_from is None) != (sound.quiet_to is None):
        raise FileProblem(
            "quiet_half",
            file,
            "sound.quiet_to" if sound.quiet_to is None else "sound.quiet_from",
            "quiet hours need a beginning and an end.",
            "Write both quiet_from and quiet_to, or neither.",
        )
    if sound.quiet_from is not None and sound.quiet_from == sound.quiet_to:
        raise FileProblem(
            "quiet_whole",
            file,
            "sound.quiet_to",
            f"quiet hours from {sound.quiet_from} to {sound.quiet_to} are none.",
            'Write another time; for no tones at all leave [buzzer] out and write page = "off".',
            value=sound.quiet_to,
        )


def check_heat(heat: Heat, file: Path) -> None:
    """Motion ends first."""
    if heat.dim_c <= heat.still_c:
        raise FileProblem(
            "heat_order",
            file,
            "heat.dim_c",
            f"the screen keeps still at {heat.still_c} °C and cannot be dark before, at {heat.dim_c} °C.",
            "Write a dim_c above still_c.",
            value=heat.dim_c,
            limit=heat.still_c,
        )
