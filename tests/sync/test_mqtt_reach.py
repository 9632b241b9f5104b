"""What stands in the way of a connection, by the code that people are told."""

from __future__ import annotations

import socket
import ssl

from sync.mqtt_events import Broker
from sync.mqtt_reach import why


def test_a_broker_that_takes_the_connection_and_says_nothing_is_silent_and_not_away() -> None:
    """A process that hangs: the kernel takes the connection all the same."""
    with socket.create_server(("127.0.0.1", 0)) as hung:
        port = hung.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=0.2) as sock:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            try:
                context.wrap_socket(sock, server_hostname="localhost").close()
            except OSError as error:
                caught = error
    code, words = why(caught, Broker("localhost", port))
    assert code == "broker_silent"
    assert words == f"localhost:{port} takes the connection and says nothing."
