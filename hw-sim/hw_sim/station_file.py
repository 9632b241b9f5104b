"""How every ``station.toml`` of a rig, a story or a measurement begins, and the keys beside it."""

from __future__ import annotations

import json
from pathlib import Path

from sync.signing import Signer

CATALOGUE = Path(__file__).resolve().parents[2] / "config" / "catalogue.toml"
KEYS = ("station.key", "pseudonym.key", "card.key")


def head(
    station: str,
    city: str,
    *,
    folder: str | None = None,
    run: str = "run",
    screen_port: int | None = None,
) -> str:
    """Who the station is, the project's catalogue and, where given, the ``folder`` of its ledger and keys
    (``run`` in there for its socket) and its screen's port. Bins, readers and the rest follow."""
    places = {"data": folder, "run": f"{folder}/{run}", "keys": f"{folder}/keys"} if folder else {}
    lines = [
        "[station]",
        f'id = "{station}"',
        f'city = "{city}"',
        'name = "中央公民館"',
        'contact = { name = "事務室", phone = "000-000-0000" }',
        "[paths]",
        *(f"{name} = {_quoted(place)}" for name, place in places.items()),
        f"catalogue = {_quoted(str(CATALOGUE))}",
    ]
    if screen_port is not None:
        lines += ["[screen]", f"port = {screen_port}"]
    return "\n".join(lines) + "\n"


def make_keys(folder: Path) -> None:
    """``folder`` with new keys, as ``station.toml`` looks for them beside itself."""
    folder.mkdir()
    for name in KEYS:
        Signer.generate(folder / name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
