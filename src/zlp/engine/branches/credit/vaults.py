"""A vault's account: it takes its part of its markets' debt, knows its capacity, lends it by weight (reference 5)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger, pricing
from zlp.engine.branches.credit.markets import distribute
from zlp.engine.branches.credit.values import (
    collateral,
    credit_of,
    credit_settings,
    market_settings,
    market_state,
    require_fresh,
    usd_of,
)
from zlp.engine.draft import Draft
from zlp.engine.events import credit as events
from zlp.engine.leaves.credit import (
    PROTOCOL_HOLDER,
    STAKERS_HOLDER,
    CreditMarket,
    CreditVault,
    CreditVaultSettings,
    Delegation,
)
from zlp.engine.leaves.credit_positions import SkewTotals
from zlp.engine.mechanisms.credit import INDEX, bearing, capacity, lent, part_of, per_credit, vault_debt
from zlp.engine.rejections import Code, Reject


def vault_settings(draft: Draft, vault: str) -> CreditVaultSettings:
    """A vault's terms, or ``unknown_vault``; what it holds and issues can't change once it has a deposit."""
    settings = draft.need(CreditVaultSettings, (vault,), Code.UNKNOWN_VAULT)
    state = draft.get(CreditVault, (vault,))
    if state is not None and state.share and (state.token, state.share) != (settings.token, settings.share):
        raise Reject(Code.SETTING_IN_USE, detail=f"{vault} holds {state.token} for {state.share}")
    return settings


def require_live(draft: Draft, settings: CreditVaultSettings) -> None:
    """Refuse a vault that is switched off, or whose collateral is."""
    if not settings.live:
        raise Reject(Code.VAULT_NOT_LIVE, detail=settings.vault)
    if not collateral(draft, settings.token).enabled:
        raise Reject(Code.COLLATERAL_DISABLED, detail=settings.token)


def vault_state(draft: Draft, vault: str) -> CreditVault:
    """A vault's account."""
    return draft.get(CreditVault, (vault,)) or CreditVault(vault, points_at=draft.time)


def assets(draft: Draft, settings: CreditVaultSettings) -> int:
    """Collateral a vault holds, in base units."""
    return ledger.balance_of(draft, settings.holder, settings.token)


def debt(draft: Draft, state: CreditVault) -> int:
    """What a vault owes in all (USD, signed)."""
    return vault_debt(state.realized_debt, _settled_usd(draft, state), state.unrealized_debt)


def unsettled(draft: Draft, state: CreditVault) -> int:
    """Realised debt not covered by settlement tokens (USD, signed)."""
    return vault_debt(state.realized_debt, _settled_usd(draft, state), 0)


def _settled_usd(draft: Draft, state: CreditVault) -> int:
    return usd_of(draft, credit_settings(draft).settlement, state.settled)


def vault_capacity(draft: Draft, settings: CreditVaultSettings, state: CreditVault) -> int:
    """Credit a vault can lend: its collateral's credit value less its debt (signed)."""
    return capacity(credit_of(draft, settings.token, assets(draft, settings)), debt(draft, state))


def require_fresh_prices(draft: Draft, settings: CreditVaultSettings, *, reducing: bool = False) -> None:
    """Refuse stale prices of a vault's collateral and of the markets whose traders it backs."""
    require_fresh(draft, settings.token, reducing=reducing)
    for weight in settings.markets:
        totals = draft.get(SkewTotals, (weight.market,))
        if totals is not None and totals.open_interest:
            pricing.require_fresh(draft, market_settings(draft, weight.market).asset, reducing=reducing)


def recalculate(draft: Draft, settings: CreditVaultSettings) -> CreditVault:
    """Take the vault's part of everything its markets distributed, then lend by its present capacity.

    Cost is O(markets of this vault). The part is by the credit held until now; the credit lent from here on is
    by the capacity after it.
    """
    state = vault_state(draft, settings.vault)
    taken = [0, 0, 0, 0]
    for name in _markets(settings, state):
        market = distribute(draft, name)
        delegation = draft.get(Delegation, (settings.vault, name))
        if delegation is not None:
            for which, part in enumerate(_part(market, delegation)):
                taken[which] += part
    realized, unrealized, settled, reward = taken
    state = _with_points(draft, settings, state)
    state = replace(
        state,
        realized_debt=state.realized_debt + realized,
        unrealized_debt=state.unrealized_debt + unrealized,
        settled=state.settled + settled,
    )
    state = _with_reward(draft, state, reward)
    draft.put(state)
    state = lend(draft, settings)
    draft.record(
        events.VaultRecalculated(
            vault=settings.vault,
            realized_change=realized,
            unrealized_change=unrealized,
            settled_change=settled,
            reward_change=reward,
            capacity_usd=vault_capacity(draft, settings, state),
        )
    )
    return state


def lend(draft: Draft, settings: CreditVaultSettings) -> CreditVault:
    """Set what each market is lent by the vault's capacity and weights; release markets that were left out.

    Only right after the vault took its part (``recalculate``): it moves the checkpoints.
    """
    state = vault_state(draft, settings.vault)
    free = vault_capacity(draft, settings, state)
    weights = {weight.market: weight.weight for weight in settings.markets}
    total = sum(weights.values())
    for name in _markets(settings, state):
        _delegate(draft, settings.vault, name, weights.get(name, 0), lent(free, weights.get(name, 0), total))
    state = replace(state, markets=tuple(weights))
    draft.put(state)
    return state


def _delegate(draft: Draft, vault: str, name: str, weight: int, credit: int) -> None:
    """Lend ``credit`` to a market from here on; a market without weight is released."""
    market = market_state(draft, name)
    before = draft.get(Delegation, (vault, name)) or Delegation(vault, name)
    bears = bearing(credit, before.credit, before.bearing) if weight else 0
    after = Delegation(
        vault,
        name,
        credit,
        bears,
        market.realized_index,
        market.unrealized_index,
        market.settled_index,
        market.reward_index,
    )
    lent_more, bears_more = credit - before.credit, bears - before.bearing
    if lent_more or bears_more:
        draft.put(replace(market, delegated=market.delegated + lent_more, bearing=market.bearing + bears_more))
    if bears:
        draft.put(after)
    elif before.bearing:
        draft.drop(before)


def _markets(settings: CreditVaultSettings, state: CreditVault) -> list[str]:
    """Markets the vault lends to, and those it did until its settings changed; each once, in that order."""
    return list(dict.fromkeys((*(weight.market for weight in settings.markets), *state.markets)))


def _part(market: CreditMarket, delegation: Delegation) -> tuple[int, int, int, int]:
    credit = delegation.bearing
    return (
        part_of(market.realized_index - delegation.realized_index, credit),
        part_of(market.unrealized_index - delegation.unrealized_index, credit),
        part_of(market.settled_index - delegation.settled_index, credit),
        part_of(market.reward_index - delegation.reward_index, credit),
    )


def _with_points(draft: Draft, settings: CreditVaultSettings, state: CreditVault) -> CreditVault:
    """Points grow with time for every staked share (Z8)."""
    grown = settings.point_rate * (draft.time - state.points_at)
    return replace(state, point_index=state.point_index + grown, points_at=draft.time)


def _with_reward(draft: Draft, state: CreditVault, reward: int) -> CreditVault:
    """Reward tokens belong to those who stake; of a vault without stakers they are the protocol's."""
    if not reward:
        return state
    if not state.staked:
        ledger.move(draft, credit_settings(draft).reward, STAKERS_HOLDER, PROTOCOL_HOLDER, reward)
        return state
    return replace(state, reward_index=state.reward_index + per_credit(reward, state.staked, INDEX))
