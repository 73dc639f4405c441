"""Recorded cases that run on a venue: distribution, orders, deposits, redemptions, settlement, refunds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from tests.differential.scaled import usd18
from tests.profiles.zaros.venue import START, UNIT, CreditVenue, market, vault
from zlp.engine import Envelope, pricing
from zlp.engine.branches.credit_positions.health import account_of, health, health_after
from zlp.engine.commands import credit, credit_positions, liquidity, stability
from zlp.engine.fixed import RATE, mul_div_down
from zlp.engine.leaves.credit import (
    REDEEMABLE_HOLDER,
    CreditCollateral,
    CreditMarketSettings,
    CreditSettings,
    CreditVault,
    Delegation,
)
from zlp.engine.leaves.credit_positions import CreditPosition, CreditTradingSettings, SkewTotals, TradingAccount
from zlp.engine.leaves.ledger import Balance, Supply
from zlp.engine.leaves.stability import StabilitySettings
from zlp.engine.mechanisms.credit import vault_debt
from zlp.engine.mechanisms.skew import MakerTakerFee
from zlp.engine.rejections import Code

Case = dict[str, Any]
E30 = 10**12


def number(inputs: Case, name: str, scale: int = 1) -> int:
    """An input as an integer."""
    return int(inputs[name]) * scale


def distribution(inputs: Case, _: Case) -> Case:
    """Two vaults behind two markets: who lends what, who bears what, who lends what then."""
    tokens, results = {"v1": "ETHx", "v2": "WETH"}, {}
    names = ("m1", "m2")
    asset_of = {"ETHx": "ETHx", "WETH": "ETH"}
    venue = CreditVenue([market("m1", asset="BTC"), market("m2", asset="BTC")])
    for name, token in tokens.items():
        weights = [int(weight) for weight in inputs[name]["weights_m1_m2_x18"]]
        venue.configure(vault(name, token, markets=tuple(zip(names, weights, strict=True))))
        venue.price(raw=True, **{asset_of[token]: number(inputs[name], "price_x18", E30)})
    for name in tokens:
        venue.deposit("lp", name, number(inputs[name], "assets_x18"))
    for name in names:
        results[f"delegated_before_{name}_usd_x18"] = usd18(venue.market(name).delegated)
        issued = int(inputs[name].get("issuance_delta_usd_x18", 0)) * E30
        venue.put(replace(venue.market(name), issued=issued))
        unrealized = int(inputs[name].get("unrealized_usd_x18", 0)) * E30
        venue.put(SkewTotals(name, entry_value=-unrealized * UNIT, funding_at=START))
    for event in _recalculated(venue.refresh(*tokens)):
        results[f"{event.vault}_realized_change_usd_x18"] = usd18(event.realized_change)
        results[f"{event.vault}_unrealized_change_usd_x18"] = usd18(event.unrealized_change)
        results[f"{event.vault}_capacity_usd_x18"] = usd18(event.capacity_usd)
    for name in names:
        results[f"delegated_after_{name}_usd_x18"] = usd18(venue.market(name).delegated)
        for lender in tokens:
            lent = venue.root.state.get(Delegation, (lender, name))
            results[f"{lender}_{name}_credit_usd_x18"] = usd18(lent.credit if lent else 0)
    return results


def _recalculated(receipt: Any) -> list[Any]:
    return [event for event in receipt.events if type(event).__name__ == "VaultRecalculated"]


def recalculation(inputs: Case, _: Case) -> Case:
    """One vault behind one market; a loser's deposit is credit, and loses value with its price."""
    venue = CreditVenue([market(), vault("v", "ETHx")])
    ratio = number(inputs, "credit_ratio_x18")
    venue.configure(replace(venue.leaf(CreditCollateral, "ETHx"), credit_ratio=ratio))
    venue.price(raw=True, ETHx=number(inputs, "price0_x18", E30))
    venue.deposit("lp", "v", number(inputs, "vault_assets_x18"))
    venue.refresh("v")
    deposited = number(inputs, "market_credit_deposit_x18")
    state = venue.market("BTC")
    venue.put(replace(state, tokens=("ETHx",)))
    venue.put(Balance(state.deposits_holder, "ETHx", deposited))
    venue.put(Supply("ETHx", venue.supply("ETHx") + deposited))
    (first,) = _recalculated(venue.refresh("v"))
    venue.price(raw=True, ETHx=number(inputs, "price1_x18", E30))
    (second,) = _recalculated(venue.refresh("v"))
    return {
        "first_change_realized_usd_x18": usd18(first.realized_change),
        "capacity_after_first_usd_x18": usd18(first.capacity_usd),
        "second_change_realized_usd_x18": usd18(second.realized_change),
        "capacity_after_second_usd_x18": usd18(second.capacity_usd),
    }


