"""Branches: the operations, one package or file per domain. Each is registered in the catalogue here, once."""

from __future__ import annotations

from zlp.engine.branches import (
    basket,
    custody,
    governance,
    isolated,
    prices,
)
from zlp.engine.branches.catalogue import CATALOGUE, register

register(
    governance.BRANCH,
    custody.BRANCH,
    prices.BRANCH,
    basket.BRANCH,
    isolated.BRANCH,
)

__all__ = ["CATALOGUE"]
