"""ZLPBranch: vaults of one collateral each; deposit, stake, withdraw after a delay (Z2, Z8; reference section 4)."""

from __future__ import annotations

from msgspec.structs import replace

from zlp.engine import ledger
from zlp.engine.access import next_number
from zlp.engine.branches.base import Branch
from zlp.engine.branches.credit.audit import audit_vaults
from zlp.engine.branches.credit.values import price_of
from zlp.engine.branches.credit.vaults import (
    assets,
    debt,
    lend,
    recalculate,
    require_fresh_prices,
    require_live,
    vault_capacity,
    vault_settings,
)
from zlp.engine.branches.custody import require_amount
from zlp.engine.commands import credit as commands
from zlp.engine.commands.liquidity import Donate, MeasurePool, Mint
from zlp.engine.draft import Draft
from zlp.engine.events import credit as events
from zlp.engine.events.liquidity import Donated, FeeCharged, PoolMeasured, SharesBurned, SharesMinted
from zlp.engine.fixed import RATE, mul_div_down, value_of
from zlp.engine.leaves.credit import PROTOCOL_HOLDER, CreditStake, CreditVault, CreditVaultSettings, Redemption
from zlp.engine.leaves.ledger import Token
from zlp.engine.mechanisms.credit import SHARE_DECIMALS, assets_for, locked, net_assets, part_of, shares_for
from zlp.engine.rejections import Code, Reject

MIN_STAKE = 100_000
"""Fewest base units of shares one can stake: keeps rewards per share small enough to be exact."""


def deposit(draft: Draft, command: Mint) -> None:
    """Deposit collateral for shares; the fee comes off the deposit, the cap counts what is left of it."""
    require_amount(command.amount)
    settings = vault_settings(draft, command.pool)
    require_live(draft, settings)
    if command.token != settings.token:
        raise Reject(Code.TOKEN_NOT_LISTED, detail=command.token)
    require_fresh_prices(draft, settings)
    state = recalculate(draft, settings)
    fee = mul_div_down(command.amount, settings.deposit_fee, RATE)
    net = command.amount - fee
    if not net or (settings.deposit_fee and not fee):
        raise Reject(Code.ZERO_AMOUNT, actual=fee, detail="fee or deposit rounds to nothing")
    held = assets(draft, settings)
    room = max(settings.deposit_cap - held, 0)
    if net > room:
        raise Reject(Code.DEPOSIT_CAP_EXCEEDED, limit=room, actual=net)
    _share_token(draft, settings)
    worth = _net(draft, settings, state, entering=True)
    supply = ledger.supply_of(draft, settings.share)
    shares = shares_for(net, worth, supply)
    if not shares or shares < command.min_shares:
        raise Reject(Code.SHARES_BELOW_MINIMUM, limit=max(command.min_shares, 1), actual=shares)

    ledger.move(draft, settings.token, draft.sender, PROTOCOL_HOLDER, fee)
    ledger.move(draft, settings.token, draft.sender, settings.holder, net)
    ledger.issue(draft, settings.share, draft.sender, shares)
    lend(draft, settings)
    _charge(draft, settings, "mint", fee)
    draft.record(
        SharesMinted(
            pool=settings.vault,
            account=draft.sender,
            token=settings.token,
            amount=command.amount,
            shares=shares,
            value_usd=_usd(draft, settings, net),
            pool_value_usd=_usd(draft, settings, worth),
            supply=supply,
            fee_rate=settings.deposit_fee,
            fee_scale=RATE,
        )
    )


def _share_token(draft: Draft, settings: CreditVaultSettings) -> None:
    """The share token comes into being with a vault's first deposit; nothing else may have issued it."""
    state = draft.need(CreditVault, (settings.vault,), Code.UNKNOWN_VAULT)
    if state.share:
        return
    known = draft.get(Token, (settings.share,))
    if known is not None and (ledger.supply_of(draft, settings.share) or known.decimals != SHARE_DECIMALS):
        raise Reject(Code.INVALID_SETTING, detail=f"{settings.share} exists")
    if known is not None and not known.issued:
        raise Reject(Code.INVALID_SETTING, detail=f"{settings.share} must be marked as issued")
    draft.put(known or Token(settings.share, SHARE_DECIMALS, issued=True))
    draft.put(replace(state, share=settings.share, token=settings.token))


