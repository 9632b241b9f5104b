"""A city's database with a day in it, a sink that remembers, and a platform's real HTTP endpoint."""

from __future__ import annotations

import http.server
import ipaddress
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sync_site import CITY, STATION, STATION_KEY, TOPIC, UTC_MS, Book

from sync.receiver import registry, store
from sync.receiver.database import open_database
from sync.receiver.sinks import Aside, Batch, Change, Follower

NOW_MS = UTC_MS + 3_600_000
CLOCK = {"uncertainty_ms": 50, "source": "ntp"}


def new_city(url: str) -> sa.Engine:
    """A database that knows the station."""
    engine = open_database(url)
    with engine.begin() as connection:
        registry.add_station(connection, CITY, STATION, STATION_KEY.public_key)
    return engine


def store_all(engine: sa.Engine, book: Book, after: int = 0) -> None:
    """As the receiver stores it, in batches within the contract's bound."""
    for start in range(after, book.head, 300):
        last = min(book.head, start + 300)
        store.take(engine, [store.Delivery(TOPIC, book.batch(start, last))], NOW_MS)
    with engine.connect() as connection:
        row = registry_row(connection, book.ledger)
    assert row == book.head, "everything is stored"


def registry_row(connection: sa.Connection, ledger: str) -> int:
    of = sa.text("SELECT watermark FROM ledger WHERE ledger = :ledger")
    return int(connection.execute(of, {"ledger": ledger}).scalar_one())


def set_clock(book: Book, *, ms: int = 0) -> int:
    """From this entry on (and back to the boot) the station knows the time."""
    return book.add("clock", utc_ms=UTC_MS + 1000 * (book.head + 1) + ms, **CLOCK)


def a_day(book: Book) -> None:
    """Cards, drops, a count, the swap of a bag, drift: what a day at a station is made of."""
    set_clock(book)
    for person in (b"p", b"q"):
        book.check_in(person)
        book.weigh(2)
    book.add("item_count", item="can", bin="b2", visit=None, count=3)
    book.add(
        "bag_swap", bin="b1", item="pet-bottle", bag="bag-1", new_bag="bag-2",
        net_g=400, gross_before_g=400, gross_after_g=0,
    )  # fmt: skip
    book.add(
        "unattributed", bin="b1", item="pet-bottle", bag="bag-2", cause="drift", net_g=-5,
        gross_before_g=0, gross_after_g=-5, uncertainty_g=20,
    )  # fmt: skip


@dataclass
class Remembering:
    """A sink of a town, as docs/sinks.md tells it: it keeps by id, and may be away."""

    name: str = "town"
    batches: list[Batch] = field(default_factory=list)
    deposits: dict[str, Change] = field(default_factory=dict)
    trouble: list[Exception] = field(default_factory=list)
    aside: list[Aside] = field(default_factory=list)
    closed: bool = False

    def deliver(self, batch: Batch) -> Sequence[Aside]:
        if self.trouble:
            raise self.trouble.pop(0)
        self.batches.append(batch)
        self.deposits |= {change.id: change for change in batch.changes}
        taken, self.aside = self.aside, []
        return taken

    def close(self) -> None:
        self.closed = True

    @property
    def seqs(self) -> list[int]:
        return [change.seq for batch in self.batches for change in batch.changes]


def drain(follower: Follower, steps: int = 50) -> float:
    """Steps while there is more; what the last one waits."""
    for _ in range(steps):
        wait_s = follower.step()
        if wait_s:
            return wait_s
    raise AssertionError("it never ends")


@dataclass
class Request:
    """What the platform got."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Act = Callable[["_Handler"], None]


def answer(status: int, body: bytes = b"", **headers: str) -> Act:
    """As a platform answers."""

    def act(handler: _Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return act


def reset_in_mid_body(handler: _Handler) -> None:
    """Promises a hundred bytes, sends ten, and the line is cut (RST)."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def silent(handler: _Handler) -> None:
    """Says nothing until the platform is switched off, or the other end has gone."""
    handler.connection.settimeout(20)
    handler.connection.recv(1)
    handler.close_connection = True


def drip(handler: _Handler) -> None:
    """A byte now and then, for ever: each is in time, the whole never comes."""
    try:
        while True:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: yes\r\n"[:1])
            handler.wfile.flush()
            threading.Event().wait(0.05)
    except OSError:
        handler.close_connection = True


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    platform: Platform

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(parts.path, parse_qs(parts.query), headers, body)
        self.platform.take(request)(self)

    def log_message(self, format: str, *args: object) -> None:
        pass


def certificate(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for 127.0.0.1 that is signed by itself: (key file, certificate file)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "platform")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    files = folder / "platform.key", folder / "platform.pem"
    files[0].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    files[1].write_bytes(made.public_bytes(pem))
    return files


class Platform:
    """Records every request; ``script`` is what it does next, ``then`` what it does after that."""

    def __init__(
        self,
        then: Callable[[Request], Act] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.script: list[Act] = []
        self._then = then or (lambda _: answer(204))
        handler = type("Handler", (_Handler,), {"platform": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if tls is not None else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def take(self, request: Request) -> Act:
        self.requests.append(request)
        return self.script.pop(0) if self.script else self._then(request)

    def entities(self) -> dict[str, dict[str, Any]]:
        """As a context broker holds them: by id, the last word."""
        return {one["id"]: one for request in self.requests for one in request.json}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
