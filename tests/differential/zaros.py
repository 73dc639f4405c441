"""Replays the recorded cases of the design whose vaults lend credit.

``replay(path)`` counts the cases of profile ``zaros`` whose use is ``required`` or ``formula``; the others are
named with the reason why they were skipped. Here are the formulas; what needs a venue is in ``zaros_venue``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.differential import zaros_venue
from tests.differential.report import Report
from tests.differential.scaled import differences, usd18
from zlp.engine.branches.credit_positions.health import Health
from zlp.engine.fixed import RATE, USD, mul_div_down, mul_div_toward_zero
from zlp.engine.mechanisms.credit import (
    assets_for,
    capacity,
    locked,
    market_realized,
    net_assets,
    part_of,
    per_credit,
    recipient_parts,
    shares_for,
    split_fee,
    vault_debt,
)
from zlp.engine.mechanisms.deleverage_curve import DeleverageCurve, PremiumCurve, debt_ratio
from zlp.engine.mechanisms.power import power
from zlp.engine.mechanisms.skew import MakerTakerFee, SkewFunding, SkewPrice, profit
from zlp.engine.mechanisms.stability import StableSwap
from zlp.engine.rejections import Reject

Case = dict[str, Any]
E30 = 10**12
"""Factor from 1e18 to 1e30."""
SKIPPED = {
    "optional": "optional: no part of this design",
    "informational": "informational: what the deployed code does, not what the design means",
    "config": "not a case",
}


def replay(path: Path) -> Report:
    """Compare every counted case of the file."""
    report = Report("cases")
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if case.get("profile") != "zaros":
            continue
        use, name = case.get("use", "required"), case.get("id", "?")
        if use not in ("required", "formula"):
            report.skip(name, SKIPPED.get(use, use))
            continue
        handler = TOPICS.get(case["topic"])
        if handler is None:
            report.mismatch(name, f"no handler for topic {case['topic']}")
            continue
        try:
            actual = handler(case["inputs"], case["expected"])
        except Reject:
            actual = {"rejected": case["expected"].get("rejected"), "reverts": True}
        found = differences(_flat(case["expected"]), _flat(actual), case.get("tol_abs", "0"))
        if found:
            report.mismatch(name, "; ".join(found))
        else:
            report.match()
    return report


def _flat(values: Case) -> Case:
    """Lists as one entry each, so that the name still says how exact it must be."""
    flat: Case = {}
    for name, value in values.items():
        if isinstance(value, list):
            flat.update({f"{index}:{name}": item for index, item in enumerate(value)})
        else:
            flat[name] = value
    return flat


def number(inputs: Case, name: str, scale: int = 1) -> int:
    """An input as an integer."""
    return int(inputs[name]) * scale


def rounding(inputs: Case, expected: Case) -> Case:
    """Multiplying and dividing at 1e18, unsigned down, signed toward zero, up."""
    a, b = number(inputs, "a_x18"), number(inputs, "b_x18")
    product = mul_div_toward_zero(a, b, RATE)
    quotient = mul_div_toward_zero(a, RATE, b) if b else 0
    # The reference adds a unit whenever a is no multiple of b, even to a quotient that is exact at 1e18.
    exact = not b or abs(a) == abs(b) * mul_div_down(abs(a), 1, abs(b))
    results = {}
    for name in expected:
        if "up" in name or "ceil" in name:
            results[name] = quotient + (not exact)
        else:
            results[name] = product if "mul" in name else quotient
    return results


def pow_(inputs: Case, _: Case) -> Case:
    """Powers."""
    return {"pow_x18": power(number(inputs, "x_x18"), number(inputs, "y_x18"))}


def mark_price(inputs: Case, _: Case) -> Case:
    """The mark of a trade."""
    skew = SkewPrice(skew_scale=number(inputs, "skew_scale_x18"))
    index = number(inputs, "index_x18", E30)
    return {"mark_x18": usd18(skew.mark(index, number(inputs, "skew_x18"), number(inputs, "size_delta_x18")))}


def _funding(inputs: Case) -> SkewFunding:
    return SkewFunding(max_velocity=number(inputs, "max_velocity_x18"), skew_scale=number(inputs, "skew_scale_x18"))


def funding_velocity(inputs: Case, _: Case) -> Case:
    """How fast the rate changes."""
    return {"velocity_x18": usd18(_funding(inputs).velocity(number(inputs, "skew_x18")))}


def funding_rate(inputs: Case, _: Case) -> Case:
    """The rate after some time."""
    last, skew = number(inputs, "last_rate_x18", E30), number(inputs, "skew_x18")
    return {"rate_x18": usd18(_funding(inputs).rate(last, skew, number(inputs, "elapsed_s")))}


def funding_fee_per_unit(inputs: Case, _: Case) -> Case:
    """What a unit receives, and what a position has accrued."""
    change = SkewFunding(max_velocity=0, skew_scale=1).fee_change(
        number(inputs, "last_rate_x18", E30),
        number(inputs, "rate_x18", E30),
        number(inputs, "elapsed_s"),
        number(inputs, "mark_x18", E30),
    )
    entry = number(inputs, "entry_fpu_x18", E30)
    accrued = profit(number(inputs, "size_x18"), entry, change)
    return {"pending_fpu_x18": usd18(change), "accrued_funding_usd_x18": usd18(accrued)}


def order_fee(inputs: Case, _: Case) -> Case:
    """Maker and taker."""
    fees = MakerTakerFee(maker=number(inputs, "maker_x18"), taker=number(inputs, "taker_x18"))
    mark = number(inputs, "mark_x18", E30)
    return {"fee_usd_x18": usd18(fees.fee(number(inputs, "skew_x18"), number(inputs, "size_delta_x18"), mark))}


def vault_credit_capacity(inputs: Case, _: Case) -> Case:
    """Debt, capacity and what is locked of it."""
    value = mul_div_down(number(inputs, "total_assets_x18"), number(inputs, "price_x18", E30), RATE)
    credit = mul_div_down(value, number(inputs, "credit_ratio_x18"), RATE)
    realized = number(inputs, "markets_realized_debt_usd_x18", E30)
    settled = number(inputs, "deposited_usdc_x18", E30)
    owed = vault_debt(realized, settled, number(inputs, "markets_unrealized_debt_usd_x18", E30))
    free = capacity(credit, owed)
    return {
        "unsettled_realized_usd_x18": usd18(vault_debt(realized, settled, 0)),
        "total_debt_usd_x18": usd18(owed),
        "capacity_usd_x18": usd18(free),
        "locked_capacity_usd_x18": usd18(locked(free, number(inputs, "locked_credit_ratio_x18"))),
    }


def market_credit_capacity(inputs: Case, _: Case) -> Case:
    """Credit less debt."""
    left = capacity(number(inputs, "delegated_usd_x18", E30), number(inputs, "total_debt_usd_x18", E30))
    return {"capacity_usd_x18": usd18(left)}


def market_realized_debt(inputs: Case, _: Case) -> Case:
    """Issuance less deposits."""
    issued = number(inputs, "net_usd_token_issuance_x18", E30)
    return {
        "realized_debt_usd_x18": usd18(market_realized(issued, number(inputs, "credit_deposits_value_usd_x18", E30)))
    }


def adl(inputs: Case, _: Case) -> Case:
    """How much of a profit is paid."""
    delegated, debt = number(inputs, "delegated_usd_x18", E30), number(inputs, "total_debt_usd_x18", E30)
    if capacity(delegated, debt) <= 0:
        return {"rejected": "InsufficientCreditCapacity"}
    curve = DeleverageCurve(
        start=number(inputs, "start_x18"), end=number(inputs, "end_x18"), exponent=number(inputs, "exponent_x18")
    )
    factor = curve.payout_factor(delegated, debt)
    return {
        "debt_ratio_x18": debt_ratio(debt, delegated),
        "payout_factor_x18": factor,
        "payout_x18": usd18(mul_div_down(number(inputs, "profit_usd_x18", E30), factor, RATE)),
    }


def _premium(values: list[int]) -> PremiumCurve:
    x_min, x_max, y_min, y_max, exponent = values
    return PremiumCurve(x_min=x_min, x_max=x_max, y_min=y_min, y_max=y_max, exponent=exponent)


def premium_discount(inputs: Case, _: Case) -> Case:
    """The premium or discount of a vault."""
    curve = _premium([number(inputs, name) for name in ("x_min_x18", "x_max_x18", "y_min_x18", "y_max_x18", "z_x18")])
    assets = number(inputs, "vault_assets_usd_x18", E30)
    return {"factor_x18": curve.factor(assets, number(inputs, "vault_debt_usd_x18", E30))}


def swap_fulfill(inputs: Case, _: Case) -> Case:
    """What a swap of the stable token pays."""
    terms = StableSwap(
        base_fee_usd=number(inputs, "base_fee_usd_x18", E30),
        fee_bps=number(inputs, "swap_fee_bps_x18"),
        curve=_premium([int(value) for value in inputs["curve_xmin_xmax_ymin_ymax_z_x18"]]),
    )
    price, value = number(inputs, "price_x18", E30), number(inputs, "usdz_in_x18", E30)
    assets = mul_div_down(number(inputs, "total_assets_x18"), price, RATE)
    share = number(inputs, "protocol_share_x18")
    paid = terms.amounts(value, price, RATE, assets, number(inputs, "vault_debt_usd_x18", E30), share)
    return {
        "factor_x18": paid.factor,
        "gross_out_x18": paid.gross,
        "base_fee_asset_x18": paid.base_fee,
        "swap_fee_asset_x18": paid.swap_fee,
        "amount_out_x18": paid.to_user,
        "protocol_reward_x18": paid.to_protocol,
        "vault_outflow_x18": paid.to_user + paid.to_protocol,
        "vault_keeps_swap_fee_x18": paid.base_fee + paid.swap_fee - paid.to_protocol,
        "vault_realized_debt_change_usd_x18": -usd18(value),
    }


def fee_split(inputs: Case, _: Case) -> Case:
    """Protocol and vaults."""
    protocol, vaults = split_fee(number(inputs, "weth_fee_x18"), number(inputs, "protocol_share_x18"))
    return {"protocol_weth_x18": protocol, "vaults_weth_x18": vaults}


def fee_recipients(inputs: Case, _: Case) -> Case:
    """Recipients by share."""
    shares = tuple(int(share) for share in inputs["shares_x18"])
    return {"payouts_raw": recipient_parts(number(inputs, "amount_raw"), shares)}


def weth_usdc_distribution(inputs: Case, _: Case) -> Case:
    """Rewards and settlement tokens by delegated credit, at the reference's index scale."""
    lent = [number(inputs, f"v{n}_credit_usd_x18", E30) for n in (1, 2)]
    protocol, vaults = split_fee(number(inputs, "weth_fee_x18"), number(inputs, "protocol_share_x18"))
    result = {"protocol_weth_x18": protocol, "vaults_weth_x18": vaults}
    reward = per_credit(vaults, sum(lent), USD)
    settled = per_credit(number(inputs, "usdc_settled_x18"), sum(lent), USD)
    for n, credit in enumerate(lent, 1):
        earned = part_of(reward, credit, USD)
        staked = number(inputs, f"v{n}_staked_shares_x18")
        result[f"v{n}_weth_x18"] = earned
        result[f"v{n}_usdc_x18"] = part_of(settled, credit, USD)
        result[f"v{n}_value_per_staked_share_x18"] = per_credit(earned, staked, RATE)
    return result


