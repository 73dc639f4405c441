"""ZLPBranch of a fund: deposits for shares, shares for assets, and gifts (N1, N2)."""

from __future__ import annotations

from zlp.engine import ledger
from zlp.engine.branches.custody import require_account, require_amount
from zlp.engine.branches.fund import claims, valuation
from zlp.engine.branches.fund.desk import Desk, open_desk
from zlp.engine.branches.fund.payments import charge
from zlp.engine.branches.staking import stake_minted
from zlp.engine.commands.liquidity import Burn, Donate, Mint
from zlp.engine.draft import Draft
from zlp.engine.events.liquidity import Donated, SharesBurned, SharesMinted
from zlp.engine.fixed import BPS, USD, div_down, mul_div_down, value_of
from zlp.engine.leaves.fund import FundAssetSettings
from zlp.engine.mechanisms.weight_fee import require_balance, target_value
from zlp.engine.rejections import Code, Reject

SHARE_SCALE = 10**12
"""USD at 1e30 per base unit of a share of 1 USD."""


def mint(draft: Draft, command: Mint) -> None:
    """Deposit one asset for shares at the fund's value before the deposit (reference 2.5)."""
    desk = open_desk(draft, command.pool)
    if not desk.fund.enabled:
        raise Reject(Code.MINT_DISABLED, detail=command.pool)
    require_amount(command.amount)
    asset = desk.asset(command.token)
    if not asset.accepted:
        raise Reject(Code.TOKEN_NOT_LISTED, detail=command.token)
    valuation.require_fresh(desk, reducing=False)
    value = _value_added(desk, command.token, command.amount)
    if value == 0:
        raise Reject(Code.OUTPUT_TOO_SMALL, limit=1, actual=0)
    fund_value = valuation.value_usd(desk, maximise=True)
    supply = ledger.supply_of(draft, desk.fund.share)
    fee_bps = deposit_fee_bps(desk, asset, value)
    fee = mul_div_down(command.amount, fee_bps, BPS)

    net = command.amount - fee
    net_value = _value_added(desk, command.token, net)
    shares = shares_for(net_value, fund_value, supply)
    if shares < max(command.min_shares, 1):
        raise Reject(Code.SHARES_BELOW_MINIMUM, limit=max(command.min_shares, 1), actual=shares)

    charge(desk, "mint", draft.sender, draft.sender, command.token, fee, to_fund=False)
    ledger.move(draft, command.token, draft.sender, desk.fund.holder, net)
    ledger.issue(draft, desk.fund.share, draft.sender, shares)
    _require_supply(desk)
    draft.record(
        SharesMinted(
            pool=command.pool,
            account=draft.sender,
            token=command.token,
            amount=command.amount,
            shares=shares,
            value_usd=net_value,
            pool_value_usd=fund_value,
            supply=supply,
            fee_rate=fee_bps,
            fee_scale=BPS,
        )
    )
    claims.settle(desk)
    stake_minted(draft, command.pool, draft.sender, shares)


def shares_for(value_usd: int, fund_value_usd: int, supply: int) -> int:
    """Shares a deposit buys (rounded down); the first buys them at 1 USD. A fund worth nothing sells none (2.4)."""
    if supply == 0:
        return div_down(value_usd, SHARE_SCALE)
    if fund_value_usd == 0:
        raise Reject(Code.FUND_WORTHLESS, limit=1, actual=0)
    return mul_div_down(value_usd, supply, fund_value_usd)


