"""A usual station's settings, to be spoilt one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

USUAL = """
[station]
id = "demo-1"
city = "demo"
name = "公民館"
crowd = "one_by_one"
contact = { name = "事務室", phone = "000-000-0000" }

[[bin]]
id = "b1"
item = "pet-bottle"
lid_pin = 17
[bin.scale]
kind = "hx711"
dout_pin = 5
sck_pin = 6
counts_per_gram = 43.0
zero_counts = 84000
max_g = 60000
division_g = 20

[[bin]]
id = "b2"
item = "can-alu"
[bin.scale]
kind = "indicator"
port = "/dev/ttyUSB0"
max_g = 60000
division_g = 20

[[bin]]
id = "b3"
item = "carton"

[[reader]]
id = "qr"
kind = "camera"

[[reader]]
id = "nfc"
kind = "pn532"
port = "/dev/ttyS0"

[points]
mode = "kg"
[points.per_kg]
pet-bottle = 10

[mqtt]
host = "127.0.0.1"
"""

Write = Callable[[str], Path]
"""Writes a settings file and gives its path."""
