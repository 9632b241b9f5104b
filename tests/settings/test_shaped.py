"""Several threads that meet a type for the first time at the same moment."""

from __future__ import annotations

import subprocess
import sys

ROUNDS = 120
ALL_AT_ONCE = """
import sys, threading
import msgspec
from kiosk.shaped import shaped

sys.setswitchinterval(1e-6)
ready, done = threading.Barrier(4), []

def meet():
    for kind in kinds:
        ready.wait()
        done.append(shaped({"one": {"name": "a"}, "more": [{"name": "b"}]}, kind).more[0].name)

kinds = []
for _ in range(int(sys.argv[1])):
    inner = msgspec.defstruct("Inner", [("name", str), ("size", int | None, None)])
    kinds.append(msgspec.defstruct("Outer", [("one", inner), ("more", tuple[inner, ...])]))
several = [threading.Thread(target=meet) for _ in range(4)]
for one in several:
    one.start()
for one in several:
    one.join()
assert done == ["b"] * 4 * len(kinds)
"""


def test_threads_that_meet_a_type_at_once_bring_nothing_down() -> None:
    done = subprocess.run([sys.executable, "-c", ALL_AT_ONCE, str(ROUNDS)], capture_output=True)
    assert done.returncode == 0, (done.returncode, done.stderr)
