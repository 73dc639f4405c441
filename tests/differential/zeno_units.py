"""Recorded single formulas: the inputs through the engine's mechanisms and branch functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from tests.differential.zeno_scenarios import buffer_code, outcome_fault
from tests.differential.zeno_venue import OPERATOR, POOL, Venue, configured
from zlp.engine.branches import staking
from zlp.engine.branches.cross_margin import health, increase, trading
from zlp.engine.branches.cross_margin.books import open_books
from zlp.engine.branches.fund import liquidity, valuation
from zlp.engine.commands.cross_margin import CrossTrade, DepositMargin, SetMarketOpen, WithdrawMargin
from zlp.engine.commands.liquidity import Donate
from zlp.engine.draft import Draft
from zlp.engine.fixed import USD
from zlp.engine.leaves.access import Installed
from zlp.engine.leaves.cross_margin import CrossMarginSettings, CrossPosition, FundMarketSettings
from zlp.engine.leaves.fund import FundAssetSettings, FundSettings
from zlp.engine.leaves.ledger import Token
from zlp.engine.leaves.prices import PriceSettings, sampled
from zlp.engine.leaves.staking import RewardStream, StakeDebt, StakingSettings
from zlp.engine.mechanisms.carry import ReserveBorrowing, VelocityFunding
from zlp.engine.mechanisms.counter_trade import ProfitBuffer, ProfitDelay, fund_pnl_of_side, outcome
from zlp.engine.mechanisms.pricing import AdaptivePrice
from zlp.engine.mechanisms.skew_fee import SkewFee
from zlp.engine.mechanisms.weight_fee import WeightFee, require_balance, target_value
from zlp.engine.rejections import Code, Reject

DAY = 86_400
Values = dict[str, Any]


def differences(case: Values, base: Values) -> Iterator[str]:
    """Everything in which the engine differs from the recording of one formula."""
    actual = FORMULAS[case["topic"]](case["inputs"], base)
    for name, expected in case["expected"].items():
        if name in ("result", "results"):
            wanted = expected if isinstance(expected, list) else [expected]
            codes = actual[name] if isinstance(actual[name], list) else [actual[name]]
            faults = [fault for text, code in zip(wanted, codes, strict=True) if (fault := outcome_fault(text, code))]
            yield from faults
        elif _plain(actual[name]) != _plain(expected):
            yield f"{name}: expected {expected}, got {actual[name]}"


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _code(function: Callable[[], Any]) -> Code | None:
    try:
        function()
    except Reject as refused:
        return refused.rejection.code
    return None


def _adaptive_price(case: Values, _: Values) -> Values:
    price = AdaptivePrice(max_skew_scale=case["max_skew_scale_e30"])
    found = price.execution_price(case["oracle_price_e30"], case["skew_e30"], case["size_delta_e30"])
    return {"adaptive_price_e30": found}


def _funding_velocity(case: Values, _: Values) -> Values:
    funding = VelocityFunding(max_velocity=case["max_funding_rate_e18"], max_skew_scale=case["max_skew_scale_e30"])
    skew = case["long_e30"] - case["short_e30"]
    rate, _accrued = funding.advance(case["rate_before_e18"], 0, skew, case["elapsed_days"] * DAY)
    return {"velocity_e18": funding.velocity(skew), "rate_after_one_day_e18": rate}


def _global_pnl(case: Values, _: Values) -> Values:
    total = 0
    for side in ("long", "short"):
        total += fund_pnl_of_side(
            price=case["price_e30"],
            skew=case["long_size_e30"] - case["short_size_e30"],
            scale=case["max_skew_scale_e30"],
            size=case[f"{side}_size_e30"],
            over_entry=case[f"{side}_SE_e30"],
            square=case[f"{side}_S2E_e30"],
            is_long=side == "long",
        )
    return {"lp_side_pnl_e30": total}


def _delta(case: Values, _: Values) -> Values:
    size = case["size_e30"] if case["is_long"] else -case["size_e30"]
    found = outcome(size, case["avg_e30"], case["mark_e30"])
    return {"is_profit": found.is_profit, "delta_e30": found.delta}


def _min_profit_duration(case: Values, _: Values) -> Values:
    delay, size = ProfitDelay(seconds=case["min_profit_duration_s"]), case["size_e30"]
    found = outcome(size if case["is_long"] else -size, case["avg_e30"], case["mark_e30"])
    values = {}
    for query in case["query_t"]:
        seconds = int(query.removeprefix("T") or 0)
        waits = delay.waiting(1_000, size, 1_000 + seconds)
        name = "at_T" if not seconds else f"at_T_plus_{seconds}"
        values[name] = [found.is_profit, 0 if waits and found.is_profit else found.delta]
    return values


def _trader(base: Values, sizes: list[int], **market: Any) -> tuple[Venue, list[CrossPosition]]:
    """A venue in which ALICE holds these positions, in as many markets, entered at the market's price."""
    venue = Venue(configured(base, {}))
    found: list[CrossPosition] = []

    def put(draft: Draft) -> None:
        books = open_books(draft, POOL)
        account = books.account("ALICE", 0)
        for market_name, size in zip(("WETH", "WBTC"), sizes, strict=False):
            settings = books.settings(market_name)
            draft.put(replace(settings, **market))
            price = books.desk.price(settings.market, False)
            position = CrossPosition(POOL, "ALICE", 0, market_name, size, price, abs(size), 0, 0, 0, abs(size))
            draft.put(position)
            found.append(position)
        draft.put(replace(account, markets=tuple(position.market for position in found)))

    venue.run(OPERATOR, put)
    return venue, found


