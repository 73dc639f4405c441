"""The engine: a signed command enters, leaves change, events leave. Pure: no I/O, clock, randomness or float."""

from __future__ import annotations

from zlp.engine.commands.base import Command, Envelope
from zlp.engine.events.base import Event
from zlp.engine.rejections import Code, InvariantBroken, Rejection
from zlp.engine.root import Quote, Receipt, Root

__all__ = [
    "Code",
    "Command",
    "Envelope",
    "Event",
    "InvariantBroken",
    "Quote",
    "Receipt",
    "Rejection",
    "Root",
]
