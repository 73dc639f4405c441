"""ZLP: one exact, deterministic market making engine, with a venue and a simulator around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zlp.engine.version import VERSION

if TYPE_CHECKING:
    from zlp.venue import Outcome, Rejected, Venue

__version__ = VERSION

__all__ = ["Outcome", "Rejected", "Venue", "__version__"]


def __getattr__(name: str) -> Any:
    """The facade is loaded when it is asked for, so that importing a part of the package stays quick."""
    if name in ("Venue", "Outcome", "Rejected"):
        from zlp import venue

        return getattr(venue, name)
    raise AttributeError(f"module 'zlp' has no attribute {name!r}")
