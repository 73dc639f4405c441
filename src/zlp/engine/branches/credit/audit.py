"""Everything that must hold over all vaults and markets, checked the slow way."""

from __future__ import annotations

from collections.abc import Iterator

from zlp.engine import ledger
from zlp.engine.leaves.credit import (
    SETTLED_HOLDER,
    STAKERS_HOLDER,
    CreditMarket,
    CreditSettings,
    CreditStake,
    CreditVault,
    CreditVaultSettings,
    Delegation,
)
from zlp.engine.mechanisms.credit import part_of
from zlp.engine.state import Reader

DUST = 10**12
"""USD units (1e-18 USD) that rounding may part the sums by: one unit per vault per distribution."""


def audit(reader: Reader) -> Iterator[str]:
    """Credit lent adds up, debt distributed equals debt booked, the engine holds what it has promised."""
    tokens = reader.get(CreditSettings, ())
    if tokens is None:
        return
    pending = _pending(reader)
    yield from _lent(reader)
    yield from _debts(reader, pending)
    settled = sum(vault.settled for vault in reader.each(CreditVault)) + pending[2]
    held = ledger.balance_of(reader, SETTLED_HOLDER, tokens.settlement)
    if held < settled:
        yield f"{SETTLED_HOLDER} holds {held}, vaults own {settled}"
    promised = _rewards(reader) + pending[3]
    held = ledger.balance_of(reader, STAKERS_HOLDER, tokens.reward)
    if held < promised:
        yield f"{STAKERS_HOLDER} holds {held}, stakers are owed {promised}"


def _pending(reader: Reader) -> list[int]:
    """What markets have distributed and vaults have not looked at: debts (USD), settlement and reward tokens."""
    totals = [0, 0, 0, 0]
    for delegation in reader.each(Delegation):
        market = reader.get(CreditMarket, (delegation.market,))
        if market is None:
            continue
        changes = (
            market.realized_index - delegation.realized_index,
            market.unrealized_index - delegation.unrealized_index,
            market.settled_index - delegation.settled_index,
            market.reward_index - delegation.reward_index,
        )
        for which, change in enumerate(changes):
            totals[which] += part_of(change, delegation.bearing)
    return totals


def _lent(reader: Reader) -> Iterator[str]:
    lent: dict[str, list[int]] = {}
    for delegation in reader.each(Delegation):
        sums = lent.setdefault(delegation.market, [0, 0])
        sums[0] += delegation.credit
        sums[1] += delegation.bearing
    for market in reader.each(CreditMarket):
        counted = lent.get(market.market, [0, 0])
        if counted != [market.delegated, market.bearing]:
            yield f"market {market.market}: {market.delegated} and {market.bearing}, its vaults sum to {counted}"


def _debts(reader: Reader, pending: list[int]) -> Iterator[str]:
    """Identity (2), and the same for unrealised debt."""
    vaults, markets = list(reader.each(CreditVault)), list(reader.each(CreditMarket))
    booked = sum(vault.realized_debt for vault in vaults) + pending[0]
    paid = sum(vault.pushed_usd + vault.redeemed_usd for vault in vaults)
    distributed = sum(market.realized_seen for market in markets)
    if abs(booked - (distributed - paid)) > DUST:
        yield f"vaults owe {booked}, markets distributed {distributed}, paid {paid}"
    marked = sum(vault.unrealized_debt for vault in vaults) + pending[1]
    seen = sum(market.unrealized_seen for market in markets)
    if abs(marked - seen) > DUST:
        yield f"vaults bear {marked} of unrealised debt, markets distributed {seen}"


def _rewards(reader: Reader) -> int:
    """Reward tokens owed to stakers; stakes must add up to their vault's total and lie with its holder."""
    owed = 0
    for stake in reader.each(CreditStake):
        vault = reader.get(CreditVault, (stake.vault,))
        if vault is not None:
            owed += stake.owed + part_of(vault.reward_index - stake.reward_index, stake.shares)
    return owed


def audit_vaults(reader: Reader) -> Iterator[str]:
    """Staked shares add up and are held."""
    staked: dict[str, int] = {}
    for stake in reader.each(CreditStake):
        staked[stake.vault] = staked.get(stake.vault, 0) + stake.shares
    for vault in reader.each(CreditVault):
        settings = reader.get(CreditVaultSettings, (vault.vault,))
        if settings is None:
            yield f"vault {vault.vault} has no settings"
            continue
        held = ledger.balance_of(reader, vault.stake_holder, settings.share)
        if not staked.get(vault.vault, 0) == vault.staked == held:
            yield f"vault {vault.vault}: staked {vault.staked}, stakes {staked.get(vault.vault, 0)}, held {held}"
