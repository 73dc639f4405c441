"""Recorded scenarios: the same steps through the engine, every check compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from unittest import mock

from tests.differential.zeno_venue import OPERATOR, POOL, Venue, account_of, configured, read
from zlp.engine.branches.cross_margin import decrease, health, increase
from zlp.engine.branches.cross_margin.books import Books, open_books
from zlp.engine.branches.fund import valuation
from zlp.engine.commands.cross_margin import (
    CrossTrade,
    DepositMargin,
    LiquidateAccount,
    PositionRef,
    SetMarketOpen,
    TakeMaxProfit,
    WithdrawMargin,
)
from zlp.engine.commands.fund import ConvertFundingReserve, SweepFundingSurplus
from zlp.engine.commands.liquidity import Burn, Donate, Mint
from zlp.engine.leaves.cross_margin import CrossAccount, CrossMarginSettings, FundMarketSettings
from zlp.engine.leaves.fund import FundAssetSettings
from zlp.engine.mechanisms.counter_trade import Outcome, ProfitBuffer
from zlp.engine.rejections import Code

USD = 10**30
CODES: dict[str, tuple[Code, ...]] = {
    "AccountHealthy": (Code.ACCOUNT_HEALTHY,),
    "BadAmount": (Code.ZERO_AMOUNT,),
    "BadAmountOut": (Code.OUTPUT_TOO_SMALL,),
    "BadExposure": (Code.OPPOSITE_POSITION,),
    "BadNumberOfPosition": (Code.TOO_MANY_POSITIONS,),
    "BadPositionSize": (Code.ZERO_POSITION, Code.ZERO_AMOUNT),
    "CircuitBreaker": (Code.MINT_DISABLED,),
    "DecreaseTooHighPositionSize": (Code.SIZE_EXCEEDED,),
    "HlpHealthy": (Code.BUFFER_HEALTHY,),
    "InsufficientBalance": (Code.INSUFFICIENT_BALANCE,),
    "InsufficientFreeCollateral": (Code.EQUITY_BELOW_INITIAL,),
    "InsufficientLiquidity": (Code.UTILISATION_EXCEEDED,),
    "InsufficientLiquidityBuffer": (Code.POOL_BELOW_BUFFER,),
    "InsufficientLiquidityMint": (Code.SHARES_BELOW_MINIMUM,),
    "InsufficientReserved": (Code.UTILISATION_EXCEEDED,),
    "InvalidPriceForExecution": (Code.PRICE_NOT_REACHED,),
    "MarketHealthy": (Code.MARKET_LISTED,),
    "MarketIsClosed": (Code.MARKET_CLOSED,),
    "MarketIsDelisted": (Code.MARKET_DELISTED,),
    "MaxHLPUtilizationExceeded": (Code.UTILISATION_EXCEEDED,),
    "MaxUtilizationExceeded": (Code.UTILISATION_EXCEEDED,),
    "MaxPositionSize": (Code.POSITION_TOO_LARGE,),
    "MaxTradeSize": (Code.TRADE_TOO_LARGE,),
    "NoFundingFeeSurplus": (Code.NO_FUNDING_SURPLUS,),
    "NotAllowDecrease": (Code.PROFIT_WAITS,),
    "NotAllowIncrease": (Code.INCREASE_NOT_ALLOWED, Code.PROFIT_WAITS),
    "PoolImbalance": (Code.POOL_IMBALANCE,),
    "PositionAlreadyClosed": (Code.NO_POSITION,),
    "PositionSizeExceed": (Code.OPEN_INTEREST_EXCEEDED,),
    "PriceSlippage": (Code.PRICE_ABOVE_ACCEPTABLE, Code.PRICE_BELOW_ACCEPTABLE),
    "PriceStale": (Code.STALE_PRICE,),
    "ReservedValueStillEnough": (Code.PROFIT_BELOW_RESERVE,),
    "Slippage": (Code.AMOUNT_BELOW_MINIMUM, Code.SHARES_BELOW_MINIMUM),
    "SubAccountEquityIsUnderMMR": (Code.EQUITY_BELOW_MAINTENANCE,),
    "TinyShare": (Code.SUPPLY_TOO_SMALL,),
    "TooTinyPosition": (Code.POSITION_TOO_SMALL,),
    "WithdrawBalanceBelowIMR": (Code.EQUITY_BELOW_INITIAL,),
}
_MARKET_FIELDS = {
    "imf": "initial_bps",
    "mmf": "maintenance_bps",
    "max_profit": "max_profit_bps",
    "max_long": "max_long_usd",
    "max_short": "max_short_usd",
    "active": "listed",
    "allow_increase": "opening",
}


class Stubs:
    """The values a unit test of the reference replaces: fund value, equity and margins, profit."""

    def __init__(self, config: dict[str, Any], *, is_unit: bool) -> None:
        text = str(config.get("mock", ""))
        real_value = not is_unit or "real borrowing rate/fee and HLP value" in text
        self.assets = None if real_value else (100 if "100M" in text else 1) * 10**6 * USD
        self.is_unit = is_unit
        self.no_profit = "pnl delta 0" in text
        self.equity: dict[str, int] = {"ALICE": 10_000 * USD}
        self.maintenance: dict[str, int] = {}

    def install(self, stack: ExitStack) -> None:
        """Replace what the case replaced, for as long as the stack is open."""
        if self.assets is not None:
            stack.enter_context(mock.patch.object(valuation, "assets_usd", return_value=self.assets))
        if self.is_unit:
            stack.enter_context(mock.patch.object(health, "measure", self._health))
        if self.no_profit:
            stack.enter_context(mock.patch.object(health, "marked", return_value=Outcome(False, 0)))

    def _health(self, books: Books, account: CrossAccount) -> health.Health:
        name = account.owner + (f"#{account.number}" if account.number else "")
        equity, maintenance = self.equity.get(name, 0), self.maintenance.get(name, 0)
        return health.Health(equity, 0, 0, 0, 0, maintenance)


def differences(case: dict[str, Any], configs: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Everything in which the engine differs from the recording of one scenario."""
    inputs = case["inputs"]
    config = configured(configs[inputs["config"]], inputs.get("overrides", {}))
    venue = Venue(config)
    stubs = Stubs(config, is_unit=inputs["config"] == "cfg-unit")
    expected = {step["i"]: step for step in case["expected"]["steps"]}
    with ExitStack() as stack:
        stubs.install(stack)
        for step in inputs["steps"]:
            code = _step(venue, stubs, step)
            wanted = expected.get(step["i"], {})
            fault = outcome_fault(wanted.get("result", "ok"), code)
            if fault:
                yield f"step {step['i']} {step.get('op')}: {fault}"
            for check in wanted.get("checks", []):
                fault = check_fault(check, read(venue, check["path"]))
                if fault:
                    yield f"step {step['i']} {check['path']}: {fault}"


