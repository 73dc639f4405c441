"""A keeper's own copy of a venue's state, kept up by the venue's log: every node computes the same state.

It knows no signatures and keeps no digest; it is for looking, trying out and deciding. The venue decides.
"""

from __future__ import annotations

from zlp.engine import Command, Envelope, Receipt, Root


class Replica:
    """A root that follows. ``follow`` takes the log's entries in order; entries already known are skipped."""

    def __init__(self, root: Root) -> None:
        self.root = root

    @property
    def sequence(self) -> int:
        """The last entry it has seen."""
        return self.root.sequence

    def follow(self, account: str, command: Command, receipt: Receipt) -> bool:
        """Take one entry; whether it was new. Raises ``ValueError`` if entries before it are missing."""
        if receipt.sequence <= self.root.sequence:
            return False
        if receipt.sequence != self.root.sequence + 1:
            raise ValueError(f"entries {self.root.sequence + 1} to {receipt.sequence - 1} are missing")
        if receipt.rejection is None:
            ours = self.root.apply(Envelope(time=receipt.time, account=account, command=command))
            if ours.rejection is not None:
                raise ValueError(f"the venue accepted entry {receipt.sequence}, this copy refuses: {ours.rejection}")
        else:
            self.root.sequence = receipt.sequence
        return True