def share_conversion(inputs: Case, _: Case) -> Case:
    """Shares and assets by what the vault owes."""
    supply, price = number(inputs, "share_supply_raw"), number(inputs, "price_x18", E30)
    decimals, debt = number(inputs, "asset_decimals_d"), number(inputs, "vault_debt_usd_x18", E30)
    net = net_assets(number(inputs, "total_assets_raw"), decimals, debt, price)
    return {
        "net_assets_raw": net,
        "shares_out_raw": shares_for(number(inputs, "assets_in_raw"), net, supply),
        "assets_out_raw": assets_for(number(inputs, "shares_in_raw"), net, supply),
    }


def liquidation(inputs: Case, _: Case) -> Case:
    """Whether an account may be closed."""
    margin, needed = number(inputs, "margin_balance_usd_x18", E30), number(inputs, "mmr_usd_x18", E30)
    state = Health(margin, 0, needed, needed)
    return {"liquidatable": state.liquidatable(number(inputs, "liquidation_fee_usd_x18", E30))}


TOPICS: dict[str, Callable[[Case, Case], Case]] = {
    "rounding": rounding,
    "pow": pow_,
    "mark_price": mark_price,
    "funding_velocity": funding_velocity,
    "funding_rate": funding_rate,
    "funding_fee_per_unit": funding_fee_per_unit,
    "order_fee": order_fee,
    "vault_credit_capacity": vault_credit_capacity,
    "market_credit_capacity": market_credit_capacity,
    "market_realized_debt": market_realized_debt,
    "adl": adl,
    "usdz_premium_discount": premium_discount,
    "usdz_swap_fulfill": swap_fulfill,
    "fee_split": fee_split,
    "fee_recipients": fee_recipients,
    "weth_usdc_distribution": weth_usdc_distribution,
    "vault_share_conversion": share_conversion,
    "liquidation": liquidation,
    **zaros_venue.TOPICS,
}