def outcome_fault(expected: str, code: Code | None) -> str:
    """How a result differs from the recorded one."""
    if expected in ("ok", "executed"):
        return "" if code is None else f"expected ok, got {code}"
    allowed = CODES[expected.removeprefix("revert:")]
    return "" if code in allowed else f"expected {expected}, got {code or 'ok'}"


def check_fault(check: dict[str, Any], actual: int) -> str:
    """How a value differs: from the exact recomputation where there is one, else within the test's tolerance."""
    if "model_exact" in check or "tol_rel" not in check:
        exact = check.get("model_exact", check["expected"])
        return "" if actual == exact else f"expected {exact}, got {actual}"
    expected = check["expected"]
    allowed = abs(expected) * check["tol_rel"]
    return "" if abs(actual - expected) <= allowed else f"expected about {expected}, got {actual}"


def _step(venue: Venue, stubs: Stubs, step: dict[str, Any]) -> Code | None:
    venue.now = step["t"]
    prices = {
        asset: price["priceE30"] if isinstance(price, dict) else price
        for asset, price in step.get("prices", {}).items()
    }
    if prices:
        venue.post(prices)
    operation, args = step.get("op"), step.get("args", {})
    if operation is None:
        return None
    if operation == "set_config":
        return _set_config(venue, stubs, args)
    if operation in _COMMANDS:
        return _command(venue, operation, args)
    return _service(venue, operation, args)


_COMMANDS = (
    "add_liquidity",
    "remove_liquidity",
    "deposit",
    "withdraw",
    "market_order",
    "force_take_max_profit",
    "liquidate",
    "convert_funding_reserve",
    "withdraw_funding_surplus",
    "seed_hlp",
    "seed_ffr",
)