def _margins(case: Values, base: Values) -> Values:
    size, fraction = case["position_size_e30"], case["fraction_bps"]
    venue, _ = _trader(base, [size] if size else [], initial_bps=fraction, maintenance_bps=fraction)
    figures = health.measure(venue.books(), venue.books().account("ALICE", 0))
    return {"imr_e30": figures.initial, "mmr_e30": figures.maintenance}


def _collateral_value(case: Values, base: Values) -> Values:
    venue = Venue(configured(base, {}))
    for token, amount in case["balances"].items():
        unit = case["decimals"][token]
        venue.configure(Token, (token,), decimals=unit)
        venue.configure(FundAssetSettings, (POOL, token), collateral_bps=case["factor_bps"][token])
        venue.post({token: case["price_e30"][token]})
        _deposit(venue, token, amount)
    return {"value_e30": health.collateral_usd(venue.books(), venue.books().account("ALICE", 0))}


def _deposit(venue: Venue, token: str, amount: int) -> None:
    venue.credit("ALICE", token, amount)
    venue.apply("ALICE", DepositMargin(pool=POOL, number=0, token=token, amount=amount))


def _equity(case: Values, base: Values) -> Values:
    venue = Venue(configured(base, {}))
    venue.post({"WBTC": case["avg_e30"]})
    venue.configure(
        CrossMarginSettings, (POOL,), pnl_bps=case["pnl_factor_bps"], liquidation_fee_usd=case["liquidation_fee_e30"]
    )
    for token, amount in case.get("collateral", {}).items():
        venue.configure(FundAssetSettings, (POOL, token), collateral_bps=case["collateral_factor_bps"])
        venue.post({token: case["collateral_price_e30"]})
        _deposit(venue, token, amount)

    def put(draft: Draft) -> None:
        books = open_books(draft, POOL)
        size = case["size_e30"]
        draft.put(replace(books.settings("WBTC"), fees=SkewFee(decrease_bps=case["decrease_fee_bps"])))
        draft.put(CrossPosition(POOL, "ALICE", 0, "WBTC", size, case["avg_e30"], abs(size), 0, 0, 0, abs(size)))
        draft.put(replace(books.account("ALICE", 0), markets=("WBTC",)))

    venue.run(OPERATOR, put)
    venue.post({"WBTC": case["mark_e30"]})
    figures = health.measure(venue.books(), venue.books().account("ALICE", 0))
    return {
        "equity_e30": figures.equity,
        "unrealized_pnl_e30": figures.profit,
        "unrealized_fee_e30": figures.fees,
    }


def _liquidity_fee(case: Values, *, adding: bool) -> Values:
    fees = WeightFee(tax_bps=case["tax_bps"])
    start, value, total = case["token_liq_e30"], case["value_e30"], case["total_liq_e30"]
    weight = case["target_weight_e18"]
    target = target_value(total, weight, case["total_weight_e18"])
    following = start + value if adding else max(start - value, 0)
    fee = fees.fee_bps(case["base_fee_bps"], start, following, target)

    def check() -> None:
        if target and abs(following - target) >= abs(start - target):
            require_balance(following, total, value, weight, case["max_weight_diff_e18"])

    return {"fee_bps": fee, "result": _code(check)}


def _borrowing_rate(case: Values, _: Values) -> Values:
    borrowing = ReserveBorrowing(base_rate=case["base_rate_e18"])
    rate = borrowing.next_rate(case["reserve_e30"], 1, 1 + case["intervals"], case["hlp_tvl_e30"])
    return {"next_borrowing_rate_e18": rate}


