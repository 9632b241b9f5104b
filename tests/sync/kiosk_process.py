"""``kiosk`` where the name service is a file (``link_process``): ``kiosk_process.py HOSTS COMMAND…``."""

import socket
import sys
from pathlib import Path

from link_process import lookup

from kiosk.cli import main

if __name__ == "__main__":
    socket.getaddrinfo = lookup(Path(sys.argv[1]))
    sys.argv = ["kiosk", *sys.argv[2:]]
    main()
