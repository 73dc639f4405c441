"""What a mechanism is: a frozen struct of parameters with the pure formula that uses them."""

from __future__ import annotations

import re

import msgspec


def _tag(name: str) -> str:
    """``DynamicTax`` is ``type = "dynamic_tax"`` in a profile."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Mechanism(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=_tag, forbid_unknown_fields=True):
    """Parameters and formula together. A TOML table with ``type = "..."`` is one; numbers in, number out."""

    def invalid(self) -> str | None:
        """Why these numbers can't be used, in words, or ``None``."""
        return None
