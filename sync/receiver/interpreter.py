"""The interpreter as a receiver wants it: two threads that take turns at it, and few that is garbage.

Theory. One thread opens what came, the other hands rows to the database and mostly waits for it. When the
database has answered, the waiting thread asks for the interpreter (CPython has one lock for all), and the
other one gives it up after ``switchinterval`` only: 5 ms as shipped, a dozen times for each transaction.
Measured (decision 15): asking ten times as often takes a quarter off a round and costs no processor time.

The collector of cycles looks at young objects after each 700 that were made and are still there. A batch is
thousands of tuples without one cycle. What is there at the start stays for good, and need not be looked
at again.
"""

from __future__ import annotations

import gc
import sys

SWITCH_S = 0.0005
YOUNG = 50_000


def settle() -> None:
    """Once, when all is imported."""
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
