"""Leaves: the nouns of the state. Each module is listed here once; snapshots and governance find it by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from zlp.engine.leaves import (
    access,
    borrowed,
    coin_vaults,
    credit,
    credit_positions,
    cross_margin,
    fund,
    isolated,
    ledger,
    orders,
    pool,
    prices,
    revenue,
    stability,
    staking,
)
from zlp.engine.leaves.base import Leaf, Settings
from zlp.engine.registry import defined_in

KINDS: tuple[type[Leaf], ...] = defined_in(
    Leaf,
    access,
    ledger,
    prices,
    pool,
    isolated,
    orders,
    coin_vaults,
    borrowed,
    revenue,
    credit,
    credit_positions,
    stability,
    fund,
    cross_margin,
    staking,
)
"""Every kind of leaf."""

SETTINGS: dict[str, type[Settings]] = {kind.__name__: kind for kind in KINDS if issubclass(kind, Settings)}
"""The kinds governance writes, by name."""

CLAIMANTS: dict[str, type[Leaf]] = {
    "pool": pool.PoolAsset,
    coin_vaults.HOLDER: coin_vaults.CoinVault,
}
"""Which leaf speaks for the tokens of holders with this prefix; its key is (name, token)."""

if TYPE_CHECKING:
    AnyLeaf = Any
    AnySettings = Any
else:
    AnyLeaf = Union[KINDS]
    AnySettings = Union[tuple(SETTINGS.values())]
