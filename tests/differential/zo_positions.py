"""Recorded openings, decreases and liquidations, run as commands through a root with prepared vaults and prices."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.differential.scaled import usd18
from zlp.engine.branches.borrowed.settlement import Marks, carry_of, settle
from zlp.engine.commands.base import Command, Envelope
from zlp.engine.commands.borrowed import DecreaseBorrowed, LiquidateBorrowed, OpenBorrowed, SetReferrer
from zlp.engine.fixed import BPS, RATE, mul_div_down, value_of
from zlp.engine.leaves.access import Installed
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSettings, BorrowMarketSide
from zlp.engine.leaves.coin_vaults import BorrowPoolSettings, CoinVault, CoinVaultSettings, coins_e18
from zlp.engine.leaves.ledger import Balance, Supply, Token
from zlp.engine.leaves.prices import PriceFeed, PriceSettings
from zlp.engine.mechanisms.borrowing import BorrowRules, ExitTier, InstantExitFee
from zlp.engine.mechanisms.revenue_share import RevenueShare
from zlp.engine.mechanisms.swap_fees import RebaseCurve
from zlp.engine.root import Receipt, Root

POOL, COIN, INDEX = "main", "COIN", "INDEX"
TRADER, KEEPER, REFERRER, COLLECTOR = "trader", "keeper", "referrer", "collector"
LIQUIDITY = 10**24
RICH = 10**30

ERRORS = {
    "INVALID_PLEDGE": "invalid_pledge_amount",
    "INVALID_OPEN_AMOUNT": "invalid_open_amount",
    "INVALID_DECREASE_AMOUNT": "invalid_decrease_amount",
    "INVALID_REDEEM_AMOUNT": "invalid_redeem_amount",
    "INSUFFICIENT_COLLATERAL": "open_fee_exceeds_collateral",
    "INSUFFICIENT_RESERVED": "invalid_reserve_amount",
    "COLLATERAL_VALUE_TOO_LESS": "collateral_below_minimum",
    "HOLDING_DURATION_TOO_SHORT": "holding_too_short",
    "LEVERAGE_TOO_LARGE": "max_leverage_exceeded",
    "LIQUIDATION_TRIGGERED": "liquidation_triggered",
    "LIQUIDATION_NOT_TRIGGERED": "position_not_liquidatable",
    "EXCEED_MAX_RESERVED": "max_reserve_exceeded",
    "COLLATERAL_PRICE_EXCEED_THRESHOLD": "collateral_price_below_floor",
}
"""Names of the reference's errors and the engine's codes for them."""

Case = dict[str, Any]


def rules_of(config: Case, liquidation_fee: int = 0) -> BorrowRules:
    """A recorded position config."""
    return BorrowRules(
        max_leverage=int(config["max_leverage"]) * BPS,
        min_holding=int(config["min_holding_s"]),
        max_reserve=int(config["max_reserved_multiplier"]) * BPS,
        min_collateral_usd=int(config["min_collateral_usd_x18"]) * 10**12,
        open_fee=int(config["open_fee_x18"]),
        close_fee=int(config["decrease_fee_x18"]),
        liquidation_threshold=int(config["liq_threshold_x18"]),
        liquidation_bonus=int(config["liq_bonus_x18"]),
        liquidation_fee=liquidation_fee,
    )


def _leaves(inputs: Case, index_price: str, now: int) -> list[Any]:
    collateral_price = int(inputs["collateral_price_x18"])
    revenue = RevenueShare(
        trading=int(inputs.get("protocol_share_x18", 0)),
        borrow=0,
        liquidity=0,
        referral=int(inputs.get("referral_share_x18", 0)),
    )
    feeds = ((COIN, collateral_price), (INDEX, int(index_price)))
    return [
        Installed("borrowed", 1),
        Token(COIN, int(inputs["collateral_decimals_d"])),
        *(PriceSettings(asset, answer_decimals=18) for asset, _ in feeds),
        *(PriceFeed(asset, rounds=(price,), posted_at=now) for asset, price in feeds),
        BorrowPoolSettings(POOL, "ZLP", RebaseCurve(), revenue, COLLECTOR),
        CoinVaultSettings(POOL, COIN, weight=RATE),
        CoinVault(POOL, COIN, liquidity=LIQUIDITY, updated_at=now),
        BorrowMarketSettings(
            POOL,
            INDEX,
            int(inputs["index_decimals_d"]),
            (COIN,),
            (COIN,),
            rules_of(inputs["config"], int(inputs.get("liquidation_fee_rate_x18", 0))),
        ),
        Balance(f"coins:{POOL}", COIN, LIQUIDITY),
        Balance(TRADER, COIN, RICH),
        Supply(COIN, LIQUIDITY + RICH),
    ]


def _apply(root: Root, account: str, command: Command) -> Receipt:
    return root.apply(Envelope(time=root.time, account=account, command=command))


def _balance(root: Root, owner: str) -> int:
    found = root.state.get(Balance, (owner, COIN))
    return 0 if found is None else found.amount


def _vault(root: Root) -> CoinVault:
    found = root.state.get(CoinVault, (POOL, COIN))
    assert found is not None
    return found


def _put(root: Root, leaf: Any) -> None:
    """Prepare the state a case starts from, behind the engine's back."""
    root.state.tables.setdefault(type(leaf), {})[leaf.key] = leaf


