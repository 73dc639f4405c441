"""ZO's commands a second through ``Root.apply``: beside their bare arithmetic, and with many positions open."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from bench.timing import interpreter, line, rates
from zlp.engine import Command, Envelope, Root
from zlp.engine.branches.borrowed.settlement import Marks, settle
from zlp.engine.commands.borrowed import CloseBorrowed, OpenBorrowed
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.liquidity import Burn, Mint
from zlp.engine.commands.prices import PostRounds, Round
from zlp.engine.fixed import RATE, USD, div_up, mul_div_down, value_of
from zlp.engine.leaves.access import Counter
from zlp.engine.leaves.borrowed import BorrowedPosition, BorrowMarketSettings
from zlp.engine.leaves.coin_vaults import coins_e18
from zlp.engine.mechanisms.borrowing import utilisation
from zlp.profiles.loader import load

NOW = 1_700_000_000
BATCH = 500
BTC = 10**8
PRICES = {"BTC": 60_000, "ETH": 3_000, "SOL": 150, "SUI": 2, "USDC": 1, "USDT": 1}
OPENING = OpenBorrowed(
    pool="main", market="BTC", is_long=True, token="BTC", collateral=BTC // 10, amount=BTC, reserve=BTC // 2
)


def must(root: Root, account: str, command: Command) -> None:
    """A command that has to succeed."""
    receipt = root.apply(Envelope(time=NOW, account=account, command=command))
    if receipt.rejection is not None:
        raise RuntimeError(f"{command}: {receipt.rejection}")


def venue(positions: int) -> Root:
    """The shipped profile with a deep pool, direct execution, and some positions open already."""
    root = Root()
    for envelope in load("zo").genesis(time=NOW):
        root.apply(envelope)
    immediate = '["Mint","Burn","Swap","OpenBorrowed","CloseBorrowed"]'
    must(root, "governor", SetParameter(leaf="OrderSettings", key="[]", field="immediate", value=immediate))
    limit = SetParameter(leaf="BorrowMarketSettings", key='["main","BTC"]', field="max_long_usd", value="0")
    must(root, "governor", limit)
    must(root, "keeper", PostRounds(rounds=tuple(Round(asset, price * 10**8) for asset, price in PRICES.items())))
    for account, token, amount in (
        ("lp", "BTC", 10**6 * BTC),
        ("lp", "USDC", 10**16),
        ("trader", "BTC", 10**6 * BTC),
    ):
        must(root, "bridge", Deposit(account=account, token=token, amount=amount))
    must(root, "lp", Mint(pool="main", token="BTC", amount=10**6 * BTC))
    must(root, "lp", Mint(pool="main", token="USDC", amount=10**15))
    for _ in range(positions):
        must(root, "trader", OPENING)
    return root


def trades(root: Root) -> Callable[[], int]:
    """Open positions, then close them."""

    def batch() -> int:
        counter = root.state.get(Counter, ("position",))
        first = 1 if counter is None else counter.next
        for _ in range(BATCH):
            must(root, "trader", OPENING)
        for number in range(first, first + BATCH):
            must(root, "trader", CloseBorrowed(position=number, market="BTC", token="BTC", is_long=True))
        return 2 * BATCH

    return batch


def shares(root: Root) -> Callable[[], int]:
    """Mint and burn, which value every vault and market."""

    def batch() -> int:
        for _ in range(BATCH):
            must(root, "lp", Mint(pool="main", token="USDC", amount=10**9))
            must(root, "lp", Burn(pool="main", token="USDC", shares=10**8))
        return 2 * BATCH

    return batch


def arithmetic(root: Root) -> Callable[[], int]:
    """The numbers of an opening and a closing alone: no state, ledger, events, checks or digest."""
    market = root.state.get(BorrowMarketSettings, ("main", "BTC"))
    position = next(root.state.each(BorrowedPosition))
    if market is None:
        raise RuntimeError("no market")
    price = PRICES["BTC"] * USD
    marks = Marks(price, BTC, price, price, BTC, 10**12, 0)

    def batch() -> int:
        for _ in range(BATCH):
            utilisation(10**14, 10**10, 0)
            size = value_of(OPENING.amount, price, BTC)
            fee = coins_e18(mul_div_down(size, market.rules.open_fee, RATE), price, BTC)
            opened = replace(position, size_usd=size, collateral=OPENING.collateral - div_up(fee, RATE))
            settle(opened, opened.amount, marks, None, 60)
        return 2 * BATCH

    return batch


def main() -> None:
    """Print commands a second and their ratios."""
    print(interpreter())
    few, many = venue(10), venue(50_000)
    found = rates(
        {
            "bare": arithmetic(few),
            "few": trades(few),
            "many": trades(many),
            "shares few": shares(few),
            "shares many": shares(many),
        },
        rounds=5,
    )
    print(line("open or close, bare arithmetic", found["bare"]))
    print(line("open or close, Root.apply, 10 positions open", found["few"], found["bare"], "of bare"))
    print(line("open or close, Root.apply, 50,000 positions open", found["many"], found["few"], "of 10 open"))
    print(line("mint or burn, Root.apply, 10 positions open", found["shares few"]))
    print(line("mint or burn, Root.apply, 50,000 positions open", found["shares many"], found["shares few"], "of 10"))


if __name__ == "__main__":
    main()
