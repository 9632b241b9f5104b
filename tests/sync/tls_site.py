"""A city's certificates and a real mosquitto behind TLS: made, spoilt, revoked and renewed in a story."""

from __future__ import annotations

import datetime
import re
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from city_site import Mosquitto
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sync_site import CITY, STATION

IDENTITY = f"{CITY}/{STATION}"
NOW = datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, as files."""

    cert: Path
    key: Path
    serial: int


class Authority:
    """One certificate authority, with its list of what it revoked."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca = folder / f"{name}.crt"
        self.crl = folder / f"{name}.crl"
        self._number = 0
        made = self._signed(self._name, self._key, (-1, 3650), "localhost", ca=True)
        self.ca.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        self.revoke()

    def issue(
        self, name: str, *, days: tuple[int, int] = (-1, 365), host: str = "localhost"
    ) -> Issued:
        """A new one for ``name``, good from and until so many days from now."""
        self._number += 1
        stem = self._folder / f"{re.sub(r'[^a-z0-9]', '-', name)}-{self._number}"
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        cert = self._signed(subject, key, days, host)
        issued = Issued(stem.with_suffix(".crt"), stem.with_suffix(".key"), cert.serial_number)
        issued.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        issued.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return issued

    def revoke(self, *issued: Issued, days: tuple[int, int] = (-1, 30)) -> None:
        """The list of revoked certificates, anew: these, and no others."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(NOW + datetime.timedelta(days=days[0]))
            .next_update(NOW + datetime.timedelta(days=days[1]))
        )
        for each in issued:
            revoked = x509.RevokedCertificateBuilder().serial_number(each.serial)
            builder = builder.add_revoked_certificate(revoked.revocation_date(NOW).build())
        made = builder.sign(self._key, hashes.SHA256())
        self.crl.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        days: tuple[int, int],
        host: str,
        *,
        ca: bool = False,
    ) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + datetime.timedelta(days=days[0]))
            .not_valid_after(NOW + datetime.timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )


class TlsMosquitto(Mosquitto):
    """As ``Mosquitto``, with a second, TLS, listener that wants a certificate. ``extra`` lines of settings
    hold for both."""

    def __init__(self, folder: Path, authority: Authority, server: Issued, extra: str = "") -> None:
        self._authority = authority
        self.tls_port = free_port()
        self._server = server
        self.extra = extra
        super().__init__(folder)

    def start(self) -> None:
        """With the certificate, the list of revoked ones and the settings as they are now."""
        lines = (
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n"
            f"set_tcp_nodelay true\npersistence false\nlog_type error\n{self.extra}\n"
            f"listener {self.tls_port} 127.0.0.1\n"
            f"cafile {self._authority.ca}\ncrlfile {self._authority.crl}\n"
            f"certfile {self._server.cert}\nkeyfile {self._server.key}\n"
            "require_certificate true\nuse_identity_as_username true\n"
        )
        self._config.write_text(lines, encoding="utf-8")
        super().start()

    def restart(self, *, server: Issued | None = None, extra: str | None = None) -> None:
        """As its administrator would after a change."""
        self.kill()
        self._server = server or self._server
        self.extra = self.extra if extra is None else extra
        self.start()

    def reload(self) -> None:
        """Read the lists of rights again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