def _net(draft: Draft, settings: CreditVaultSettings, state: CreditVault, entering: bool) -> int:
    """What all shares are worth in collateral, by the price that is worse for who asks."""
    owed = debt(draft, state)
    price = price_of(draft, settings.token, maximise=(owed > 0) == entering)
    decimals = ledger.token(draft, settings.token).decimals
    return net_assets(assets(draft, settings), decimals, owed, price)


def _usd(draft: Draft, settings: CreditVaultSettings, amount: int) -> int:
    return value_of(amount, price_of(draft, settings.token), ledger.token(draft, settings.token).unit)


def _charge(draft: Draft, settings: CreditVaultSettings, kind: str, fee: int) -> None:
    if fee:
        draft.record(
            FeeCharged(
                kind=kind,
                pool=settings.vault,
                account=draft.sender,
                token=settings.token,
                amount=fee,
                to_pool=0,
                value_usd=_usd(draft, settings, fee),
            )
        )


def donate(draft: Draft, command: Donate) -> None:
    """Give collateral to a vault for nothing."""
    require_amount(command.amount)
    settings = vault_settings(draft, command.pool)
    if command.token != settings.token:
        raise Reject(Code.TOKEN_NOT_LISTED, detail=command.token)
    ledger.move(draft, command.token, draft.sender, settings.holder, command.amount)
    draft.record(Donated(pool=command.pool, account=draft.sender, token=command.token, amount=command.amount))


def request_redemption(draft: Draft, command: commands.RequestRedemption) -> None:
    """Put shares aside and start the delay."""
    require_amount(command.shares)
    settings = vault_settings(draft, command.vault)
    require_live(draft, settings)
    request = Redemption(next_number(draft, "redemption"), settings.vault, draft.sender, command.shares, draft.time)
    ledger.move(draft, settings.share, draft.sender, request.holder, command.shares)
    draft.put(request)
    draft.record(
        events.RedemptionRequested(
            redemption=request.number,
            vault=settings.vault,
            account=draft.sender,
            shares=command.shares,
            redeemable_at=draft.time + settings.withdrawal_delay,
        )
    )


def redeem(draft: Draft, command: commands.RedeemShares) -> None:
    """Pay out requested shares once the delay has passed, if the credit the vault has lent stays covered."""
    request = _own_redemption(draft, command.redemption)
    settings = vault_settings(draft, request.vault)
    due = request.requested_at + settings.withdrawal_delay
    if draft.time < due:
        raise Reject(Code.REDEMPTION_TOO_EARLY, limit=due, actual=draft.time)
    require_fresh_prices(draft, settings, reducing=True)
    state = recalculate(draft, settings)
    reserved = locked(vault_capacity(draft, settings, state), settings.locked_ratio)
    worth, supply = _net(draft, settings, state, entering=False), ledger.supply_of(draft, settings.share)
    whole = assets_for(request.shares, worth, supply)
    kept = shares_for(whole - mul_div_down(whole, settings.redeem_fee, RATE), worth, supply)
    paid = _burn(draft, settings, request, kept, draft.sender)
    if not paid or paid < command.min_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=max(command.min_amount, 1), actual=paid)
    fee = _burn(draft, settings, request, request.shares - kept, PROTOCOL_HOLDER)
    left = vault_capacity(draft, settings, state)
    if left < reserved:
        raise Reject(Code.CREDIT_LOCKED, limit=reserved, actual=left)

    draft.drop(request)
    lend(draft, settings)
    _charge(draft, settings, "burn", fee)
    draft.record(
        SharesBurned(
            pool=settings.vault,
            account=draft.sender,
            token=settings.token,
            amount=paid,
            shares=request.shares,
            value_usd=_usd(draft, settings, paid + fee),
            pool_value_usd=_usd(draft, settings, worth),
            supply=supply,
            fee_rate=settings.redeem_fee,
            fee_scale=RATE,
        )
    )


def _burn(draft: Draft, settings: CreditVaultSettings, request: Redemption, shares: int, target: str) -> int:
    """Burn escrowed shares for collateral at the price of this moment."""
    state = draft.need(CreditVault, (settings.vault,), Code.UNKNOWN_VAULT)
    worth, supply = _net(draft, settings, state, entering=False), ledger.supply_of(draft, settings.share)
    amount = assets_for(shares, worth, supply)
    if amount > assets(draft, settings):
        raise Reject(Code.POOL_INSUFFICIENT, limit=assets(draft, settings), actual=amount)
    ledger.retire(draft, settings.share, request.holder, shares)
    ledger.move(draft, settings.token, settings.holder, target, amount)
    return amount


