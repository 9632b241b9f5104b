"""One simulated station's ledger: real bodies, chained and signed, in memory."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from kiosk.core import chain
from kiosk.core.canonical import canonical
from sync.messages import (
    MAX_PLAIN_BYTES,
    Ack,
    Seal,
    batch_message,
    encode_batch,
    room_for,
    verify_ack,
)
from sync.messages.batch import FRAME_BYTES
from sync.signing import Signer

CITY = "fleet"
BEGAN_MS = 1_790_000_000_000


class Book:
    """The ledger of the station called ``name``, the same for the same seed."""

    def __init__(self, name: str, seed: int, city_key: bytes) -> None:
        secret = sha256(f"{seed} {name}".encode()).digest()
        self.name = name
        self.signer = Signer(secret)
        self.ledger = sha256(secret).hexdigest()[:32]
        self.watermark = 0
        self.epoch = 0
        self._boot = sha256(self.ledger.encode()).hexdigest()[:32]
        self._city_key = city_key
        self._hashes = [chain.ZERO]
        self._rows: list[tuple[bytes, bytes]] = []
        self._seals: dict[int, Seal] = {}
        self._gross_g = 0
        self._add(
            "genesis",
            station=name,
            city=CITY,
            ledger=self.ledger,
            software="fleet",
            key=self.signer.public_key.hex(),
            continues=None,
            opening={"b1": {"gross_g": 0, "bag": None, "adjustment": 1}},
        )

    @property
    def head(self) -> int:
        return len(self._rows)

    @property
    def head_hash(self) -> bytes:
        return self._hashes[-1]

    def visit(self) -> int:
        """Somebody comes, drops twice and goes; the seq of the last entry."""
        seq = self.head + 1
        visit = f"v{seq}"
        salt = sha256(f"salt {seq} {self.ledger}".encode()).digest()[:16]
        pseudonym = sha256(f"who {seq % 50}".encode()).digest()[:16]
        seal = chain.seal(salt, pseudonym).hex()
        self._add("checkin", visit=visit, seal=seal, by="qr", proves=True, tariff=1, points=0)
        self._seals[seq] = Seal(seq, salt.hex(), pseudonym.hex())
        for net_g in (180 + seq % 700, 320 + seq % 1300):
            self._weighing(visit, net_g)
        return self._add("visit_close", visit=visit, reason="goodbye")

    def batch(self, after: int, max_entries: int) -> tuple[int, bytes] | None:
        """The last seq and the JSON of what follows ``after``; None where nothing does."""
        last, room = after, MAX_PLAIN_BYTES - FRAME_BYTES
        while last < self.head and last - after < max_entries:
            room -= room_for(self._rows[last][0], sealed=last + 1 in self._seals)
            if room < 0:
                break
            last += 1
        if last == after:
            return None
        head = self._hashes[last]
        return last, encode_batch(
            ledger=self.ledger,
            first=after + 1,
            prev=self._hashes[after],
            rows=self._rows[after:last],
            head=head,
            signature=self.signer.sign(batch_message(self.ledger, last, head)),
            seals=[self._seals[seq] for seq in range(after + 1, last + 1) if seq in self._seals],
        )

    def judge(self, payload: bytes) -> Ack | None:
        """The acknowledgement where it counts, as the station's ledger judges; moves the watermark."""
        ack = verify_ack(payload, self._city_key)
        if ack is None or ack.ledger != self.ledger or ack.seq > self.head:
            return None
        if ack.head != self._hashes[ack.seq] or ack.epoch < self.epoch:
            return None
        if ack.epoch == self.epoch and ack.seq < self.watermark:
            return None
        self.epoch, self.watermark = ack.epoch, ack.seq
        return ack

    def _weighing(self, visit: str, net_g: int) -> None:
        before_g, self._gross_g = self._gross_g, self._gross_g + net_g
        self._add(
            "weighing",
            bin="b1",
            item="pet-bottle",
            bag="bag-1",
            visit=visit,
            net_g=net_g,
            gross_before_g=before_g,
            gross_after_g=self._gross_g,
            uncertainty_g=20,
            division_g=20,
            adjustment=1,
            mode="estimate",
            catalogue=1,
            tariff=1,
            points=net_g // 100,
        )

    def _add(self, kind: str, **fields: Any) -> int:
        seq = self.head + 1
        at = {
            "boot": self._boot,
            "boot_ms": 60_000 + 1_500 * seq,
            "utc_ms": BEGAN_MS + 1_500 * seq,
            "clock": "synced",
        }
        body = canonical({"seq": seq, "kind": kind, "at": at, **fields})
        digest = chain.digest(body)
        self._rows.append((body, digest))
        self._hashes.append(chain.link(self._hashes[-1], digest))
        return seq