def _perps(inputs: Case, **changes: Any) -> CreditVenue:
    """A BTC market backed by more credit than any case needs."""
    fees = MakerTakerFee(maker=number(inputs, "maker_x18"), taker=number(inputs, "taker_x18"))
    terms = market(skew_scale=number(inputs, "skew_scale_x18"), fees=fees, **changes)
    venue = CreditVenue([terms, vault("v", "ETHx")])
    venue.deposit("lp", "v", 10**9 * UNIT)
    return venue


def margin_liquidatable(inputs: Case, _: Case) -> Case:
    """A first trade, a new price, a second order that is judged at it."""
    margins = {
        "initial_margin": number(inputs, "imr_x18"),
        "maintenance_margin": number(inputs, "mmr_x18"),
    }
    venue = _perps(inputs, **margins)
    fee = number(inputs, "settlement_fee_usd_x18", E30)
    terms = replace(venue.leaf(CreditTradingSettings), settlement_fee_usd=fee)
    venue.configure(replace(terms, liquidation_fee_usd=number(inputs, "liquidation_fee_usd_x18", E30)))
    first = number(inputs, "first_index_x18", E30)
    venue.price(raw=True, BTC=first)
    account = venue.trader("t", USDz=number(inputs, "deposit_usdz_x18"))
    opened = venue.trade("t", account, "BTC", number(inputs, "first_size_x18"), first).events[-1]
    second = number(inputs, "second_index_x18", E30)
    delta = number(inputs, "second_size_delta_x18")
    venue.price(raw=True, BTC=second)
    draft = venue.draft()
    record = account_of(draft, account)
    after = health_after(draft, record, "BTC", delta)
    mark = venue.leaf(CreditMarketSettings, "BTC").mark.mark(
        pricing.bounds(draft, "BTC")[0], venue.leaf(SkewTotals, "BTC").skew, delta
    )
    order = credit_positions.PlaceCreditOrder(trading_account=account, market="BTC", size_delta=delta)
    rejection = venue.send("t", order).rejection
    return {
        "first_fill_price_x18": usd18(opened.price),
        "first_order_fee_usd_x18": usd18(opened.fee_usd - fee),
        "sim_mark_x18": usd18(mark),
        "sim_unrealized_pnl_usd_x18": usd18(after.profit),
        "sim_margin_balance_usd_x18": usd18(after.margin),
        "prev_maintenance_margin_usd_x18": usd18(health(draft, record).maintenance),
        "order_rejected_as_liquidatable": rejection is not None and rejection.code is Code.ACCOUNT_LIQUIDATABLE,
    }


def fill_order_settlement(inputs: Case, _: Case) -> Case:
    """A fill in the middle of a story: the whole old position is settled, the rest starts at the fill price."""
    venue = _perps(inputs)
    index, skew = number(inputs, "index_x18", E30), number(inputs, "skew_x18")
    size, price = number(inputs, "size_before_x18"), number(inputs, "last_price_x18", E30)
    delta = number(inputs, "size_delta_x18")
    venue.price(raw=True, BTC=index)
    account = venue.trader("t", USDz=10**12 * UNIT)
    others = skew - size
    if size:
        venue.put(CreditPosition(account, "BTC", size, price, 0))
        venue.put(replace(venue.leaf(TradingAccount, account), markets=("BTC",)))
    venue.put(
        SkewTotals(
            "BTC",
            skew=skew,
            open_interest=abs(size) + abs(others),
            entry_value=size * price + others * index,
            funding_at=venue.now - number(inputs, "elapsed_s"),
        )
    )
    before = _held_by_engine(venue)
    changed = venue.trade("t", account, "BTC", delta, index).events[-1]
    held = number(inputs, "mm_engine_usdz_before_x18") + _held_by_engine(venue) - before
    settlement = venue.leaf(CreditTradingSettings).settlement_fee_usd
    left = venue.root.state.get(CreditPosition, (account, "BTC"))
    return {
        "fill_price_x18": usd18(changed.price),
        "order_fee_usd_x18": usd18(changed.fee_usd - settlement),
        "settlement_fee_usd_x18": usd18(settlement),
        "pnl_usd_x18": usd18(changed.pnl_usd - changed.carry_usd),
        "mm_engine_usdz_after_x18": held,
        "new_size_x18": left.size if left else 0,
        "new_last_price_x18": usd18(left.price if left else 0),
    }


