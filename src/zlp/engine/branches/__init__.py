"""Branches: the operations, one package or file per domain. Each is registered in the catalogue here, once."""

from __future__ import annotations

from zlp.engine.branches import (
    basket,
    borrow_pool,
    borrowed,
    cross_margin,
    custody,
    fund,
    governance,
    isolated,
    orders,
    prices,
    revenue,
    staking,
)
from zlp.engine.branches.catalogue import CATALOGUE, register

register(
    governance.BRANCH,
    custody.BRANCH,
    prices.BRANCH,
    basket.BRANCH,
    isolated.BRANCH,
    orders.BRANCH,
    revenue.BRANCH,
    borrow_pool.BRANCH,
    borrowed.BRANCH,
    fund.BRANCH,
    cross_margin.BRANCH,
    staking.BRANCH,
)

__all__ = ["CATALOGUE"]