def cancel_redemption(draft: Draft, command: commands.CancelRedemption) -> None:
    """Give requested shares back."""
    request = _own_redemption(draft, command.redemption)
    settings = vault_settings(draft, request.vault)
    ledger.move(draft, settings.share, request.holder, request.account, request.shares)
    draft.drop(request)
    draft.record(
        events.RedemptionCancelled(
            redemption=request.number, vault=request.vault, account=request.account, shares=request.shares
        )
    )


def _own_redemption(draft: Draft, number: int) -> Redemption:
    request = draft.need(Redemption, (number,), Code.UNKNOWN_REDEMPTION)
    if request.account != draft.sender:
        raise Reject(Code.SENDER_NOT_ALLOWED, detail=request.account)
    return request


def stake(draft: Draft, command: commands.StakeVaultShares) -> None:
    """Stake shares; what earlier stakes have earned stays owed."""
    settings = vault_settings(draft, command.vault)
    if command.shares < MIN_STAKE:
        raise Reject(Code.STAKE_TOO_SMALL, limit=MIN_STAKE, actual=command.shares)
    vault = recalculate(draft, settings)
    ledger.move(draft, settings.share, draft.sender, vault.stake_holder, command.shares)
    _set_stake(draft, vault, _earned(draft, vault), command.shares)


def unstake(draft: Draft, command: commands.UnstakeVaultShares) -> None:
    """Take staked shares back."""
    require_amount(command.shares)
    settings = vault_settings(draft, command.vault)
    vault = recalculate(draft, settings)
    staked = _earned(draft, vault)
    if command.shares > staked.shares:
        raise Reject(Code.STAKE_INSUFFICIENT, limit=staked.shares, actual=command.shares)
    if 0 < staked.shares - command.shares < MIN_STAKE:
        raise Reject(Code.STAKE_TOO_SMALL, limit=MIN_STAKE, actual=staked.shares - command.shares)
    ledger.move(draft, settings.share, vault.stake_holder, draft.sender, command.shares)
    _set_stake(draft, vault, staked, -command.shares)


def _set_stake(draft: Draft, vault: CreditVault, staked: CreditStake, change: int) -> None:
    staked = replace(staked, shares=staked.shares + change)
    draft.put(staked)
    draft.put(replace(vault, staked=vault.staked + change))
    draft.record(
        events.StakeChanged(
            vault=vault.vault,
            account=draft.sender,
            shares=staked.shares,
            owed=staked.owed,
            points=staked.points,
        )
    )


def _earned(draft: Draft, vault: CreditVault) -> CreditStake:
    """The sender's stake with rewards and points up to now."""
    return earned(draft.get(CreditStake, (vault.vault, draft.sender)), vault, draft.sender)


def earned(staked: CreditStake | None, vault: CreditVault, account: str) -> CreditStake:
    """A stake brought up to a vault's indices (points at 1e18 of a share and second times the vault's rate)."""
    staked = staked or CreditStake(vault.vault, account)
    return replace(
        staked,
        owed=staked.owed + part_of(vault.reward_index - staked.reward_index, staked.shares),
        points=staked.points + mul_div_down(vault.point_index - staked.point_index, staked.shares, RATE),
        reward_index=vault.reward_index,
        point_index=vault.point_index,
    )


def measure(draft: Draft, command: MeasurePool) -> None:
    """Record a vault's value with its part of the markets' debt up to now; the vault itself is left as it is."""
    settings = vault_settings(draft, command.pool)
    current = draft.nested()
    owed = debt(current, recalculate(current, settings))
    held, unit = assets(draft, settings), ledger.token(draft, settings.token).unit
    low, high = (value_of(held, price_of(draft, settings.token, maximise), unit) - owed for maximise in (False, True))
    supply = ledger.supply_of(draft, settings.share)
    draft.record(PoolMeasured(pool=settings.vault, share=settings.share, low_usd=low, high_usd=high, supply=supply))


BRANCH = Branch(
    name="credit_vaults",
    version=1,
    summary="vault shares: deposit, staking, redemption after a delay, points",
    handlers={
        Mint: deposit,
        Donate: donate,
        MeasurePool: measure,
        commands.RequestRedemption: request_redemption,
        commands.RedeemShares: redeem,
        commands.CancelRedemption: cancel_redemption,
        commands.StakeVaultShares: stake,
        commands.UnstakeVaultShares: unstake,
    },
    audit=audit_vaults,
)
