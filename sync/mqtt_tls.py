"""TLS to the broker: the context made from the settings' files, and what its failures mean.

Trust: only ``ca_file``'s authorities, the broker's name checked, TLS 1.2 or later; with a ``crl_file`` the
broker's certificate must not stand on it, and a list that is missing or out of date is a refusal (RFC 5280,
6.3: without a list nothing is known to be valid). The station shows its own certificate where it has one.

The files are read when they change and not before, so a certificate renewed in place is used by the next
connection, and a pair of files caught half written is no trouble: the old context stays in use.

With TLS 1.3 a broker that refuses the client's certificate says so after the handshake, in an alert that
the next read meets (RFC 8446, 4.4.2.4 and 6.2); ``_Socket`` keeps it, because paho tells only that the
connection is gone.

A session that is resumed skips both certificates (RFC 8446, 2.2): it saves most of the handshake's bytes,
and nobody's revocation is looked at again while it lasts. So only a metered line asks for it.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any, Protocol, Self

from cryptography import x509

from kiosk.core.errors import OperatorError

SESSION_LIFE_S = 7200.0
"""OpenSSL's servers forget a session after this; older ones are not offered."""

_VERIFY = {
    3: ("crl_unfit", "the revocation list of its authority is missing"),
    9: ("broker_cert_early", "it is not valid yet, or this machine's clock is wrong"),
    10: ("broker_cert_expired", "it has expired"),
    11: ("crl_unfit", "the revocation list is not valid yet, or this machine's clock is wrong"),
    12: ("crl_unfit", "the revocation list is out of date"),
    23: ("broker_cert_revoked", "it was revoked"),
    62: ("broker_cert_name", "it is another machine's"),
    64: ("broker_cert_name", "it is for another address"),
}
"""X509_V_ERR_* (OpenSSL, x509_vfy.h): what is wrong with the broker's certificate."""

_ALERTS = {
    "ALERT_CERTIFICATE_EXPIRED": ("cert_expired", "has expired"),
    "ALERT_CERTIFICATE_REVOKED": ("cert_revoked", "was revoked"),
    "ALERT_CERTIFICATE_REQUIRED": ("cert_wanted", "is missing"),
    "ALERT_UNKNOWN_CA": ("cert_refused", "is not of an authority that the broker knows"),
    "ALERT_BAD_CERTIFICATE": ("cert_refused", "is not taken"),
    "ALERT_UNSUPPORTED_CERTIFICATE": ("cert_refused", "is of a kind that the broker does not take"),
    "ALERT_CERTIFICATE_UNKNOWN": ("cert_refused", "is not taken"),
    "ALERT_ACCESS_DENIED": ("cert_refused", "gives no access"),
    "ALERT_DECRYPT_ERROR": ("cert_refused", "does not fit its key"),
    "ALERT_HANDSHAKE_FAILURE": ("cert_wanted", "is missing, or no cipher is common to both"),
}
"""Alerts of RFC 8446, 6.2 about our certificate, as OpenSSL names them after SSLV3_, TLSV1_ or TLSV13_."""


class TlsFiles(Protocol):
    """The part of ``Broker`` that is read here."""

    @property
    def host(self) -> str: ...
    @property
    def ca_file(self) -> Path | None: ...
    @property
    def cert_file(self) -> Path | None: ...
    @property
    def key_file(self) -> Path | None: ...
    @property
    def crl_file(self) -> Path | None: ...


_ORDINARY = (
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
)


class _Socket(ssl.SSLSocket):
    """Remembers what TLS said last, whoever reads."""

    trouble: ssl.SSLError | None = None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except ssl.SSLError as error:
            self._keep(error)
            raise

    def send(self, data: Any, flags: int = 0) -> int:
        try:
            return super().send(data, flags)
        except ssl.SSLError as error:
            self._keep(error)
            raise

    def _keep(self, error: ssl.SSLError) -> None:
        """An end without TLS's farewell is an ordinary loss, and waiting is no trouble."""
        if error.reason and not isinstance(error, _ORDINARY):
            self.trouble = error


