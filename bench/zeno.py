"""Zeno's commands a second through ``Root.apply``: beside their bare arithmetic, and with many accounts open."""

from __future__ import annotations

from collections.abc import Callable

from bench.timing import interpreter, line, rates
from zlp.engine import Command, Envelope, Root
from zlp.engine.commands.cross_margin import CrossTrade, DepositMargin, LiquidateAccount
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.liquidity import Burn, Mint
from zlp.engine.commands.prices import PostRounds, Round
from zlp.engine.commands.staking import SetAutomaticStaking
from zlp.engine.fixed import USD
from zlp.engine.leaves.cross_margin import FundMarketSettings
from zlp.engine.mechanisms.carry import borrowing_fee, funding_fee
from zlp.engine.mechanisms.counter_trade import outcome, size_over_entry, square_over_entry
from zlp.profiles.loader import load

NOW = 1_700_000_000
BATCH = 200
PRICES = {"m.USDC": 1, "m.USDT": 1, "WETH": 2_000, "ETH": 2_000, "BTC": 40_000, "SOL": 100, "METIS": 20}
SIZE = 1_000 * USD
DIRECT = '["Mint","Burn","Swap","SwitchCollateral","CrossTrade","CrossReduce"]'


def must(root: Root, account: str, command: Command) -> None:
    """A command that has to succeed."""
    receipt = root.apply(Envelope(time=NOW, account=account, command=command))
    if receipt.rejection is not None:
        raise RuntimeError(f"{command}: {receipt.rejection}")


def post(root: Root, **prices: int) -> None:
    """Post prices in USD."""
    must(root, "keeper", PostRounds(rounds=tuple(Round(asset, price * 10**8) for asset, price in prices.items())))


def margin(root: Root, owner: str, usd: int) -> None:
    """Bring margin in."""
    must(root, "bridge", Deposit(account=owner, token="m.USDC", amount=usd * 10**6))
    must(root, owner, DepositMargin(pool="main", number=0, token="m.USDC", amount=usd * 10**6))


def trade(size: int, market: str = "ETH") -> CrossTrade:
    """Buy or sell."""
    return CrossTrade(pool="main", number=0, market=market, size_delta=size)


def venue(accounts: int) -> Root:
    """The shipped profile with a deep fund, direct execution, and some accounts with a position already."""
    root = Root()
    for envelope in load("zeno").genesis(time=NOW):
        root.apply(envelope)
    must(root, "governor", SetParameter(leaf="OrderSettings", key="[]", field="immediate", value=DIRECT))
    for field in ("max_long_usd", "max_short_usd"):
        for market in ("ETH", "BTC"):
            limit = str(10**10 * USD)
            key = f'["main","{market}"]'
            must(root, "governor", SetParameter(leaf="FundMarketSettings", key=key, field=field, value=limit))
    key = '["main","BTC"]'
    must(root, "governor", SetParameter(leaf="FundMarketSettings", key=key, field="delay.seconds", value="0"))
    post(root, **PRICES)
    must(root, "lp", SetAutomaticStaking(pool="main", automatic=False))
    for token, amount in (("m.USDC", 10**15), ("WETH", 10**24)):
        must(root, "bridge", Deposit(account="lp", token=token, amount=amount))
        must(root, "lp", Mint(pool="main", token=token, amount=amount // 2))
    for number in range(accounts):
        margin(root, f"holder{number}", 100)
        must(root, f"holder{number}", trade(SIZE if number % 2 else -SIZE))
    margin(root, "trader", 10**6)
    return root


def trades(root: Root) -> Callable[[], int]:
    """Open a position and close it."""

    def batch() -> int:
        for _ in range(BATCH):
            must(root, "trader", trade(SIZE, "BTC"))
            must(root, "trader", trade(-SIZE, "BTC"))
        return 2 * BATCH

    return batch


def liquidations(root: Root) -> Callable[[], int]:
    """Accounts that fall with the price of SOL: two deposits, a trade and the liquidation count as one."""
    series = iter(range(10**9))

    def batch() -> int:
        post(root, SOL=100)
        names = [f"victim{next(series)}" for _ in range(BATCH)]
        for name in names:
            margin(root, name, 100)
            must(root, name, trade(SIZE, "SOL"))
        post(root, SOL=80)
        for name in names:
            must(root, "keeper", LiquidateAccount(pool="main", owner=name, number=0))
        return BATCH

    return batch


def shares(root: Root) -> Callable[[], int]:
    """Mint and burn, which value every asset and market."""

    def batch() -> int:
        for _ in range(BATCH):
            must(root, "lp", Mint(pool="main", token="m.USDC", amount=10**9))
            must(root, "lp", Burn(pool="main", token="m.USDC", shares=10**20))
        return 2 * BATCH

    return batch


def arithmetic(root: Root) -> Callable[[], int]:
    """The numbers of an opening and a closing alone: no state, ledger, events, checks or digest."""
    market = root.state.get(FundMarketSettings, ("main", "BTC"))
    if market is None:
        raise RuntimeError("no market")
    price = PRICES["BTC"] * USD

    def batch() -> int:
        for _ in range(BATCH):
            opened = market.price.execution_price(price, 0, SIZE)
            market.fees.fee(SIZE, 0, True)
            reserve = market.reserve_for(SIZE)
            size_over_entry(SIZE, opened)
            square_over_entry(SIZE, opened)
            outcome(SIZE, opened, market.price.close_price(price, SIZE, SIZE))
            borrowing_fee(reserve, 10**12, 0)
            funding_fee(SIZE, 10**12, 0)
            market.fees.fee(-SIZE, SIZE, False)
        return 2 * BATCH

    return batch


def main() -> None:
    """Print commands a second and their ratios."""
    print(interpreter())
    few, many = venue(10), venue(20_000)
    found = rates(
        {
            "bare": arithmetic(few),
            "few": trades(few),
            "many": trades(many),
            "shares few": shares(few),
            "shares many": shares(many),
            "setup and liquidation few": liquidations(few),
            "setup and liquidation many": liquidations(many),
        },
        rounds=5,
    )
    print(line("open or close, bare arithmetic", found["bare"]))
    print(line("open or close, Root.apply, 10 accounts open", found["few"], found["bare"], "of bare"))
    print(line("open or close, Root.apply, 20,000 accounts open", found["many"], found["few"], "of 10 open"))
    print(line("mint or burn, Root.apply, 10 accounts open", found["shares few"]))
    print(line("mint or burn, Root.apply, 20,000 accounts open", found["shares many"], found["shares few"], "of 10"))
    fund, deep = found["setup and liquidation few"], found["setup and liquidation many"]
    print(line("fund, open and liquidate an account, 10 open", fund))
    print(line("fund, open and liquidate an account, 20,000 open", deep, fund, "of 10"))


if __name__ == "__main__":
    main()
