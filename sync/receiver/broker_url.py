"""A broker's address, as it stands on the command line."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from kiosk.core.errors import OperatorError
from sync.mqtt import Broker


def parse_broker(
    url: str,
    password_file: Path | None = None,
    ca_file: Path | None = None,
    cert_file: Path | None = None,
    key_file: Path | None = None,
) -> Broker:
    """``mqtt://[USER@]HOST[:PORT]`` or ``mqtts://…``; a password never stands in it."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == -1 or parts.password:
        raise OperatorError(
            "broker_url",
            f"The broker URL {parts.scheme}://… is not one.",
            "Write mqtt://HOST:PORT or mqtts://USER@HOST, the password in --password-file.",
        )
    tls = parts.scheme == "mqtts"
    if tls and ca_file is None:
        ca_file = Path("/etc/ssl/certs/ca-certificates.crt")
    return Broker(
        host=parts.hostname,
        port=port or (8883 if tls else 1883),
        username=unquote(parts.username) if parts.username else None,
        password_file=password_file,
        ca_file=ca_file if tls else None,
        cert_file=cert_file,
        key_file=key_file,
    )
