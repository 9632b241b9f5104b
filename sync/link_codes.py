"""Which troubles of the way to the city no waiting mends.

Somebody has to change a certificate, a right, a setting or the contract with the broker. Such a trouble is
tried again seldom, because on a paid-for line each try costs, and the doctor tells it as an error; every
other one is weather. Free of I/O: the rules and the doctor both read it.
"""

from __future__ import annotations

TLS_PEOPLE = frozenset(
    {
        "tls_refused",
        "tls_failed",
        "broker_cert_expired",
        "broker_cert_name",
        "broker_cert_revoked",
        "crl_unfit",
        "cert_expired",
        "cert_revoked",
        "cert_wanted",
        "cert_refused",
    }
)
"""Of certificates; one that is not valid yet (``broker_cert_early``) waits for our clock."""

BROKER_PEOPLE = frozenset(
    {
        "wrong_version",
        "client_id_refused",
        "login_refused",
        "banned",
        "taken_over",
        "topic_refused",
        "quota",
        "admin_action",
        "no_retain",
        "no_qos1",
        "no_shared",
        "other_broker",
        "subscription_refused",
    }
)
"""Of the broker's answers (``mqtt_reasons``)."""

FILE_PEOPLE = frozenset({"tls_files", "password_file_unreadable"})
"""Of files on this machine. They are looked at anyway, so the next try costs nothing."""

PEOPLE = TLS_PEOPLE | BROKER_PEOPLE | FILE_PEOPLE
TWIN = frozenset({"taken_over", "cut_short"})
"""Another client has this station's name, for certain (MQTT 5, reason 0x8E) or as it seems."""
COSTLY = TLS_PEOPLE | BROKER_PEOPLE | TWIN
"""Those whose every try sends a handshake, or throws a twin off the line."""