def _refused(receipt: Receipt, expected: Case) -> Case | None:
    """The result of a refused command, ``None`` if it was accepted."""
    if receipt.rejection is None:
        return {"error": "none"} if "error" in expected else None
    code = receipt.rejection.code.value
    name = expected.get("error", "")
    return {"error": name if ERRORS.get(name.removeprefix("ERR_")) == code else code}


def _open(inputs: Case, terms: Case, is_long: bool, now: int) -> tuple[Root, Receipt]:
    root = Root(_leaves(inputs, terms["index_price_x18"], now), time=now)
    if "referral_share_x18" in inputs:
        _apply(root, TRADER, SetReferrer(referrer=REFERRER))
    command = OpenBorrowed(
        pool=POOL,
        market=INDEX,
        is_long=is_long,
        token=COIN,
        collateral=int(terms["collateral_raw"]),
        amount=int(terms["open_amount_raw"]),
        reserve=int(terms["reserve_raw"]),
        collateral_price_floor=int(inputs.get("collateral_price_threshold_x18", 0)) * 10**12,
    )
    return root, _apply(root, TRADER, command)


def opening(inputs: Case, expected: Case) -> Case:
    """An opening: size, fee, and who got which part of it."""
    root, receipt = _open(inputs, inputs, inputs.get("long", True), 1_000)
    refused = _refused(receipt, expected)
    if refused is not None:
        return refused
    position = next(root.state.each(BorrowedPosition))
    fee_usd = mul_div_down(position.size_usd, position.rules.open_fee, RATE)
    price, unit = int(inputs["collateral_price_x18"]) * 10**12, 10 ** int(inputs["collateral_decimals_d"])
    return {
        "size_usd_x18": usd18(position.size_usd),
        "fee_amount_dec_x18": coins_e18(fee_usd, price, unit),
        "open_fee_raw": int(inputs["collateral_raw"]) - position.collateral,
        "collateral_left_raw": position.collateral,
        "protocol_fee_raw": _balance(root, COLLECTOR),
        "referral_raw": _balance(root, REFERRER),
        "pool_keeps_raw": _vault(root).liquidity + position.reserved - LIQUIDITY,
    }