def burn(draft: Draft, command: Burn) -> None:
    """Shares for one asset at the fund's value (reference 2.6); the utilisation limit holds afterwards."""
    desk = open_desk(draft, command.pool)
    require_amount(command.shares)
    asset = desk.asset(command.token)
    target = command.to or draft.sender
    require_account(target)
    valuation.require_fresh(desk, reducing=True)
    supply = ledger.supply_of(draft, desk.fund.share)
    fund_value = valuation.value_usd(desk)
    value = mul_div_down(command.shares, fund_value, supply) if supply else 0
    amount = mul_div_down(mul_div_down(value, USD, desk.price(command.token, True)), desk.unit(command.token), USD)
    if amount == 0:
        raise Reject(Code.OUTPUT_TOO_SMALL, limit=1, actual=0)
    fee_bps = withdrawal_fee_bps(desk, asset, value)
    if amount > desk.liquidity(command.token):
        raise Reject(Code.POOL_INSUFFICIENT, limit=desk.liquidity(command.token), actual=amount)
    fee = mul_div_down(amount, fee_bps, BPS)
    net = amount - fee
    if net < command.min_amount:
        raise Reject(Code.AMOUNT_BELOW_MINIMUM, limit=command.min_amount, actual=net)

    ledger.retire(draft, desk.fund.share, draft.sender, command.shares)
    charge(desk, "burn", desk.fund.holder, draft.sender, command.token, fee, to_fund=False)
    ledger.move(draft, command.token, desk.fund.holder, target, net)
    require_buffer(desk, asset)
    _require_utilisation(desk)
    _require_supply(desk)
    draft.record(
        SharesBurned(
            pool=command.pool,
            account=draft.sender,
            token=command.token,
            amount=net,
            shares=command.shares,
            value_usd=value,
            pool_value_usd=fund_value,
            supply=supply,
            fee_rate=fee_bps,
            fee_scale=BPS,
        )
    )


def donate(draft: Draft, command: Donate) -> None:
    """A gift to the holders of shares (and to claims that wait)."""
    desk = open_desk(draft, command.pool)
    require_amount(command.amount)
    desk.asset(command.token)
    ledger.move(draft, command.token, draft.sender, desk.fund.holder, command.amount)
    draft.record(Donated(pool=command.pool, account=draft.sender, token=command.token, amount=command.amount))
    claims.settle(desk)


def deposit_fee_bps(desk: Desk, asset: FundAssetSettings, value_usd: int) -> int:
    """Fee of adding ``value_usd`` of an asset (2.7)."""
    return weight_fee_bps(desk, asset, value_usd, adding=True, base_bps=desk.fund.fees.deposit_bps)


def withdrawal_fee_bps(desk: Desk, asset: FundAssetSettings, value_usd: int) -> int:
    """Fee of removing ``value_usd`` of an asset (2.7)."""
    return weight_fee_bps(desk, asset, value_usd, adding=False, base_bps=desk.fund.fees.withdraw_bps)


def weight_fee_bps(desk: Desk, asset: FundAssetSettings, value_usd: int, *, adding: bool, base_bps: int) -> int:
    """Base fee with rebate or tax by how the asset's weight moves; refuses a weight out of its limit."""
    total = valuation.assets_usd(desk, maximise=adding)
    price = desk.price(asset.token, not adding)
    start = value_of(desk.liquidity(asset.token), price, desk.unit(asset.token))
    following = start + value_usd if adding else max(start - value_usd, 0)
    target = target_value(total, asset.target_weight, valuation.total_weight(desk))
    fees = desk.fund.fees
    fee_bps = fees.fee_bps(base_bps, start, following, target)
    if fees.dynamic and target and abs(following - target) >= abs(start - target):
        require_balance(following, total, value_usd, asset.target_weight, asset.max_weight_difference)
    return fee_bps


def require_buffer(desk: Desk, asset: FundAssetSettings) -> None:
    """Refuse to take an asset's liquidity below its buffer."""
    left = desk.liquidity(asset.token)
    if left < asset.buffer:
        raise Reject(Code.POOL_BELOW_BUFFER, limit=asset.buffer, actual=left, detail=asset.token)


def _require_utilisation(desk: Desk) -> None:
    total, reserve = valuation.assets_usd(desk), desk.books.reserve_usd
    if reserve * BPS > desk.fund.max_utilisation_bps * total:
        limit = mul_div_down(total, desk.fund.max_utilisation_bps, BPS)
        raise Reject(Code.UTILISATION_EXCEEDED, limit=limit, actual=reserve)


def _require_supply(desk: Desk) -> None:
    supply = ledger.supply_of(desk.draft, desk.fund.share)
    if supply < desk.fund.min_supply:
        raise Reject(Code.SUPPLY_TOO_SMALL, limit=desk.fund.min_supply, actual=supply)


def _value_added(desk: Desk, token: str, amount: int) -> int:
    """USD value of a deposit with the reference's two floors (2.5 step 2)."""
    return mul_div_down(mul_div_down(amount, desk.price(token, False), USD), USD, desk.unit(token))
