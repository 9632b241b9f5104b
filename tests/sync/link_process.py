"""The uplink as a process of its own: ``link_process.py SOCKET BROKER [HOSTS]``.

``BROKER`` is JSON. ``HOSTS``, if given, is this machine's name service: a file of names and addresses,
which a story may edit; a name that is not there is not known.
"""

import json
import logging
import socket
import sys
from pathlib import Path
from typing import Any

from sync.mqtt import Broker
from sync.run_uplink import run_uplink

real_lookup = socket.getaddrinfo


def lookup(hosts: Path) -> Any:
    def found(host: str, *rest: Any, **options: Any) -> Any:
        known = dict(line.split() for line in hosts.read_text(encoding="utf-8").splitlines())
        if host in known.values():  # an address needs no name service
            return real_lookup(host, *rest, **options)
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real_lookup(known[host], *rest, **options)

    return found


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    if len(sys.argv) > 3:
        socket.getaddrinfo = lookup(Path(sys.argv[3]))
    said = json.loads(sys.argv[2])
    files = {name: Path(said.pop(name)) for name in list(said) if name.endswith("_file")}
    run_uplink(
        Path(sys.argv[1]), Broker(**said, **files), on_started=lambda: logging.info("started")
    )
