"""A station's folder with settings, keys and a ledger, a station that answers on its socket, and
calls of the real command line."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.cli import main
from kiosk.control import ControlServer
from kiosk.core.view import BinView, View
from kiosk.facts import BinFacts, DeviceFacts, Facts, LinkFacts, to_dict
from sync.signing import Signer

SETTINGS = """
[station]
id = "demo-1"
city = "demo"
name = "中央公民館"
contact = { name = "事務室", phone = "000-000-0000" }

[[bin]]
id = "b1"
item = "pet-bottle"
[bin.scale]
kind = "indicator"
port = "/dev/ttyUSB0"
max_g = 60000
division_g = 20

[[bin]]
id = "b2"
item = "carton"

[[reader]]
id = "qr"
kind = "camera"

[city]
public_key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"

[mqtt]
host = "127.0.0.1"
"""

WATCHED_S = 60
"""How long the station stays at most."""

WELL = Facts(
    station="demo-1",
    city="demo",
    name="中央公民館",
    ledger="0" * 32,
    software="0.1.0",
    settings="0" * 64,
    uptime_ms=3_900_000,
    public_key="ab" * 32,
    head_seq=120,
    watermark=118,
    epoch=1,
    clock="synced",
    disk_free_bytes=8 << 30,
    screen_port=8080,
    screen_up=True,
    link=LinkFacts(online=True, code=None),
    last_ack_age_ms=4_000,
    devices=(
        DeviceFacts(name="scale:b1", state="ok"),
        DeviceFacts(name="reader:qr", state="ok"),
    ),
    bins=(
        BinFacts(
            bin="b1",
            item="pet-bottle",
            state="ready",
            scale=True,
            gross_g=1234,
            live_g=1240,
            samples_per_s=10.1,
            rate_sps=10.0,
        ),
        BinFacts(bin="b2", item="carton", state="no_scale", scale=False),
    ),
)

VIEW = View(
    phase="recorded",
    since_ms=1,
    bin="b1",
    net_g=420,
    live_g=1240,
    visit_g=420,
    points=None,
    points_limited=False,
    estimate=True,
    checkins=3,
    refusals=0,
    records=5,
    visits_open=1,
    can_claim=False,
    claiming=False,
    cards_readable=True,
    online=True,
    storage_trouble=False,
    bins=(
        BinView(
            bin="b1",
            item="pet-bottle",
            state="ready",
            live_g=1240,
            fill_pct=9,
            certified=False,
            counted=False,
        ),
        BinView(
            bin="b2",
            item="carton",
            state="no_scale",
            live_g=None,
            fill_pct=None,
            certified=False,
            counted=True,
        ),
    ),
)


@dataclass(frozen=True)
class Said:
    """What one call answered."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Site:
    folder: Path
    capture: pytest.CaptureFixture[str]
    touched: list[dict[str, Any]] = field(default_factory=list)
    stays: bool = False
    """Whether the station goes on after the first view."""

    @property
    def file(self) -> Path:
        return self.folder / "station.toml"

    def lay_out(self) -> None:
        """Settings, catalogue, keys."""
        root = Path(__file__).parents[2]
        self.file.write_text(SETTINGS, encoding="utf-8")
        shutil.copy(root / "config/catalogue.toml", self.folder)
        keys = self.folder / "keys"
        keys.mkdir()
        (self.folder / "run").mkdir()
        for name in ("station.key", "pseudonym.key", "card.key"):
            Signer.generate(keys / name)

    def kiosk(self, *args: str, config: bool = True) -> Said:
        """One call; with the station's settings unless told otherwise."""
        self.capture.readouterr()
        code = main([*args, *(["--config", str(self.file)] if config else [])])
        out, err = self.capture.readouterr()
        assert "Traceback" not in err
        return Said(code, out, err)

    def running(self, facts: Facts = WELL) -> ControlServer:
        """A station that answers from these facts, with the settings that stand in the file."""
        from kiosk import settings

        digest = settings.load(self.file).digest()

        def touch(args: dict[str, Any]) -> dict[str, Any]:
            self.touched.append(args)
            if args["action"] != "bag_swap":
                return {"written": []}
            entry = {"kind": "bag_swap", "bin": args["bin"], "bag": "a", "new_bag": "b"}
            return {"written": [{"seq": 7, **entry, "net_g": 1234}]}

        def watch(_: dict[str, Any]) -> Generator[dict[str, Any] | None, None, None]:
            yield msgspec.to_builtins(VIEW)
            for _ in range(WATCHED_S if self.stays else 0):
                time.sleep(1)
                yield None

        server = ControlServer(
            self.folder / "run/control.sock",
            {
                "facts": lambda _: to_dict(msgspec.structs.replace(facts, settings=digest)),
                "touch": touch,
            },
            {"watch": watch},
        )
        server.start()
        return server
