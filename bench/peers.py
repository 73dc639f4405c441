"""Backtest steps a second beside zelos-demeter, in one run: the same minute prices, one action a step, and none.

One position is held all the time; an action makes it larger or smaller, with a part of its collateral.

A step of ours is everything `zlp backtest` does at a tick with the exact engine: prices are posted by command, keepers
look for liquidations, the account and the series are taken, agents act, every command is checked, recorded and
chained into the digest. demeter's is its Actuator over a GmxV2PerpMarket in floats, which follows one account of a
recorded pool. Both are timed in processor seconds, which a busy machine disturbs less. `make bench-peers` makes its
environment, `.venv-peers`.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.timing import interpreter
from zlp.engine.commands.custody import Deposit
from zlp.engine.commands.isolated import DecreasePosition
from zlp.engine.fixed import USD
from zlp.oracle.price_path import PricePath
from zlp.oracle.synthetic import AssetModel, generate
from zlp.profiles.loader import Profile, load
from zlp.simulator.agents import Behaviour, Founder
from zlp.simulator.backtest import Setup, run
from zlp.simulator.hand import Hand

PEER = Path(".venv-peers/bin/python")
POOL = Path(__file__).parent / "peer_pool.toml"
STEPS, ROUNDS = 1_440, 9


class Turns(Behaviour, frozen=True, kw_only=True):
    """Opens a position and makes it larger and smaller in turn; idle: opens once."""

    name: str = "turns"
    wealth: tuple[float, float] = (1_000_000.0, 1_000_000.0)
    idle: bool = False

    def act(self, hand: Hand) -> int:
        """One action, of one position. Money for all of them is brought in once."""
        if not hand.notes:
            hand.stage.bring(Deposit(account=hand.account, token="ETH", amount=1_000 * 10**18))
            hand.notes["large"] = False
        if not hand.positions:
            hand.open(hand.stage.markets()[0], is_long=True, margin=3_300 * USD, leverage=1.8)
        elif not self.idle:
            self._turn(hand)
        return 60

    def _turn(self, hand: Hand) -> None:
        """Half as much again, or that half off: a little less margin leaves than came, for fees and losses."""
        market = hand.stage.markets()[0]
        if hand.notes["large"]:
            part = DecreasePosition(
                pool=market.pool,
                market=market.market,
                collateral=market.market,
                is_long=True,
                size_delta=2_970 * USD,
                collateral_delta=1_647 * USD,
            )
            hand.send([part])
        else:
            hand.open(market, is_long=True, margin=1_650 * USD, leverage=1.8)
        hand.notes["large"] = not hand.notes["large"]


def ours(profile: Profile, path: PricePath, *, idle: bool) -> float:
    """Steps a processor second of one backtest."""
    setup = Setup(crowd=(Founder(), Turns(idle=idle)), ticks=1)
    start = time.process_time()
    result = run(profile, path, setup)
    seconds = time.process_time() - start
    acted = sum(result.actions.get(action, 0) for action in ("open", "extend", "reduce"))
    if acted < (1 if idle else STEPS - 2) or not result.open_positions or result.rejections or result.faults:
        raise RuntimeError(f"{result.actions} in {STEPS} steps; {result.rejections}; {result.faults[:1]}")
    return result.ticks / seconds


@contextmanager
def peer(path: PricePath) -> Iterator[subprocess.Popen[str]]:
    """demeter in its own interpreter, with the same prices, waiting for what to do."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prices.csv"
        file.write_text("".join(f"{step.time},{step.candles['ETH'].close / USD}\n" for step in path.steps))
        command = [str(PEER), str(Path(__file__).parent / "peer_demeter.py"), str(file)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
            yield process
            if process.stdin is not None:
                process.stdin.close()


def theirs(process: subprocess.Popen[str], *, idle: bool) -> float:
    """Steps a processor second of one of demeter's backtests."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the peer has no pipes")
    process.stdin.write("idle\n" if idle else "active\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def main() -> None:
    """The best of several interleaved rounds of each side, and their ratio."""
    if not PEER.exists():
        raise SystemExit("zelos-demeter is not here: make bench-peers")
    models = [AssetModel(asset="ETH", start_price="3300", volatility=0.7, decimals=2)]
    path = generate(7, models, STEPS, 60, start_time=1_735_689_600)
    profiles = {"one market, actions at once": load(str(POOL)), "zeus: four coins, two feeds, orders": load("zeus")}
    print(interpreter())
    with peer(path) as process:
        for idle in (True, False):
            best = dict.fromkeys((*profiles, "demeter"), 0.0)
            for _ in range(ROUNDS):
                best["demeter"] = max(best["demeter"], theirs(process, idle=idle))
                for name, profile in profiles.items():
                    best[name] = max(best[name], ours(profile, path, idle=idle))
            print("no action" if idle else "one action a step")
            for name, rate in best.items():
                print(f"  {name:40} {rate:10,.0f} steps/s {rate / best['demeter']:6.2f}x")


if __name__ == "__main__":
    main()
