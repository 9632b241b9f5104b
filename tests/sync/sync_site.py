"""A station's ledger in memory, its keys, and the city's: enough to speak the wire's language."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from kiosk.core import chain
from kiosk.core.canonical import canonical
from sync.messages import (
    Ack,
    Batch,
    Seal,
    Unseals,
    batch_message,
    decode_batch,
    encode_batch,
    unseal_message,
    verify_ack,
)
from sync.messages.wire import signature_text
from sync.signing import Signer

CITY, STATION = "demo", "hall-1"
STATION_KEY = Signer(b"station-key-of-the-tests-32bytes")
CITY_KEY = Signer(b"city-key-of-the-tests---32-bytes")
TOPIC = f"kiosk/v1/{CITY}/{STATION}/ledger"
BOOT = "b0" * 16
UTC_MS = 1_790_000_000_000


@dataclass
class Book:
    """A ledger whose rows a test can read, send, thin and spoil."""

    ledger: str = "a1" * 16
    signer: Signer = STATION_KEY
    station: str = STATION
    continues: dict[str, Any] | None = None
    opening_g: int = 0
    rows: list[tuple[bytes | None, bytes]] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=lambda: [chain.ZERO])
    seals: dict[int, Seal] = field(default_factory=dict)
    watermark: int = 0
    epoch: int = 0

    def __post_init__(self) -> None:
        self.add(
            "genesis", station=self.station, city=CITY, ledger=self.ledger, software="test",
            key=self.signer.public_key.hex(), continues=self.continues,
            opening={"b1": {"gross_g": self.opening_g, "bag": None, "adjustment": 1}},
        )  # fmt: skip

    @property
    def head(self) -> int:
        return len(self.rows)

    def add(self, kind: str, *, at: dict[str, Any] | None = None, **fields: Any) -> int:
        """One more entry; its seq."""
        seq = self.head + 1
        stamp = {"boot": BOOT, "boot_ms": 1000 * seq, "utc_ms": UTC_MS, "clock": "unsynced"}
        body = canonical({"seq": seq, "kind": kind, "at": stamp | (at or {}), **fields})
        self.rows.append((body, chain.digest(body)))
        self.hashes.append(chain.link(self.hashes[-1], chain.digest(body)))
        return seq

    def weigh(self, count: int = 1, net_g: int = 100, **other: Any) -> int:
        """``count`` drops of the same weight; the seq of the last."""
        for _ in range(count):
            before_g = sum(1 for body, _ in self.rows if body and b'"weighing"' in body) * net_g
            fields = weighing_fields(before_g, before_g + net_g) | other
            self.add("weighing", **fields)
        return self.head

    def weigh_at(self, at: dict[str, Any], fields: dict[str, Any]) -> int:
        """One drop at a moment of the station's clocks; its seq."""
        return self.add("weighing", at=at, **(weighing_fields(0, 0) | fields))

    def check_in(self, person: bytes) -> int:
        """A card was seen; ``person`` is one letter."""
        return self.sealed("checkin", person, visit=None, by="qr", proves=True, tariff=0, points=0)

    def sealed(self, kind: str, person: bytes, **fields: Any) -> int:
        """An entry with a seal; ``person`` is one letter."""
        salt, pseudonym = bytes([self.head % 256]) * 16, person * 16
        seq = self.add(kind, seal=chain.seal(salt, pseudonym).hex(), **fields)
        self.seals[seq] = Seal(seq, salt.hex(), pseudonym.hex())
        return seq

    def batch(
        self, after: int, last: int | None = None, *, signer: Signer | None = None,
        unseal: tuple[int, ...] = (),
    ) -> bytes:  # fmt: skip
        """The JSON of the entries ``after + 1`` to ``last`` (the head)."""
        last = self.head if last is None else last
        key = signer or self.signer
        unseals = None
        if unseal:
            spoken = key.sign(unseal_message(self.ledger, last, unseal))
            unseals = Unseals(list(unseal), signature_text(spoken))
        return encode_batch(
            ledger=self.ledger,
            first=after + 1,
            prev=self.hashes[after],
            rows=self.rows[after:last],
            head=self.hashes[last],
            signature=key.sign(batch_message(self.ledger, last, self.hashes[last])),
            seals=[self.seals[seq] for seq in range(after + 1, last + 1) if seq in self.seals],
            unseals=unseals,
        )

    def decoded(self, after: int = 0) -> Batch:
        return decode_batch(self.batch(after))

    def judge(self, payload: bytes) -> Ack | None:
        """Move the watermark as a station does; the acknowledgement if it counted."""
        ack = verify_ack(payload, CITY_KEY.public_key)
        if ack is None or ack.ledger != self.ledger or ack.seq > self.head:
            return None
        if ack.head != self.hashes[ack.seq] or ack.epoch < self.epoch:
            return None
        if ack.epoch == self.epoch and ack.seq < self.watermark:
            return None
        self.epoch, self.watermark = ack.epoch, ack.seq
        return ack


def weighing_fields(before_g: int, after_g: int) -> dict[str, Any]:
    return {
        "bin": "b1", "item": "pet-bottle", "bag": "bag-1", "visit": "v1",
        "net_g": after_g - before_g, "gross_before_g": before_g, "gross_after_g": after_g,
        "uncertainty_g": 20, "division_g": 20, "adjustment": 1, "mode": "estimate",
        "catalogue": 1, "tariff": 0, "points": 0,
    }  # fmt: skip


class Diary(Book):
    """A ledger with visits that earn something."""

    def visit(self, person: bytes, *points: int, name: str, at_once: int = 0) -> None:
        self.come(person, name, at_once)
        for each in points:
            self.drop(name, each)
        self.leave(name)

    def come(self, person: bytes, visit: str | None, points: int = 0) -> int:
        fields = {"by": "qr", "proves": True, "tariff": 1, "points": points}
        return self.sealed("checkin", person, visit=visit, **fields)

    def drop(self, visit: str | None, points: int) -> None:
        gross_g = 100 * sum(1 for body, _ in self.rows if body and b'"weighing"' in body)
        fields = weighing_fields(gross_g, gross_g + 100)
        self.add("weighing", **fields | {"visit": visit, "points": points})

    def leave(self, visit: str) -> None:
        self.add("visit_close", visit=visit, reason="idle")


def relayed(payload: bytes, thin: Collection[int] = (), strip: Collection[int] = ()) -> bytes:
    """A batch as a carrier without a key may pass it on: texts (``thin``) and seals taken out."""
    batch = json.loads(payload)
    for seq in thin:
        place = seq - batch["first"]
        if 0 <= place < len(batch["entries"]):
            digest = chain.digest(canonical(batch["entries"][place]))
            batch["entries"][place] = {"digest": digest.hex()}
    out = {*thin, *strip}
    batch["seals"] = [each for each in batch["seals"] if each["seq"] not in out]
    return json.dumps(batch, separators=(",", ":"), ensure_ascii=False).encode()