class Context(ssl.SSLContext):
    """A client's context for one broker, which is known by its name and reached by its address."""

    host: str
    session: tuple[float, ssl.SSLSession] | None
    """The last one, and when it was used (seconds of a monotonic clock)."""

    def __new__(cls, *_: Any) -> Self:
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made.sslsocket_class = _Socket
        made.session = None
        return made

    def wrap_socket(self, sock: socket.socket, *args: Any, **options: Any) -> ssl.SSLSocket:
        """As ``SSLContext``, but for this broker's name, and resuming its last session."""
        options["server_hostname"] = self.host
        if self.session is not None:
            options["session"] = self.session[1]
        return super().wrap_socket(sock, *args, **options)


class Tls:
    """The context in use, and whether the files have changed since it was made."""

    def __init__(self, files: TlsFiles, *, resume: bool = False) -> None:
        self._files = files
        self._resume = resume
        self._context: Context | None = None
        self._seen: tuple[object, ...] = ()

    def context(self, now_s: float) -> Context:
        """For the next connection: the old one where new files do not fit (``renewed`` tells that). Raises
        OperatorError where there is none.

        ``now_s`` of a monotonic clock, by which a session's age is told.
        """
        seen = self._look()
        if self._context is None or seen != self._seen:
            try:
                self._context, self._seen = self._made(), seen
            except OperatorError:
                if self._context is None:
                    raise
        session = self._context.session
        if session is not None and now_s - session[0] > SESSION_LIFE_S:
            self._context.session = None
        return self._context

    def used(self, sock: ssl.SSLSocket, now_s: float) -> None:
        """A connection is well: keep its session for the next, where the settings want that."""
        if self._resume and self._context is sock.context and sock.session is not None:
            self._context.session = (now_s, sock.session)

    def renewed(self) -> bool:
        """Whether the files have changed since a connection was made with them. Raises OperatorError where
        they have and do not fit: the context in use stays good."""
        if self._context is None or self._look() == self._seen:
            return False
        self._made()
        return True

    def until_ms(self) -> int | None:
        """The end of the station's certificate (UTC); None where there is none to be read."""
        if self._files.cert_file is None:
            return None
        try:
            found = x509.load_pem_x509_certificate(self._files.cert_file.read_bytes())
        except (OSError, ValueError):
            return None  # whoever connects with it says what is wrong
        return int(found.not_valid_after_utc.timestamp() * 1000)

    def _look(self) -> tuple[object, ...]:
        files = self._files
        return tuple(
            _trace(each)
            for each in (files.ca_file, files.cert_file, files.key_file, files.crl_file)
        )

    def _made(self) -> Context:
        files = self._files
        context = Context()
        context.host = files.host
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(cafile=files.ca_file)
            if files.crl_file is not None:
                context.load_verify_locations(cafile=files.crl_file)
                context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
            if files.cert_file is not None:
                context.load_cert_chain(files.cert_file, files.key_file, password=_no_password)
        except (OSError, ValueError) as error:
            raise OperatorError(
                "tls_files",
                f"The TLS files for {files.host} cannot be used ({error}).",
                "Check ca_file, cert_file, key_file and crl_file in the settings.",
            ) from error
        return context


def _no_password() -> str:
    """Else OpenSSL would ask for one on the terminal, and the uplink would hang."""
    raise ValueError("the key has a password")


def _trace(path: Path | None) -> object:
    """What changes when a file is written or replaced."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError as error:
        return error.errno
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def why(error: ssl.SSLError, place: str) -> tuple[str, str]:
    """(code, words) of a handshake or a connection that TLS ended."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code, words = _VERIFY.get(
            error.verify_code, ("tls_refused", f"{error.verify_message or 'it does not hold'}")
        )
        return code, f"The certificate of {place} does not hold: {words}."
    reason = error.reason or ""
    for name, (code, words) in _ALERTS.items():
        if reason.endswith(name):
            return code, f"{place} refuses the station: its certificate {words}."
    return "tls_failed", f"No TLS with {place}: {reason or error}."
