"""Replays the recorded cases of the design whose traders borrow the pool's tokens.

``replay(path)`` counts the cases of profile ``zo`` whose use is ``required`` or ``formula``; the others are named
with the reason why they were skipped. Openings, decreases and liquidations run as commands; the rest calls the
mechanism or leaf that owns the formula.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.differential import zo_positions
from tests.differential.report import Report
from tests.differential.scaled import differences, usd18
from zlp.engine.branches.borrow_pool.liquidity import shares_for, withdrawal
from zlp.engine.branches.borrow_pool.swaps import swap_legs
from zlp.engine.branches.borrowed.reducing import lost, settled_vault
from zlp.engine.branches.borrowed.settlement import Carry, Settlement, liquidation_price
from zlp.engine.fixed import RATE, USD, div_down, div_up, mul_div_down, value_of
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSide
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVault, coins_e18
from zlp.engine.mechanisms.borrowing import BorrowRules, HourlyBorrow, LossProtection, utilisation
from zlp.engine.mechanisms.open_interest import OpenInterestFunding
from zlp.engine.mechanisms.revenue_share import RevenueShare, apr_bps, share_of, yield_due
from zlp.engine.mechanisms.swap_fees import Inventory, RebaseCurve, WeightBand
from zlp.engine.mechanisms.triggers import rests, trigger
from zlp.quotes.yields import quote_yield, size_from_collateral

Case = dict[str, Any]
Handler = Callable[[Case, Case], Case]

SKIPPED = {
    "optional": "optional: no part of this design (prices are checked where they enter, funding is by open interest)",
    "informational": "informational",
    "config": "not a case",
}
E30 = 10**12
"""Factor from 1e18 to 1e30."""
NO_PROTOCOL = RevenueShare(trading=0, borrow=0, liquidity=0)
"""The recordings give the protocol no part of borrow, mint, burn and swap fees."""
RULES = BorrowRules(
    max_leverage=500_000,
    min_holding=0,
    max_reserve=100_000,
    min_collateral_usd=0,
    open_fee=0,
    close_fee=0,
    liquidation_threshold=RATE // 2,
    liquidation_bonus=0,
)


def replay(path: Path) -> Report:
    """Compare every counted case of the file."""
    report = Report("cases")
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if case.get("profile") != "zo":
            continue
        use, name = case.get("use", "required"), case.get("id", "?")
        if use not in ("required", "formula"):
            report.skip(name, SKIPPED.get(use, use))
            continue
        handler = handler_of(case)
        if handler is None:
            report.mismatch(name, f"no handler for topic {case['topic']}")
            continue
        actual = handler(case["inputs"], case["expected"])
        found = differences(case["expected"], actual, case.get("tol_abs", "0"))
        if found:
            report.mismatch(name, "; ".join(found))
        else:
            report.match()
    return report


def number(inputs: Case, name: str) -> int:
    """An integer of the case."""
    return int(inputs[name])


def rounding(inputs: Case, _: Case) -> Case:
    value = number(inputs, "decimal_x18")
    return {"ceil": div_up(value, RATE), "floor": div_down(value, RATE), "round": div_down(value + RATE // 2, RATE)}


def coin_value(inputs: Case, _: Case) -> Case:
    price, unit = number(inputs, "price_x18") * E30, 10 ** number(inputs, "decimals_d")
    return {
        "coins_to_value_x18": usd18(value_of(number(inputs, "amount_raw"), price, unit)),
        "value_to_coins_x18": coins_e18(number(inputs, "value_usd_x18") * E30, price, unit),
    }


def _curve(inputs: Case) -> RebaseCurve:
    return RebaseCurve(
        base=number(inputs, "base_x18"),
        multiplier=number(inputs, "multiplier_x18"),
        exponent=int(inputs.get("exponent", 1)),
    )


def _inventory(inputs: Case, value: str, total: str, weight: str = "weight_x18") -> Inventory:
    return Inventory(
        number(inputs, value) * E30,
        number(inputs, total) * E30,
        number(inputs, weight),
        number(inputs, "total_weight_x18"),
    )


def rebase_fee(inputs: Case, _: Case) -> Case:
    after = _inventory(inputs, "vault_value_after_usd_x18", "total_value_after_usd_x18")
    increase = inputs["increase"]
    return {"rate_x18": _curve(inputs).fee_rate("mint" if increase else "burn", after, 0, increase)}


def weight_band(inputs: Case, _: Case) -> Case:
    band = WeightBand()
    target, weight = (int(Fraction(inputs[name]) * RATE) for name in ("target_weight", "weight_after"))
    away = inputs["moves_away_from_target"]
    increase = away == (weight > target)
    rate = band.fee_rate("mint" if increase else "burn", Inventory(weight, RATE, target, RATE), 0, increase)
    lower, upper = band.edges(target, RATE)
    return {
        "lower": Fraction(lower, RATE),
        "upper": Fraction(upper, RATE),
        "in_range": lower <= weight <= upper,
        "fee_bps": Fraction(rate * 10_000, RATE),
    }


def reserving_rate(inputs: Case, _: Case) -> Case:
    borrow = HourlyBorrow(rate_8h=number(inputs, "multiplier_8h_x18"))
    return {"rate_x18": borrow.accrued(number(inputs, "utilization_x18"), number(inputs, "elapsed_s"))}


def vault_accrual(inputs: Case, _: Case) -> Case:
    vault = CoinVault(
        "main",
        "COIN",
        liquidity=number(inputs, "liquidity_raw"),
        reserved=number(inputs, "reserved_raw"),
        owed_e18=number(inputs, "unrealised_fee_x18"),
        rate_e18=number(inputs, "acc_rate_x18"),
        updated_at=1,
    )
    after = vault.accrued(HourlyBorrow(rate_8h=number(inputs, "multiplier_8h_x18")), 1 + number(inputs, "elapsed_s"))
    return {
        "utilization_x18": utilisation(vault.liquidity, vault.reserved, vault.owed_e18),
        "delta_rate_x18": after.rate_e18 - vault.rate_e18,
        "acc_rate_x18": after.rate_e18,
        "unrealised_fee_amount_x18": after.owed_e18,
        "supply_amount_x18": (after.liquidity + after.reserved) * RATE + NO_PROTOCOL.pool_part(after.owed_e18),
        "vault_value_at_2usd_9dec_x18": usd18(value_of(after.supply(NO_PROTOCOL), 2 * USD, 10**9)),
    }


def _position(**fields: Any) -> BorrowedPosition:
    rest: dict[str, Any] = dict.fromkeys(("size_usd", "collateral", "reserved", "borrow_rate_e18"), 0)
    rest |= {"funding_rate_e18": 0, "opened_at": 0, "amount": 1, "is_long": True, "rules": RULES}
    return BorrowedPosition(1, "trader", "main", "INDEX", "COIN", **(rest | fields))


def reserving_fee(inputs: Case, _: Case) -> Case:
    position = _position(
        reserved=number(inputs, "reserved_raw"),
        borrow_rate_e18=number(inputs, "last_rate_x18"),
        owed_e18=int(inputs.get("stored_fee_x18", 0)),
    )
    return {"fee_amount_x18": position.borrow_fee_e18(number(inputs, "acc_rate_x18"))}


def funding_fee(inputs: Case, _: Case) -> Case:
    position = _position(
        size_usd=number(inputs, "size_usd_x18") * E30, funding_rate_e18=number(inputs, "last_rate_x18")
    )
    return {"fee_value_x18": usd18(position.funding_fee_usd(number(inputs, "acc_rate_x18")))}


def open_interest(inputs: Case, _: Case) -> Case:
    funding = OpenInterestFunding(
        multiplier=number(inputs, "multiplier_x18"),
        max_8h=number(inputs, "max_8h_x18"),
        exponent=number(inputs, "exponent"),
    )
    long_usd, short_usd = (number(inputs, f"{side}_oi_usd_x18") * E30 for side in ("long", "short"))
    rate = funding.accrued(long_usd, short_usd, number(inputs, "elapsed_s"))
    longs = BorrowMarketSide("main", "INDEX", True, size_usd=long_usd).moved(rate, 1)
    shorts = BorrowMarketSide("main", "INDEX", False, size_usd=short_usd).moved(-rate, 1)
    return {
        "long_rate_x18": longs.funding_rate_e18,
        "short_rate_x18": shorts.funding_rate_e18,
        "long_side_fee_usd_x18": usd18(longs.funding_usd),
        "short_side_fee_usd_x18": usd18(shorts.funding_usd),
    }


def lp_price(inputs: Case, _: Case) -> Case:
    price, unit = number(inputs, "index_price_x18") * E30, 10 ** number(inputs, "index_decimals_d")
    worth, delta = {}, {}
    for name in ("long", "short"):
        side = BorrowMarketSide(
            "main",
            "INDEX",
            name == "long",
            amount=number(inputs[name], "amount_raw"),
            size_usd=number(inputs[name], "size_usd_x18") * E30,
            funding_usd=number(inputs[name], "unrealised_funding_usd_x18") * E30,
        )
        worth[name] = side.value_usd(price, unit)
        delta[name] = worth[name] - side.funding_usd
    value = number(inputs, "vaults_value_usd_x18") * E30 + sum(worth.values())
    return {
        "long_delta_pool_usd_x18": usd18(delta["long"]),
        "short_delta_pool_usd_x18": usd18(delta["short"]),
        "market_value_usd_x18": usd18(value),
        "lp_price_x18": usd18(mul_div_down(value, 10**6, number(inputs, "lp_supply_raw"))),
    }


def lp_mint(inputs: Case, _: Case) -> Case:
    value = number(inputs, "deposit_value_usd_x18") * E30
    vault = _inventory(inputs, "vault_value_usd_x18", "total_vaults_value_usd_x18")
    rate = _curve(inputs).fee_rate("mint", vault, value, True)
    fee = mul_div_down(value, rate, RATE)
    market_value = number(inputs, "market_value_usd_x18") * E30
    return {
        "fee_rate_x18": rate,
        "fee_usd_x18": usd18(fee),
        "mint_raw": shares_for(value - fee, market_value, number(inputs, "lp_supply_raw"), 10**6),
    }


def lp_mint_first(inputs: Case, _: Case) -> Case:
    value = number(inputs, "deposit_value_usd_x18") * E30
    fee = mul_div_down(value, number(inputs, "fee_rate_x18"), RATE)
    return {"mint_raw": shares_for(value - fee, 0, number(inputs, "lp_supply_raw"), 10**6)}


def lp_burn(inputs: Case, _: Case) -> Case:
    vault = _inventory(inputs, "vault_value_usd_x18", "total_vaults_value_usd_x18")
    value, rate = withdrawal(
        _curve(inputs),
        vault,
        number(inputs, "market_value_usd_x18") * E30,
        number(inputs, "burn_raw"),
        number(inputs, "lp_supply_raw"),
    )
    fee = mul_div_down(value, rate, RATE)
    price, unit = number(inputs, "collateral_price_x18") * E30, 10 ** number(inputs, "collateral_decimals_d")
    return {
        "withdraw_value_usd_x18": usd18(value),
        "fee_rate_x18": rate,
        "fee_usd_x18": usd18(fee),
        "withdraw_amount_raw": share_of(coins_e18(value - fee, price, unit), RATE),
    }


def swap(inputs: Case, _: Case) -> Case:
    source = _inventory(inputs, "source_vault_usd_x18", "total_usd_x18", "source_weight_x18")
    target = _inventory(inputs, "dest_vault_usd_x18", "total_usd_x18", "dest_weight_x18")
    legs = swap_legs(_curve(inputs), "swap", source, target, number(inputs, "source_value_usd_x18") * E30)
    return {
        "in_fee_rate_x18": legs.rate_in,
        "value_after_in_x18": usd18(legs.value_left),
        "out_fee_rate_x18": legs.rate_out,
        "value_out_usd_x18": usd18(legs.value_out),
    }


def closed_form(inputs: Case, _: Case) -> Case:
    amount = int(Fraction(inputs["size_amount"]) * RATE)
    size = int(Fraction(inputs["size_amount"]) * Fraction(inputs["entry"]) * USD)
    kept = Fraction(inputs["collateral_usd"]) * Fraction(inputs["liq_threshold"]) - Fraction(inputs["fees_usd"])
    price = liquidation_price(inputs.get("long", True), size, amount, RATE, int(kept * USD))
    return {"liq_price": Fraction(price, USD)}


def fee_example(inputs: Case, _: Case) -> Case:
    daily = inputs.get("pool_fees_per_day_usd", inputs.get("daily_volume_usd"))
    quote = quote_yield(
        daily_volume=daily,
        fee_rate=inputs.get("fee_rate", "1"),
        pool_share=inputs.get("pool_share", "1"),
        contribution=inputs.get("contribution_usd", "0"),
        pool_value=inputs.get("pool_tvl_usd", "1"),
    )
    return {"pool_fees_per_day_usd": quote.pool_fees_per_day, "share": quote.share, "per_day_usd": quote.per_day}


def apr_weekly(inputs: Case, _: Case) -> Case:
    fees, value = (int(Fraction(inputs[name]) * USD) for name in ("realized_fee_usd", "pool_usd_value"))
    return {"apr_bps_floor": apr_bps(fees, value, number(inputs, "time_diff_s"))}


def apr_gate(inputs: Case, expected: Case) -> Case:
    last = number(inputs, "last_updated_s")
    moments = {name: int(name.removeprefix("updates_at_")) for name in expected if name.startswith("updates_at_")}
    return {"updates": yield_due(last, number(inputs, "now_s"))} | {
        name: yield_due(last, moment) for name, moment in moments.items()
    }


def fee_split(inputs: Case, _: Case) -> Case:
    revenue = RevenueShare(trading=RATE - int(Fraction(inputs["pool_share"]) * RATE))
    fee = int(Fraction(inputs["fee_usd"]) * RATE) * RATE
    protocol = share_of(fee, revenue.rate("trading"))
    return {"pool": Fraction(fee // RATE - protocol, RATE), "protocol": Fraction(protocol, RATE)}


def ui_size(inputs: Case, _: Case) -> Case:
    collateral, leverage, fee = (inputs[name] for name in ("collateral_sui", "leverage", "open_fee"))
    size = size_from_collateral(collateral, leverage, fee)
    charged = size * Fraction(fee)
    shown = Fraction(inputs["price"]) * (1 - 1 / Fraction(leverage))
    return {
        "size_sui": size,
        "open_fee_sui": charged,
        "collateral_after_fee_sui": Fraction(collateral) - charged,
        # The page cuts its digits off.
        "est_liq_price_shown": Fraction(int(shown * 1000 + Fraction(1, 2)), 1000),
    }


def price_threshold(inputs: Case, expected: Case) -> Case:
    is_long = inputs["long"]
    price, limit = (int(Fraction(inputs[name]) * USD) for name in ("index_price", "limited_index_price"))
    intent = {"open": "open", "decrease_tp": "take_profit", "decrease_sl": "stop_loss"}[inputs["action"]]
    condition = trigger(intent, is_long, limit)
    due = price > condition.price if condition.above else price < condition.price
    if not rests(intent, is_long, price, limit):
        return {"result": "execute"}
    if intent == "stop_loss" and due:
        return {"result": "execute_when_triggered"}
    # The recording has two words for waiting.
    return {"result": expected["result"] if expected["result"].startswith("rest") else "rest"}


def loss_protection(inputs: Case, _: Case) -> Case:
    paid = number(inputs, "settled_raw")
    pool = BorrowPoolSettings(
        "main", "ZLP", RebaseCurve(), NO_PROTOCOL, protection=LossProtection(rate=int(inputs.get("rate_x18", 0)))
    )
    before = CoinVault("main", "COIN", reserved=paid, collateral=paid, protection=number(inputs, "lpv_raw"))
    if inputs["case"] == "loss":
        after = lost(pool, before, paid)
        return {
            "to_lpv_raw": after.protection - before.protection,
            "to_liquidity_raw": after.liquidity - before.liquidity,
        }
    position = _position(reserved=paid, collateral=paid)
    settlement = Settlement(False, True, paid, 1, 0, 0, 0, 0, 0, Carry(0, 0, 0))
    after = settled_vault(pool, before, position, position, settlement)
    return {
        "paid_from_lpv_raw": before.protection - after.protection,
        "returned_to_liquidity_raw": after.liquidity - before.liquidity,
        "trader_receives_raw": before.claim().amount - after.claim().amount,
    }


HANDLERS: dict[str, Handler] = {
    "rounding": rounding,
    "coin_value": coin_value,
    "rebase_fee": rebase_fee,
    "docs_weight_band": weight_band,
    "reserving_rate": reserving_rate,
    "vault_accrual": vault_accrual,
    "position_reserving_fee": reserving_fee,
    "position_funding_fee": funding_fee,
    "funding_oi": open_interest,
    "lp_price": lp_price,
    "lp_mint": lp_mint,
    "lp_mint_first": lp_mint_first,
    "lp_burn": lp_burn,
    "swap": swap,
    "liquidation_price": closed_form,
    "fee_revenue_example": fee_example,
    "apr_weekly": apr_weekly,
    "apr_update_gate": apr_gate,
    "fee_split": fee_split,
    "ui_size_from_collateral": ui_size,
    "price_threshold": price_threshold,
    "loss_protection_vault": loss_protection,
}


def handler_of(case: Case) -> Handler | None:
    """What computes a case: positions have many topics and are told by what they are given."""
    inputs = case["inputs"]
    if "decrease_amount_raw" in inputs:
        return zo_positions.decreasing
    if "open" in inputs:
        return zo_positions.liquidating
    if "open_amount_raw" in inputs:
        return zo_positions.opening
    return HANDLERS.get(case["topic"])