def _held_by_engine(venue: CreditVenue) -> int:
    state = venue.market("BTC")
    return venue.balance(state.deposits_holder, "USDz") + venue.balance(state.fees_holder, "USDz")


def deposit_redeem(inputs: Case, _: Case) -> Case:
    """The first depositor gives the vault a present before the second one comes, and gains nothing."""
    decimals = number(inputs, "asset_decimals_d")
    venue = CreditVenue([market()], decimals={"ETHx": decimals})
    fees = {"deposit_fee": number(inputs, "deposit_fee_x18"), "redeem_fee": number(inputs, "redeem_fee_x18")}
    venue.configure(vault("v", "ETHx", **fees))
    venue.price(raw=True, ETHx=number(inputs, "price_x18", E30))
    first = number(inputs, "attacker_deposit_raw")
    shares = venue.deposit("attacker", "v", first)
    fee = venue.balance("rewards:protocol", "ETHx")
    gift = number(inputs, "donation_raw")
    venue.give("attacker", "ETHx", gift)
    venue.must("attacker", liquidity.Donate(pool="v", token="ETHx", amount=gift))
    user = venue.deposit("user", "v", number(inputs, "user_deposit_raw"))
    request = venue.must("attacker", credit.RequestRedemption(vault="v", shares=shares)).events[-1]
    receipt = venue.must("attacker", credit.RedeemShares(redemption=request.redemption))
    burned = [event.amount for event in receipt.events if type(event).__name__ == "Retired"]
    return {
        "attacker_fee_raw": fee,
        "attacker_shares_raw": shares,
        "user_shares_raw": user,
        "attacker_shares_after_redeem_fee_raw": burned[0],
        "attacker_received_raw": venue.balance("attacker", "ETHx"),
        "attacker_spent_raw": first + gift,
    }


def deposit_cap(inputs: Case, _: Case) -> Case:
    """The cap counts what is left of a deposit after its fee."""
    total, cap = number(inputs, "total_assets_raw"), number(inputs, "deposit_cap_raw")
    venue = CreditVenue([market(), vault("v", "ETHx")])
    venue.deposit("lp", "v", total)
    venue.configure(vault("v", "ETHx", deposit_cap=cap))
    net = number(inputs, "deposit_net_raw")
    venue.give("lp", "ETHx", net)
    rejection = venue.send("lp", liquidity.Mint(pool="v", token="ETHx", amount=net)).rejection
    return {"max_deposit_raw": max(cap - total, 0), "reverts": rejection is not None}


def locked_check(inputs: Case, _: Case) -> Case:
    """What is left after a redemption must cover what was locked before it."""
    ratio = number(inputs, "locked_credit_ratio_x18")
    venue = CreditVenue([market(), vault("v", "ETHx", locked_ratio=ratio)])
    venue.price(ETHx=1)
    shares = venue.deposit("lp", "v", number(inputs, "capacity_before_usd_x18"))
    before = venue.owed("v")[1]
    wanted = min(number(inputs, "redeem_value_usd_x18"), shares)
    request = venue.must("lp", credit.RequestRedemption(vault="v", shares=wanted)).events[-1]
    rejection = venue.send("lp", credit.RedeemShares(redemption=request.redemption)).rejection
    return {
        "locked_before_usd_x18": usd18(mul_div_down(max(before, 0), ratio, RATE)),
        "rejected": rejection is not None and rejection.code is Code.CREDIT_LOCKED,
    }