def _adl_global(case: Values, _: Values) -> Values:
    buffer = ProfitBuffer(threshold_bps=case["safety_buffer_bps"])
    return {"result": buffer_code(buffer, case["aum_e30"], case["tvl_e30"])}


def _utilisation(case: Values, base: Values) -> Values:
    venue = Venue(configured(base, {}))
    venue.configure(FundSettings, (POOL,), max_utilisation_bps=case["max_util_bps"])
    _fund(venue, case["hlp_tvl_e30"])
    results = []
    for number, size in enumerate(case["sizes_e30"]):
        trader = f"TRADER{number}"
        _collateral(venue, trader, abs(size))
        venue.configure(
            FundMarketSettings, (POOL, "WETH"), initial_bps=case["imf_bps"], max_profit_bps=case["max_profit_bps"]
        )
        results.append(venue.apply(trader, CrossTrade(pool=POOL, number=0, market="WETH", size_delta=size)))
    return {"results": results, "result": results[-1]}


def _fund(venue: Venue, value_usd: int) -> None:
    venue.credit(OPERATOR, "USDC", value_usd // 10**24)
    venue.apply(OPERATOR, Donate(pool=POOL, token="USDC", amount=value_usd // 10**24))


def _collateral(venue: Venue, trader: str, value_usd: int) -> None:
    venue.credit(trader, "USDC", value_usd // 10**24)
    venue.apply(trader, DepositMargin(pool=POOL, number=0, token="USDC", amount=value_usd // 10**24))


def _reserve(case: Values, base: Values) -> Values:
    venue = Venue(configured(base, {}))
    settings = replace(
        venue.books().settings("WETH"), initial_bps=case["imf_bps"], max_profit_bps=case["max_profit_bps"]
    )
    return {"reserve_e30": settings.reserve_for(abs(case["size_delta_e30"]))}


def _oracle_inverse(case: Values, _: Values) -> Values:
    settings = PriceSettings("JPY", answer_decimals=-case["expo"], inverted=True)
    return {"price_e30": sampled(settings, (case["price"],))[0]}


def _oracle_stale(case: Values, base: Values) -> Values:
    venue = Venue(configured(base, {}))
    venue.configure(PriceSettings, ("WETH",), max_age=case["trust_price_age_s"])
    venue.apply(OPERATOR, SetMarketOpen(pool=POOL, market="WETH", is_open=case["market_status"] == 2))
    venue.now = case["age_s"]
    settings = venue.books().settings("WETH")
    return {"result": _code(lambda: increase.entry_price(venue.books(), settings, USD))}


def _withdraw(case: Values, base: Values) -> Values:
    venue = Venue(configured(base, {}))
    if "amount" in case:
        if case["balance"]:
            _deposit(venue, "WETH", case["balance"])
        command = WithdrawMargin(pool=POOL, number=0, token="WETH", amount=case["amount"])
        return {"result": venue.apply("ALICE", command)}
    figures = health.Health(case["equity"], 0, 0, 0, case["imr"], 0)
    return {"result": _code(lambda: health.require_free_figures(figures))}


def _limit_order(case: Values, base: Values) -> Values:
    """The order's own checks, in order: trigger, open market, acceptable price."""
    venue = Venue(configured(base, {}))
    oracle, trigger = case["oracle_e30"], case["trigger_e30"]
    if oracle <= trigger if case["trigger_above"] else oracle >= trigger:
        return {"result": Code.PRICE_NOT_REACHED}
    venue.apply(OPERATOR, SetMarketOpen(pool=POOL, market="WETH", is_open=case["market_status"] == 2))
    venue.post({"WETH": oracle})
    settings = venue.books().settings("WETH")
    delta = case["size_delta_e30"]

    def check() -> None:
        increase.entry_price(venue.books(), settings, delta)
        trading.require_acceptable(case["adaptive_e30"], case["acceptable_e30"], delta > 0)

    return {"result": _code(check)}


def _minted(case: Values, _: Values) -> Values:
    net = case["amount"] - case["amount"] * case["fee_bps"] // 10_000
    value = net * case["price_e30"] // 10**18
    return {"minted": liquidity.shares_for(value, case["aum_e30"], case["supply"])}


def _share_price(case: Values, _: Values) -> Values:
    price = valuation.share_price(case["aum_e30"], case["supply"])
    return {"price_e12": price // 10**18, "adapter_price_e18": price // 10**12}


def _staking(case: Values, base: Values) -> Values:
    """Alice and Bob stake; one feed; Alice harvests after three days and takes a third of her stake out."""
    venue = Venue(configured(base, {}))
    settings = StakingSettings(POOL, "ZLP", "USDC", "esZENO", "ZENO", stream_seconds=case["duration_s"])
    start, alice, bob = 1_000, case["shares"]["alice"], case["shares"]["bob"]
    venue.now = start

    def found(draft: Draft) -> None:
        draft.put(Installed("staking", 1))
        for record in (settings, Token("esZENO", 18, issued=True), Token("ZENO", 18, issued=True)):
            draft.put(record)

    venue.run(OPERATOR, found)
    venue.root._connect()
    venue.credit("alice", "ZLP", alice)
    venue.credit("bob", "ZLP", bob)
    venue.credit("feeder", "USDC", case["feed_amount"])
    for who, amount in (("alice", alice), ("bob", bob)):
        venue.apply(who, staking.commands.StakeShares(pool=POOL, amount=amount))

    def feed(draft: Draft) -> None:
        staking.ledger.move(draft, "USDC", "feeder", settings.reward_holder, case["feed_amount"])
        staking.feed(draft, settings, "USDC", case["feed_amount"], case["duration_s"])

    venue.run(OPERATOR, feed)

    def pending(who: str, days: int) -> int:
        venue.now = start + days * DAY
        return staking.pending(venue.draft(), POOL, who, "USDC")

    values = {"alice_3d": pending("alice", 3), "bob_3d": pending("bob", 3)}
    venue.apply("alice", staking.commands.ClaimStreams(pool=POOL))
    venue.apply("alice", staking.commands.UnstakeShares(pool=POOL, amount=100 * USD))
    stream = venue.root.state.get(RewardStream, (POOL, "USDC"))
    debt = venue.root.state.get(StakeDebt, (POOL, "alice", "USDC"))
    values |= {"acc_3d": stream.per_share if stream else 0, "alice_debt_after_withdraw": debt.amount if debt else 0}
    for days in (4, 9):
        values |= {f"alice_{days}d": pending("alice", days), f"bob_{days}d": pending("bob", days)}
    return values


def _execution_fee(case: Values, base: Values) -> Values:
    """Trades a relayer brings for a fee from the collateral."""
    venue = Venue(configured(base, {}))
    venue.configure(
        FundMarketSettings, (POOL, "WETH"), fees=SkewFee(increase_bps=case["trading_fee_bps"], decrease_bps=10)
    )
    _fund(venue, 10**7 * USD)
    for token, amount in case["collateral"].items():
        _deposit(venue, token, amount)
    for size in case["trades_e30"]:
        command = CrossTrade(
            pool=POOL,
            number=0,
            market="WETH",
            size_delta=size,
            relayer="relayer",
            relay_fee_usd=case["min_execution_fee_e30"],
        )
        code = venue.apply("ALICE", command)
        if code is not None:
            return {"final_usdc": code}
    books = venue.books()
    return {"final_usdc": staking.ledger.balance_of(books.draft, books.account("ALICE", 0).holder, "USDC")}


def _trade_limits(case: Values, base: Values) -> Values:
    """The orders one after another: what is refused leaves the position as it was."""
    venue = Venue(configured(base, {}))
    _fund(venue, 10**6 * USD)
    _collateral(venue, "ALICE", 10**5 * USD)
    limits = {"max_trade_usd": case["trade_limit_e30"], "max_position_usd": case["position_limit_e30"]}
    venue.configure(FundMarketSettings, (POOL, "WETH"), **limits)
    orders = (CrossTrade(pool=POOL, number=0, market="WETH", size_delta=size) for size in case["orders_e30"])
    return {"results": [venue.apply("ALICE", order) for order in orders]}


FORMULAS: dict[str, Callable[[Values, Values], Values]] = {
    "adaptive_price": _adaptive_price,
    "add_liquidity_fee": lambda case, _: _liquidity_fee(case, adding=True),
    "adl_global": _adl_global,
    "borrowing_rate": _borrowing_rate,
    "collateral_value": _collateral_value,
    "delta": _delta,
    "equity": _equity,
    "execution_fee": _execution_fee,
    "funding_velocity": _funding_velocity,
    "global_pnl": _global_pnl,
    "hlp_price": _share_price,
    "imr": _margins,
    "limit_order": _limit_order,
    "liquidity": _minted,
    "min_profit_duration": _min_profit_duration,
    "mmr": _margins,
    "oracle_inverse": _oracle_inverse,
    "oracle_stale": _oracle_stale,
    "remove_liquidity_fee": lambda case, _: _liquidity_fee(case, adding=False),
    "reserve": _reserve,
    "staking_rewards": _staking,
    "trade_limits": _trade_limits,
    "unrealized_pnl": _equity,
    "utilisation_revert": _utilisation,
    "withdraw": _withdraw,
}
