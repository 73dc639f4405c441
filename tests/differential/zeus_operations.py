"""The recorded operations, each run as the commands it stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from tests.differential.zeus_venue import GOVERNOR, POOL, ReferenceVenue
from zlp.engine import Envelope, Receipt, ledger
from zlp.engine.branches.basket.assets import USD_PER_DEBT, inventory, load_asset, touch
from zlp.engine.branches.basket.debt import buy_debt, sell_debt
from zlp.engine.branches.basket.valuation import share_price
from zlp.engine.commands.base import Command
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition, LiquidatePosition
from zlp.engine.commands.liquidity import Burn, Donate, Mint, Swap
from zlp.engine.draft import Draft
from zlp.engine.events.ledger import Transferred
from zlp.engine.events.liquidity import SharesMinted
from zlp.engine.fixed import mul_div_down
from zlp.engine.invariants import check
from zlp.engine.leaves.isolated import IsolatedSettings, MarketSettings
from zlp.engine.leaves.pool import AssetSettings, PoolSettings
from zlp.engine.leaves.prices import PriceSettings
from zlp.engine.mechanisms.swap_fees import DynamicTax
from zlp.engine.rejections import Code, Reject

BEFORE_SENDER = (
    Code.INSUFFICIENT_BALANCE,
    Code.UNKNOWN_FEED,
    Code.NO_PRICE,
    Code.INVALID_AVERAGE_PRICE,
    Code.LEVERAGE_DISABLED,
    Code.ARITHMETIC_UNDERFLOW,
    Code.DIVISION_BY_ZERO,
)
"""What theirs asks (transfer, mark price, tracker, switch) before who sends; ours asks that at the door."""


@dataclass
class Outcome:
    """Whether an operation succeeded, and what about its result differs."""

    code: Code | None = None
    differences: list[str] = field(default_factory=list)


class Operations:
    """Runs recorded operations on a reference venue."""

    def __init__(self, venue: ReferenceVenue) -> None:
        self.venue = venue

    def run(self, record: dict[str, Any]) -> Outcome:
        """One operation."""
        handler: Callable[[dict[str, Any]], Outcome] = getattr(self, f"_{record['op']}")
        return handler(record)

    def _command(self, record: dict[str, Any], command: Command) -> Outcome:
        sender = record.get("sender", record["account"])
        account = record["account"]
        signer = sender if sender != account else ""
        if signer:
            refused = self._quote_of(account, command).rejection
            if refused is not None and refused.code in BEFORE_SENDER:
                return Outcome(refused.code)
        receipt = self.venue.apply(account, command, signer)
        if receipt.rejection is not None:
            return Outcome(receipt.rejection.code)
        return Outcome(None, _payout_differences(record, _payouts(receipt)))

    def _set_price(self, record: dict[str, Any]) -> Outcome:
        self.venue.set_answers({record["token"]: record["answer"]})
        return Outcome()

    def _advance(self, record: dict[str, Any]) -> Outcome:
        self.venue.now += int(record["seconds"])
        return Outcome()

    def _quote_of(self, account: str, command: Command) -> Receipt:
        return self.venue.root.quote(Envelope(time=self.venue.now, account=account, command=command)).receipt

    def _add_liquidity(self, record: dict[str, Any]) -> Outcome:
        """Theirs has a least amount of pool debt beside that of shares, and asks it first."""
        mint = Mint(pool=POOL, token=record["token"], amount=int(record["amount"]))
        for event in self._quote_of(record["account"], mint).events:
            if isinstance(event, SharesMinted) and event.value_usd < int(record["minUsdg"]) * USD_PER_DEBT:
                return Outcome(Code.DEBT_BELOW_MINIMUM)
        return self._command(record, replace(mint, min_shares=int(record["minGlp"])))

    def _remove_liquidity(self, record: dict[str, Any]) -> Outcome:
        return self._command(
            record,
            Burn(
                pool=POOL,
                token=record["token"],
                shares=int(record["glpAmount"]),
                min_amount=int(record["minOut"]),
                to=record["receiver"],
            ),
        )

    def _swap(self, record: dict[str, Any]) -> Outcome:
        return self._command(
            record,
            Swap(
                pool=POOL,
                path=tuple(record["path"]),
                amount=int(record["amountIn"]),
                min_amount=int(record["minOut"]),
                to=record["receiver"],
            ),
        )

    def _increase(self, record: dict[str, Any]) -> Outcome:
        return self._command(
            record,
            IncreasePosition(
                pool=POOL,
                market=record["index"],
                collateral=record["collateral"],
                is_long=record["isLong"],
                amount=int(record["amountIn"]),
                size_delta=int(record["sizeDelta"]),
            ),
        )

    def _decrease(self, record: dict[str, Any]) -> Outcome:
        return self._command(
            record,
            DecreasePosition(
                pool=POOL,
                market=record["index"],
                collateral=record["collateral"],
                is_long=record["isLong"],
                size_delta=int(record["sizeDelta"]),
                collateral_delta=int(record["collateralDelta"]),
                to=record["receiver"],
            ),
        )

    def _liquidate(self, record: dict[str, Any]) -> Outcome:
        command = LiquidatePosition(
            pool=POOL,
            account=record["account"],
            market=record["index"],
            collateral=record["collateral"],
            is_long=record["isLong"],
            reward_to=record["feeReceiver"],
        )
        receipt = self.venue.apply(record["sender"], command)
        if receipt.rejection is not None:
            return Outcome(receipt.rejection.code)
        return Outcome(None, _payout_differences(record, _payouts(receipt)))

    def _direct_deposit(self, record: dict[str, Any]) -> Outcome:
        return self._command(record, Donate(pool=POOL, token=record["token"], amount=int(record["amount"])))

    def _buy_usdg(self, record: dict[str, Any]) -> Outcome:
        def step(draft: Draft) -> list[str]:
            amount = int(record["amount"])
            ledger.move(draft, record["token"], record["account"], f"pool:{POOL}", amount)
            self._require_manager(record["account"])
            debt, _ = buy_debt(draft, self.venue.pool(), record["token"], amount, record["receiver"])
            expected = record["out"].get("usdgOut", str(debt))
            return [] if expected == str(debt) else [f"usdgOut {expected} is {debt}"]

        return self._inside(record["account"], step)

    def _sell_usdg(self, record: dict[str, Any]) -> Outcome:
        def step(draft: Draft) -> list[str]:
            debt, account = int(record["usdgAmount"]), record["account"]
            if ledger.balance_of(draft, account, "USDG") < debt:
                raise Reject(Code.INSUFFICIENT_BALANCE)
            self._require_manager(account)
            paid, _ = sell_debt(draft, self.venue.pool(), record["token"], debt, account, record["receiver"])
            expected = record["out"].get("amountOut", str(paid))
            return [] if expected == str(paid) else [f"amountOut {expected} is {paid}"]

        return self._inside(record["account"], step)

    def _require_manager(self, account: str) -> None:
        if self.venue.config["inManagerMode"] and account not in self.venue.config["managers"]:
            raise Reject(Code.MANAGED_ONLY)

    def _update_funding(self, record: dict[str, Any]) -> Outcome:
        def step(draft: Draft) -> list[str]:
            settings = draft.need(AssetSettings, (POOL, record["collateral"]), Code.TOKEN_NOT_LISTED)
            draft.put(touch(draft, self.venue.pool(), settings))
            return []

        return self._inside(GOVERNOR, step)

    def _withdraw_fees(self, record: dict[str, Any]) -> Outcome:
        def step(draft: Draft) -> list[str]:
            asset = load_asset(draft, POOL, record["token"])
            draft.put(replace(asset, fees=0))
            ledger.move(draft, record["token"], f"pool:{POOL}", GOVERNOR, asset.fees)
            expected = record["out"]["amount"]
            return [] if expected == str(asset.fees) else [f"amount {expected} is {asset.fees}"]

        return self._inside(GOVERNOR, step)

    def _inside(self, sender: str, step: Callable[[Draft], list[str]]) -> Outcome:
        """Run engine functions that are no command of ours (the pool's inner debt market) in one draft."""
        draft = self.venue.draft(sender)
        try:
            differences = step(draft)
        except Reject as refused:
            return Outcome(refused.rejection.code)
        check(draft)
        self.venue.root._commit(draft)
        return Outcome(None, differences)

    def _gov(self, record: dict[str, Any]) -> Outcome:
        _GOVERN[record["fn"]](self.venue, record["args"])
        return Outcome()

    def _quote(self, record: dict[str, Any]) -> Outcome:
        try:
            result = _QUOTE[record["fn"]](self.venue, record["args"])
        except Reject as refused:
            return Outcome(refused.rejection.code)
        expected = record["out"]["result"]
        return Outcome(None, [] if str(result) == str(expected) else [f"result {expected} is {result}"])


def _payouts(receipt: Receipt) -> list[list[str]]:
    return [
        [event.token, event.target, str(event.amount)]
        for event in receipt.events
        if isinstance(event, Transferred) and event.source == f"pool:{POOL}"
    ]


def _payout_differences(record: dict[str, Any], ours: list[list[str]]) -> list[str]:
    """Payouts in order; the middle hop of a swap goes to our trader where theirs goes to the router."""
    theirs = [payout for payout in record["out"].get("payouts", []) if payout[2] != "0"]
    names = [[token, amount] for token, _, amount in theirs]
    if names != [[token, amount] for token, _, amount in ours]:
        return [f"payouts {theirs} are {ours}"]
    different = [(a, b) for a, b in zip(theirs, ours, strict=True) if a[1] not in (b[1], "ROUTER")]
    return [f"payouts {theirs} are {ours}"] if different else []


def _settings(venue: ReferenceVenue, kind: type[Any], *key: str) -> Any:
    found = venue.root.state.get(kind, key)
    assert found is not None, f"{kind.__name__}{key}"
    return found


def _set(venue: ReferenceVenue, kind: type[Any], key: tuple[str, ...], **changes: Any) -> None:
    venue.configure(replace(_settings(venue, kind, *key), **changes))


def _set_funding(venue: ReferenceVenue, args: list[str]) -> None:
    interval, factor, stable_factor = (int(arg) for arg in args)
    funding = replace(venue.pool().funding, interval=interval, factor=factor, stable_factor=stable_factor)
    _set(venue, PoolSettings, (POOL,), funding=funding)


def _set_token(venue: ReferenceVenue, args: list[Any]) -> None:
    token, decimals, weight, minimum_profit, max_debt, stable, shortable = args
    changes = {
        "decimals": int(decimals),
        "weight": int(weight),
        "minimum_profit_bps": int(minimum_profit),
        "max_debt": int(max_debt),
        "stable": stable,
        "shortable": shortable,
        "listed": True,
    }
    _set(venue, AssetSettings, (POOL, token), **changes)


def _set_fees(venue: ReferenceVenue, args: list[Any]) -> None:
    tax, stable_tax, mint_burn, swap, stable_swap, margin = (int(arg) for arg in args[:6])
    fees = DynamicTax(
        mint_burn_bps=mint_burn,
        swap_bps=swap,
        stable_swap_bps=stable_swap,
        tax_bps=tax,
        stable_tax_bps=stable_tax,
        mint_burn_tax_bps=tax,
        stable_mint_burn_tax_bps=tax,
        rebate=True,
        enabled=args[8],
    )
    _set(venue, PoolSettings, (POOL,), swap_fees=fees)
    _set(
        venue,
        IsolatedSettings,
        (POOL,),
        opening_fee_bps=margin,
        closing_fee_bps=margin,
        liquidation_fee=int(args[6]),
        minimum_profit_time=int(args[7]),
    )


def _set_spread(venue: ReferenceVenue, token: str, **changes: Any) -> None:
    settings = _settings(venue, PriceSettings, token)
    _set(venue, PriceSettings, (token,), spread=replace(settings.spread, **changes))


def _each_price(venue: ReferenceVenue, change: Callable[[PriceSettings], PriceSettings]) -> None:
    for token in venue.tokens:
        venue.configure(change(_settings(venue, PriceSettings, token)))


def _set_deviation(venue: ReferenceVenue, args: list[str]) -> None:
    _each_price(venue, lambda row: replace(row, spread=replace(row.spread, strict_deviation=int(args[0]))))


def _set_samples(venue: ReferenceVenue, args: list[str]) -> None:
    _each_price(venue, lambda row: replace(row, sample_rounds=int(args[0])))


def _set_max_leverage(venue: ReferenceVenue, args: list[str]) -> None:
    for token in venue.tokens:
        _set(venue, MarketSettings, (POOL, token), max_leverage=int(args[0]))


def _set_adjustment(venue: ReferenceVenue, args: list[Any]) -> None:
    _set_spread(venue, args[0], adjustment_upward=bool(args[1]), adjustment_bps=int(args[2]))


def _set_weight(venue: ReferenceVenue, args: list[str]) -> None:
    rules = _settings(venue, IsolatedSettings, POOL)
    shorts = replace(rules.shorts, tracker_weight_bps=int(args[0]))
    _set(venue, IsolatedSettings, (POOL,), shorts=shorts)


_GOVERN: dict[str, Callable[[ReferenceVenue, list[Any]], None]] = {
    "setBufferAmount": lambda v, a: _set(v, AssetSettings, (POOL, a[0]), buffer=int(a[1])),
    "setMaxGlobalShortSize": lambda v, a: _set(v, MarketSettings, (POOL, a[0]), max_short_hard=int(a[1])),
    "setFundingRate": _set_funding,
    "setTokenConfig": _set_token,
    "clearTokenConfig": lambda v, a: _set(v, AssetSettings, (POOL, a[0]), listed=False),
    "setFees": _set_fees,
    "setMaxLeverage": _set_max_leverage,
    "setIsSwapEnabled": lambda v, a: _set(v, PoolSettings, (POOL,), swap_enabled=a[0]),
    "setIsLeverageEnabled": lambda v, a: _set(v, IsolatedSettings, (POOL,), leverage_enabled=a[0]),
    "setInPrivateLiquidationMode": lambda v, a: _set(v, IsolatedSettings, (POOL,), private_liquidation=a[0]),
    "setCooldownDuration": lambda v, a: _set(v, PoolSettings, (POOL,), cooldown=int(a[0])),
    "setAumAdjustment": lambda v, a: _set(
        v, PoolSettings, (POOL,), value_addition=int(a[0]), value_deduction=int(a[1])
    ),
    "setShortsTrackerAveragePriceWeight": _set_weight,
    "setMaxStrictPriceDeviation": _set_deviation,
    "setPriceSampleSpace": _set_samples,
    "setSpreadBasisPoints": lambda v, a: _set_spread(v, a[0], spread_bps=int(a[1])),
    "setAdjustment": _set_adjustment,
}


def _fee_bps(venue: ReferenceVenue, args: list[Any]) -> int:
    token, delta, base, tax, increase = args
    draft = venue.draft()
    settings = _settings(venue, AssetSettings, POOL, token)
    asset = load_asset(draft, POOL, token)
    stock = inventory(draft, venue.pool(), settings, asset.debt, ledger.supply_of(draft, "USDG"))
    fees = venue.pool().swap_fees
    return fees.curve(int(base), int(tax), stock, int(delta), increase) if fees.enabled else int(base)


def _swap_fee_bps(venue: ReferenceVenue, args: list[Any]) -> int:
    token_in, token_out, delta = args
    fees = venue.pool().swap_fees
    both = [_settings(venue, AssetSettings, POOL, token).stable for token in (token_in, token_out)]
    base, tax = (fees.stable_swap_bps, fees.stable_tax_bps) if all(both) else (fees.swap_bps, fees.tax_bps)
    return max(
        _fee_bps(venue, [token_in, delta, base, tax, True]),
        _fee_bps(venue, [token_out, delta, base, tax, False]),
    )


def _next_funding(venue: ReferenceVenue, args: list[str]) -> int:
    funding = venue.pool().funding
    assert funding is not None
    asset = load_asset(venue.root.state, POOL, args[0])
    stable = _settings(venue, AssetSettings, POOL, args[0]).stable
    if asset.funding_at + funding.interval > venue.now:
        return 0
    index, _ = funding.accrue(asset.funding_index, asset.funding_at, venue.now, asset.reserved, asset.amount, stable)
    return index - asset.funding_index


def _utilisation(venue: ReferenceVenue, args: list[str]) -> int:
    asset = load_asset(venue.root.state, POOL, args[0])
    return mul_div_down(asset.reserved, 1_000_000, asset.amount) if asset.amount else 0


def _share_price(venue: ReferenceVenue, args: list[Any]) -> int:
    if ledger.supply_of(venue.root.state, "GLP") == 0:
        raise Reject(Code.DIVISION_BY_ZERO)
    return share_price(venue.root.state, venue.pool(), venue.now, maximise=args[0])


_QUOTE: dict[str, Callable[[ReferenceVenue, list[Any]], int]] = {
    "getFeeBasisPoints": _fee_bps,
    "getSwapFeeBasisPoints": _swap_fee_bps,
    "getNextFundingRate": _next_funding,
    "getUtilisation": _utilisation,
    "getPrice": _share_price,
}