def _command(venue: Venue, operation: str, args: dict[str, Any]) -> Code | None:
    token, amount = args.get("token", ""), args.get("amount", 0)
    owner, number = account_of(args.get("acc", args.get("lp", "")))
    if operation == "seed_ffr":
        return venue.seed_reserve(token, amount)
    if operation in ("add_liquidity", "deposit", "seed_hlp"):
        owner = owner or OPERATOR
        venue.credit(owner, token, amount)
    profit_token = args.get("tp_token") or ""
    commands = {
        "add_liquidity": lambda: Mint(pool=POOL, token=token, amount=amount, min_shares=args.get("min_out", 0)),
        "remove_liquidity": lambda: Burn(pool=POOL, token=token, shares=amount, min_amount=args.get("min_out", 0)),
        "seed_hlp": lambda: Donate(pool=POOL, token=token, amount=amount),
        "deposit": lambda: DepositMargin(pool=POOL, number=number, token=token, amount=amount),
        "withdraw": lambda: WithdrawMargin(pool=POOL, number=number, token=token, amount=amount),
        "market_order": lambda: CrossTrade(
            pool=POOL,
            number=number,
            market=venue.markets[str(args["market"])],
            size_delta=args["size_delta"],
            profit_token=profit_token,
            reduce_only=args.get("reduce_only", False),
            acceptable_price=args.get("acceptable_price", 0),
        ),
        "force_take_max_profit": lambda: TakeMaxProfit(
            pool=POOL,
            position=PositionRef(owner=owner, number=number, market=venue.markets[str(args["market"])]),
            profit_token=profit_token,
        ),
        "liquidate": lambda: LiquidateAccount(pool=POOL, owner=owner, number=number),
        "convert_funding_reserve": lambda: ConvertFundingReserve(pool=POOL, stable=args["stable"]),
        "withdraw_funding_surplus": lambda: SweepFundingSurplus(pool=POOL, stable=args["stable"]),
    }
    keepers = ("convert_funding_reserve", "withdraw_funding_surplus", "force_take_max_profit")
    sender = OPERATOR if operation in keepers else args.get("bot", owner)
    return venue.apply(sender, commands[operation]())


def _service(venue: Venue, operation: str, args: dict[str, Any]) -> Code | None:
    """Steps the reference takes below its order layer."""
    if operation in ("validate_deleverage", "deleverage"):
        code = _validate(venue, args)
        if code is not None or operation == "validate_deleverage":
            return code
    owner, number = account_of(args["acc"])
    market, profit_token = venue.markets[str(args["market"])], args.get("tp_token") or ""

    def run(draft: Any) -> None:
        books = open_books(draft, POOL)
        account = books.account(owner, number)
        if operation == "increase":
            increase.increase(books, account, market, args["size_delta"])
        elif operation == "decrease":
            decrease.decrease(books, account, market, args["amount"], profit_token)
        else:
            decrease.close_by_force(books, account, market, profit_token=profit_token)

    return venue.run(owner, run)


def _validate(venue: Venue, args: dict[str, Any]) -> Code | None:
    desk = venue.books().desk
    total = args["tvl"] if "tvl" in args else valuation.assets_usd(desk)
    value = args["aum"] if "aum" in args else valuation.value_usd(desk)
    return buffer_code(desk.fund.buffer, value, total)


def buffer_code(buffer: ProfitBuffer, value_usd: int, assets_usd: int) -> Code | None:
    """What a deleverage would be refused with."""
    return Code.BUFFER_HEALTHY if buffer.healthy(value_usd - assets_usd, assets_usd) else None


def _set_config(venue: Venue, stubs: Stubs, args: dict[str, Any]) -> None:
    for path, value in args.items():
        head, _, rest = path.partition(".")
        if head == "mock":
            {"equity": stubs.equity, "mmr": stubs.maintenance}[rest].update(value)
        elif head == "status":
            venue.apply(OPERATOR, SetMarketOpen(pool=POOL, market=rest, is_open=value == 2))
        elif head == "token":
            token, _, field = rest.partition(".")
            fields = {"mwd": "max_weight_difference", "weight": "target_weight", "buffer": "buffer"}
            venue.configure(FundAssetSettings, (POOL, token), **{fields[field]: value})
        elif head == "market":
            market, _, field = rest.partition(".")
            venue.configure(FundMarketSettings, (POOL, venue.markets[market]), **{_MARKET_FIELDS[field]: value})
        else:
            venue.configure(CrossMarginSettings, (POOL,), **{path: value})
