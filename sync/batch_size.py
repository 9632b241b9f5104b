"""How many entries go into a batch where the broker does not take large ones.

It may say so at the connection (Maximum Packet Size: the batch is not sent), in a PUBACK or as it hangs up
(reason 0x95). Then the next is fetched at half the size, for as long as this process lives, since the bound
is a setting over there. Batches that were under way together with the first are answered alike, in order,
and count once.
"""

from __future__ import annotations

from sync.messages import MAX_ENTRIES


class BatchSize:
    """``entries`` at most in the next batch."""

    def __init__(self) -> None:
        self.entries = MAX_ENTRIES
        self._stale = 0

    def new_link(self) -> None:
        """Nothing is under way any more."""
        self._stale = 0

    def answered(self) -> bool:
        """A PUBACK came; whether it is of a batch from before the last halving."""
        stale, self._stale = self._stale > 0, max(0, self._stale - 1)
        return stale

    def halve(self, under_way: int) -> bool:
        """One was too large, ``under_way`` others are not answered yet; False where none is smaller."""
        self._stale = under_way
        if self.entries == 1:
            return False
        self.entries //= 2
        return True