def _opened(inputs: Case) -> tuple[Root, BorrowedPosition, Marks]:
    """A root with the case's position open, at the case's later prices and cumulative rates."""
    terms = inputs["open"]
    root, receipt = _open(inputs, terms, inputs["long"], int(terms.get("open_time_s", 1_000)))
    assert receipt.rejection is None, receipt.rejection
    position = next(root.state.each(BorrowedPosition))
    now = int(inputs.get("now_s", 5_000))
    borrow, funding = int(inputs["acc_reserving_rate_x18"]), int(inputs["acc_funding_rate_x18"])
    vault, side = _vault(root), next(root.state.each(BorrowMarketSide))
    _put(root, replace(vault, rate_e18=borrow, owed_e18=position.reserved * borrow, updated_at=now))
    _put(root, replace(side, funding_rate_e18=funding, updated_at=now))
    _put(root, PriceFeed(INDEX, rounds=(int(inputs["index_price_x18"]),), posted_at=now))
    root.time = now
    price = int(inputs["collateral_price_x18"]) * 10**12
    units = 10 ** int(inputs["index_decimals_d"]), 10 ** int(inputs["collateral_decimals_d"])
    marks = Marks(int(inputs["index_price_x18"]) * 10**12, units[0], price, price, units[1], borrow, funding)
    return root, position, marks


def decreasing(inputs: Case, expected: Case) -> Case:
    """A decrease or close: what is settled, and where every coin goes."""
    root, position, marks = _opened(inputs)
    amount = int(inputs["decrease_amount_raw"])
    instant = _instant_exit(root, inputs, position, amount)
    before, trader = _vault(root), _balance(root, TRADER)
    command = DecreaseBorrowed(
        position=position.number, market=INDEX, token=COIN, is_long=position.is_long, amount=amount
    )
    refused = _refused(_apply(root, TRADER, command), expected)
    if refused is not None:
        return refused
    left = root.state.get(BorrowedPosition, position.key)
    vault = _vault(root)
    settled = settle(position, amount, marks, instant, root.time - position.opened_at)
    return {
        "closed": left is None,
        "has_profit": settled.has_profit,
        "settled_amount_raw": settled.settled,
        "decreased_reserved_raw": before.reserved - vault.reserved,
        "decrease_size_usd_x18": usd18(settled.size_usd),
        "decrease_fee_usd_x18": usd18(settled.close_fee_usd),
        "reserving_fee_amount_coin_x18": settled.carry.borrow_e18,
        "reserving_fee_usd_x18": usd18(settled.carry.borrow_usd),
        "funding_fee_usd_x18": usd18(settled.carry.funding_usd),
        "to_vault_raw": vault.liquidity - before.liquidity,
        "to_trader_raw": _balance(root, TRADER) - trader,
        "left_collateral_raw": 0 if left is None else left.collateral,
        "left_reserved_raw": 0 if left is None else left.reserved,
    }


def _instant_exit(root: Root, inputs: Case, position: BorrowedPosition, amount: int) -> InstantExitFee | None:
    """The recorded fee as a tier of the market that is still open."""
    fee = int(inputs.get("instant_exit_fee_usd_x18", 0)) * 10**12
    if fee == 0:
        return None
    size = mul_div_down(position.size_usd, amount, position.amount)
    mechanism = InstantExitFee(tiers=(ExitTier(10**9, -(-fee * RATE // size)),))
    market = next(root.state.each(BorrowMarketSettings))
    _put(root, replace(market, instant_exit=mechanism))
    return mechanism


def liquidating(inputs: Case, expected: Case) -> Case:
    """A liquidation by anyone: bonus, the protocol's fee, and what the pool takes."""
    root, position, marks = _opened(inputs)
    before = _vault(root)
    refused = _refused(_apply(root, KEEPER, LiquidateBorrowed(position=position.number)), expected)
    if refused is not None:
        return refused
    carry = carry_of(position, marks)
    change = position.profit_usd(marks.index_price, marks.index_unit) - carry.usd
    return {
        "bonus_raw": _balance(root, KEEPER),
        "protocol_liq_fee_raw": _balance(root, COLLECTOR),
        "to_vault_raw": _vault(root).liquidity - before.liquidity,
        "loss_amount_raw": position.collateral,
        "net_delta_usd_x18": usd18(change),
        "collateral_value_usd_x18": usd18(value_of(position.collateral, marks.coin_low, marks.coin_unit)),
    }
