"""Trades on the vaults' credit a second, with 1, 10 and 100 vaults behind the market, beside their bare arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from bench.timing import interpreter, line, rates
from zlp.engine import Command, Envelope, Root
from zlp.engine.codec import canonical
from zlp.engine.commands.credit import RefreshVaults, Report, StakeVaultShares
from zlp.engine.commands.credit_positions import AddMargin, FillSignedOrders, OpenTradingAccount, SignedOrder
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.governance import Configure
from zlp.engine.commands.liquidity import Mint
from zlp.engine.commands.prices import PostRounds, Round
from zlp.engine.fixed import RATE, USD, mul_div_down
from zlp.engine.leaves.credit import CreditMarketSettings, CreditVaultSettings, CreditWeight
from zlp.engine.mechanisms.skew import notional, profit
from zlp.profiles.loader import load

NOW = 1_750_000_000
BATCH = 200
UNIT = 10**18
PRICE = 60_000 * USD
ANSWERS = {"BTC": 60_000, "ETH": 3_000, "USDC": 1, "wstETH/ETH": 1, "weETH/ETH": 1}
REPORT = Report(feed="BTC/USD", price=PRICE, bid=PRICE, ask=PRICE, valid_from=NOW, expires=NOW + 60, evidence="digest")


def must(root: Root, account: str, command: Command) -> None:
    """A command that has to succeed."""
    receipt = root.apply(Envelope(time=NOW, account=account, command=command))
    if receipt.rejection is not None:
        raise RuntimeError(f"{command}: {receipt.rejection}")


def venue(vaults: int, accounts: int = 1) -> Root:
    """The shipped profile with so many vaults behind BTC, each with a staker, and funded trading accounts."""
    root = Root()
    for envelope in load("zaros").genesis(time=NOW):
        root.apply(envelope)
    must(root, "keeper", PostRounds(rounds=tuple(Round(asset, price * 10**8) for asset, price in ANSWERS.items())))
    for number in range(vaults):
        name = f"bench-{number}"
        settings = CreditVaultSettings(name, "USDC", f"ZLP-{name}", 10**18, markets=(CreditWeight("BTC", 1),))
        must(root, "governor", Configure(settings=canonical(settings).decode()))
        must(root, "bridge", Deposit(account="lp", token="USDC", amount=10**14))
        must(root, "lp", Mint(pool=name, token="USDC", amount=10**14))
        must(root, "lp", StakeVaultShares(vault=name, shares=10**13))
    market = root.state.get(CreditMarketSettings, ("BTC",))
    if market is None:
        raise RuntimeError("no market")
    wide = replace(market, max_open_interest=10**30, max_skew=10**30)
    must(root, "governor", Configure(settings=canonical(wide).decode()))
    must(root, "bridge", Deposit(account="trader", token="USDC", amount=2 * 10**13))
    for number in range(1, accounts + 1):
        must(root, "trader", OpenTradingAccount())
        must(root, "trader", AddMargin(trading_account=number, token="USDC", amount=10**13 if number == 1 else 10**8))
    return root


def salts() -> Iterable[str]:
    """A new salt for every order."""
    number = 0
    while True:
        number += 1
        yield str(number)


def trades(root: Root) -> Callable[[], int]:
    """Open and close with signed orders: fills, fees and settlement of profit or loss."""
    fresh = iter(salts())

    def batch() -> int:
        for index in range(BATCH):
            delta = UNIT if index % 2 == 0 else -UNIT
            order = SignedOrder(
                trading_account=1,
                market="BTC",
                size_delta=delta,
                target_price=2 * PRICE if delta > 0 else 1,
                increase_nonce=False,
                nonce=0,
                salt=next(fresh),
                signer="trader",
                evidence="signature",
            )
            must(root, "keeper", FillSignedOrders(market="BTC", orders=(order,), report=REPORT))
        return BATCH

    return batch


def refreshes(root: Root, vaults: int) -> Callable[[], int]:
    """Bring every vault up to date, one command each."""

    def batch() -> int:
        for number in range(BATCH):
            must(root, "anyone", RefreshVaults(vaults=(f"bench-{number % vaults}",)))
        return BATCH

    return batch


def arithmetic(root: Root) -> Callable[[], int]:
    """The numbers of a fill alone: mark, fee, margin, profit; no state, ledger, events, checks or digest."""
    market = root.state.get(CreditMarketSettings, ("BTC",))
    if market is None:
        raise RuntimeError("no market")

    def batch() -> int:
        for index in range(BATCH):
            delta = UNIT if index % 2 == 0 else -UNIT
            price = market.mark.mark(PRICE, 0, delta)
            market.fees.fee(0, delta, price)
            rate = market.funding.rate(0, delta, 60)
            market.funding.fee_change(0, rate, 60, price)
            value = notional(delta, price)
            mul_div_down(value, market.initial_margin, RATE)
            mul_div_down(value, market.maintenance_margin, RATE)
            profit(delta, PRICE, price)
            market.mark.closing_value(PRICE, delta)
        return BATCH

    return batch


def main() -> None:
    """Print commands a second and their ratios."""
    print(interpreter())
    venues = {count: venue(count) for count in (1, 10, 100)}
    crowded = venue(1, accounts=10_000)
    sides = {f"{count}": trades(root) for count, root in venues.items()}
    found = rates(
        {
            "bare": arithmetic(venues[1]),
            **sides,
            "accounts": trades(crowded),
            **{f"refresh {count}": refreshes(root, count) for count, root in venues.items()},
        },
        rounds=5,
    )
    print(line("trade, bare arithmetic", found["bare"]))
    print(line("trade, Root.apply, 1 vault", found["1"], found["bare"], "of bare"))
    for count in (10, 100):
        print(line(f"trade, Root.apply, {count} vaults", found[str(count)], found["1"], "of 1 vault"))
    print(line("trade, Root.apply, 10,000 trading accounts", found["accounts"], found["1"], "of 1 account"))
    for count in (1, 10, 100):
        ratio = None if count == 1 else found["refresh 1"]
        print(
            line(f"refresh of a vault, {count} vaults", found[f"refresh {count}"], ratio, "of 1 vault" if ratio else "")
        )


if __name__ == "__main__":
    main()