def withdrawal_delay(inputs: Case, expected: Case) -> Case:
    """A redemption waits its delay to the second."""
    venue = CreditVenue([market(), vault("v", "ETHx", withdrawal_delay=number(inputs, "delay_s"))])
    shares = venue.deposit("lp", "v", UNIT)
    venue.now = START + number(inputs, "request_s")
    request = venue.must("lp", credit.RequestRedemption(vault="v", shares=shares)).events[-1]

    def redeemable(second: int) -> bool:
        command = credit.RedeemShares(redemption=request.redemption)
        envelope = Envelope(time=max(START + second, venue.now), account="lp", command=command)
        return second >= number(inputs, "request_s") and venue.root.quote(envelope).receipt.accepted

    results = {"redeemable": redeemable(number(inputs, "now_s"))}
    for name in expected:
        if name.startswith("redeemable_at_"):
            results[name] = redeemable(int(name.rsplit("_", 1)[1]))
    return results


def settle_debt(inputs: Case, _: Case) -> Case:
    """A vault in debt sells collateral through a keeper."""
    venue = CreditVenue([market(), vault("v", "ETHx", markets=())], decimals={"USDC": 18})
    fee = number(inputs, "base_fee_usd_x18", E30)
    venue.configure(CreditSettings("USDz", "USDC", "WETH", conversion_fee_usd=fee, conversion_tolerance=RATE - 1))
    venue.deposit("lp", "v", 10**6 * UNIT)
    realized, settled = number(inputs, "markets_realized_usd_x18", E30), number(inputs, "deposited_usdc_x18")
    venue.put(replace(venue.vault("v"), realized_debt=realized, settled=settled))
    venue.put(Balance("settled:vaults", "USDC", settled))
    venue.put(Supply("USDC", settled))
    delivered = number(inputs, "swap_out_usdc_x18")
    venue.give("keeper", "USDC", delivered)
    venue.must("keeper", credit.SettleVaultDebt(vault="v", delivered=delivered))
    owed = vault_debt(realized, settled * E30, 0)
    return {
        "unsettled_usd_x18": usd18(owed),
        "branch_design": "debt (sells assets for USDC)" if owed > 0 else "credit (buys assets with USDC)",
        "realized_after_usd_x18": usd18(venue.leaf(CreditVault, "v").realized_debt),
        "usdc_available_for_engine_x18": venue.balance(REDEEMABLE_HOLDER, "USDC"),
    }


def swap_refund(inputs: Case, _: Case) -> Case:
    """A swap nobody fulfilled goes back from its deadline on, less the base fee."""
    venue = CreditVenue([market(), vault("v", "ETHx")])
    venue.deposit("lp", "v", 10**9 * UNIT)
    deadline, amount = number(inputs, "deadline_s"), number(inputs, "usdz_in_x18")
    settings = venue.leaf(StabilitySettings)
    terms = replace(settings.terms, base_fee_usd=number(inputs, "base_fee_usd_x18", E30))
    venue.configure(replace(settings, terms=terms, max_execution_time=max(1, deadline)))
    venue.give("t", "USDz", amount)
    request = venue.must("t", stability.RequestStableSwap(vault="v", amount=amount)).events[-1]
    venue.now = START + number(inputs, "now_s")
    refundable = venue.send("t", stability.RefundStableSwap(swap=request.swap)).accepted
    fee = number(inputs, "base_fee_usd_x18")
    return {
        "refundable": refundable,
        "refund_x18": venue.balance("t", "USDz") if refundable else amount - fee,
        "protocol_fee_usdz_x18": venue.balance("rewards:protocol", "USDz") if refundable else fee,
    }


TOPICS: dict[str, Callable[[Case, Case], Case]] = {
    "debt_distribution_2x2": distribution,
    "recalculate_vaults_credit_capacity": recalculation,
    "margin_liquidatable": margin_liquidatable,
    "fill_order_settlement": fill_order_settlement,
    "vault_deposit_redeem": deposit_redeem,
    "vault_deposit_cap": deposit_cap,
    "redeem_locked_check": locked_check,
    "withdrawal_delay": withdrawal_delay,
    "settle_vault_debt": settle_debt,
    "usdz_swap_refund": swap_refund,
}
