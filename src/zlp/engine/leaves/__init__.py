"""Leaves: the nouns of the state. Each module is listed here once; snapshots and governance find it by name."""

from __future__ import annotations

from types import ModuleType
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


def _kinds(*modules: ModuleType) -> tuple[type[Leaf], ...]:
    """The leaf types a module defines, in the order they are written."""
    return tuple(
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Leaf) and value.__module__ == module.__name__
    )


KINDS: tuple[type[Leaf], ...] = _kinds(
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
