"""Commands a second through ``Root.apply``, beside two baselines of the same operations in the same run.

*Rules alone*: the branch's own functions on a draft that is kept unchecked: no admission, range checks, observers,
invariants, encoding or digest. *Bare arithmetic*: a hand-written model with plain integers in local variables that
neither stores, checks nor tells anything.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable

from bench.isolated_model import Model
from bench.timing import interpreter, line, rates
from zlp import Venue
from zlp.engine import Envelope, Root
from zlp.engine.commands.base import Command
from zlp.engine.commands.governance import SetParameter
from zlp.engine.commands.isolated import DecreasePosition, IncreasePosition
from zlp.engine.commands.liquidity import Swap
from zlp.engine.draft import Draft
from zlp.engine.fixed import USD

ACCOUNTS = 1_000
BATCH = 2_000
NOW = 1_700_000_000
ETHER = 10**18


def venue(open_positions: int = 0) -> Venue:
    """A ZEUS venue with a deep pool, rich traders, direct execution, and some positions open already."""
    made = Venue("zeus", time=NOW)
    made.apply("governor", SetParameter(leaf="OrderSettings", key="[]", field="immediate", value=_immediate()))
    for field in ("max_long", "max_short"):
        made.apply("governor", SetParameter(leaf="MarketSettings", key='["main","ETH"]', field=field, value="0"))
    made.set_prices(ETH="2000", BTC="40000", USDC="1", USDT="1")
    made.deposit("provider", "ETH", "10000000")
    made.deposit("provider", "BTC", "500000")
    made.mint("provider", "ETH", "10000000")
    made.mint("provider", "BTC", "500000")
    for number in range(ACCOUNTS):
        made.deposit(f"trader{number}", "ETH", "1000000")
    for number in range(open_positions):
        made.deposit(f"holder{number}", "ETH", "1")
        _must(made.root, f"holder{number}", _open())
    return made


def _immediate() -> str:
    return '["Mint","Burn","Swap","IncreasePosition","DecreasePosition"]'


def _open() -> IncreasePosition:
    return IncreasePosition(
        pool="main", market="ETH", collateral="ETH", is_long=True, amount=ETHER, size_delta=10_000 * USD
    )


def _close() -> DecreasePosition:
    return DecreasePosition(pool="main", market="ETH", collateral="ETH", is_long=True, whole=True)


def _must(root: Root, account: str, command: Command) -> None:
    receipt = root.apply(Envelope(time=NOW, account=account, command=command))
    if receipt.rejection is not None:
        raise RuntimeError(f"{command}: {receipt.rejection}")


def positions_batch(root: Root) -> Callable[[], int]:
    """Open a position for each of many traders, then close them."""
    traders = [f"trader{number}" for number in range(ACCOUNTS)]
    opening, closing = _open(), _close()

    def batch() -> int:
        for command in (opening, closing):
            for trader in traders:
                _must(root, trader, command)
        return BATCH

    return batch


def rules_batch(root: Root, commands: list[tuple[str, Command]]) -> Callable[[], int]:
    """The same commands straight to their branch, and into the state."""

    def batch() -> int:
        for account, command in commands:
            draft = Draft(root.state, time=NOW, sender=account, sequence=0, route=root._route)
            root._route(draft, command)
            root._commit(draft)
        return len(commands)

    return batch


def _positions() -> list[tuple[str, Command]]:
    opening, closing = _open(), _close()
    return [(f"trader{number}", command) for command in (opening, closing) for number in range(ACCOUNTS)]


def _swaps() -> list[tuple[str, Command]]:
    there = Swap(pool="main", path=("ETH", "BTC"), amount=ETHER)
    back = Swap(pool="main", path=("BTC", "ETH"), amount=5_000_000)
    return [(f"trader{number % ACCOUNTS}", (there, back)[number % 2]) for number in range(BATCH)]


def swaps_batch(root: Root) -> Callable[[], int]:
    """Swap back and forth."""
    there = Swap(pool="main", path=("ETH", "BTC"), amount=ETHER)
    back = Swap(pool="main", path=("BTC", "ETH"), amount=5_000_000)
    made = itertools.cycle((there, back))

    def batch() -> int:
        for number in range(BATCH):
            _must(root, f"trader{number % ACCOUNTS}", next(made))
        return BATCH

    return batch


def model_positions(model: Model) -> Callable[[], int]:
    """The same on the bare model."""

    def batch() -> int:
        for number in range(ACCOUNTS):
            model.open(number, ETHER, 10_000 * USD)
        for number in range(ACCOUNTS):
            model.close(number)
        return BATCH

    return batch


def model_swaps(model: Model) -> Callable[[], int]:
    """The same on the bare model."""

    def batch() -> int:
        for _ in range(BATCH // 2):
            model.swap("ETH", "BTC", ETHER)
            model.swap("BTC", "ETH", 5_000_000)
        return BATCH

    return batch


def main() -> None:
    """Print commands a second and their ratios."""
    print(interpreter())
    few, many, swapping, model = venue(10), venue(100_000), venue(), Model()
    for number in range(ACCOUNTS):
        swapping.deposit(f"trader{number}", "BTC", "10000")
    gc.collect()
    gc.freeze()  # as a node does after recovery: what is there stays, and need not be looked through again
    found = rates(
        {
            "few": positions_batch(few.root),
            "many": positions_batch(many.root),
            "rules": rules_batch(venue(10).root, _positions()),
            "bare": model_positions(model),
            "swap": swaps_batch(swapping.root),
            "swap rules": rules_batch(swapping.root, _swaps()),
            "bare swap": model_swaps(model),
        }
    )
    print(line("open or close, Root.apply, 10 positions open", found["few"]))
    print(line("open or close, Root.apply, 100,000 positions open", found["many"], found["few"], "10 open = 1"))
    print(line("open or close, rules alone", found["rules"]))
    print(line("  Root.apply against rules alone", found["few"], found["rules"], "rules = 1"))
    print(line("open or close, bare arithmetic", found["bare"]))
    print(line("  Root.apply against bare arithmetic", found["few"], found["bare"], "bare = 1"))
    print(line("swap, Root.apply", found["swap"]))
    print(line("swap, rules alone", found["swap rules"]))
    print(line("  Root.apply against rules alone", found["swap"], found["swap rules"], "rules = 1"))
    print(line("swap, bare arithmetic", found["bare swap"]))
    print(line("  Root.apply against bare arithmetic", found["swap"], found["bare swap"], "bare = 1"))


if __name__ == "__main__":
    main()
