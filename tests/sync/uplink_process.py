"""The uplink as a process of its own: ``uplink_process.py SOCKET PORT``."""

import logging
import sys
from pathlib import Path

from sync.mqtt import Broker
from sync.run_uplink import run_uplink

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    run_uplink(Path(sys.argv[1]), Broker("127.0.0.1", int(sys.argv[2]), keepalive_s=5))
