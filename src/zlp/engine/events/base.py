"""What an event is: a fact that a committed command made true."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=True):
    """One fact, with every amount at the engine's scale. Projections and the auditor need nothing else."""
