"""Branches: the operations, one package or file per domain. Each is registered in the catalogue here, once."""

from __future__ import annotations

from zlp.engine.branches import (
    basket,
    borrow_pool,
    borrowed,
    credit,
    credit_positions,
    credit_vaults,
    cross_margin,
    custody,
    fee_distribution,
    fund,
    governance,
    isolated,
    orders,
    prices,
    revenue,
    stability,
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
    credit.BRANCH,
    credit_vaults.BRANCH,
    fee_distribution.BRANCH,
    stability.BRANCH,
    credit_positions.BRANCH,
)

__all__ = ["CATALOGUE"]
