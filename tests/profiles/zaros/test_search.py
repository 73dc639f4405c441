"""A directed search for an order of deposits, trades and recalculations that pays an LP out of another LP.

Prices stand still and nothing costs a fee, so that no step of any order can make or lose a dollar: whatever one
account gained, another would have lost. The search walks every order of the attacker's steps to a depth, from
venues with history that no vault has looked at yet, and follows the best few further down.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.profiles.zaros.venue import UNIT, CreditVenue, market, vault
from zlp.engine import Root, ledger
from zlp.engine.branches.credit.values import price_of
from zlp.engine.branches.credit.vaults import assets, debt, recalculate
from zlp.engine.branches.credit_positions.health import account_of, closing, position_of
from zlp.engine.commands import credit, liquidity
from zlp.engine.fixed import RATE, USD
from zlp.engine.leaves.credit import CreditCollateral, CreditSettings, CreditVaultSettings
from zlp.engine.leaves.credit_positions import CreditPosition, CreditTradingSettings
from zlp.engine.leaves.prices import PriceFeed
from zlp.engine.leaves.stability import StabilitySettings
from zlp.engine.mechanisms.deleverage_curve import PremiumCurve
from zlp.engine.mechanisms.skew import MakerTakerFee
from zlp.engine.mechanisms.stability import StableSwap

DUST = 5 * 10**24
"""USD (five millionths) that a step may move by rounding: a few base units of a token of six decimals."""
Action = Callable[[CreditVenue], object]
ATTACKER = 3
"""The number of the attacker's trading account."""
BREADTH = 40
"""How many of the best states of a depth are followed."""
VAULTS = ("v", "w")
MARKETS = ("BTC", "ETH")


def venue() -> CreditVenue:
    """Two vaults behind two markets, two LPs, open positions on both sides; then prices move, unseen by the vaults."""
    free = MakerTakerFee(maker=0, taker=0)
    scene = CreditVenue([market(name, fees=free, skew_scale=5_000 * UNIT) for name in MARKETS])
    scene.configure(
        vault("v", "ETHx", markets=(("BTC", 3), ("ETH", 1))),
        vault("w", "USDC", markets=(("BTC", 1), ("ETH", 2))),
        CreditSettings("USDz", "USDC", "WETH"),
        CreditTradingSettings(order_lifetime=0),
        replace(scene.leaf(CreditCollateral, "ETHx"), loan_to_value=RATE),
    )
    flat = PremiumCurve(x_min=0, x_max=RATE, y_min=0, y_max=0)
    scene.configure(StabilitySettings(StableSwap(base_fee_usd=0, fee_bps=0, curve=flat)))
    scene.deposit("victim", "v", 1_000 * UNIT)
    scene.deposit("victim", "w", 2_000_000 * 10**6)
    scene.deposit("attacker", "v", 300 * UNIT)
    scene.give("attacker", "USDC", 500_000 * 10**6)
    scene.give("attacker", "USDz", 10_000 * UNIT)
    for account, margin, trades in (
        ("others", {"USDC": 10**12}, {"BTC": UNIT, "ETH": -50 * UNIT}),
        ("loser", {"ETHx": 100 * UNIT}, {"BTC": -2 * UNIT}),
        ("attacker", {"USDC": 10**12}, {"BTC": UNIT}),
    ):
        number = scene.trader(account, **margin)
        for name, delta in trades.items():
            scene.trade(account, number, name, delta, 100_000 * USD if name == "BTC" else 2_000 * USD)
    return scene


def moved(**prices: int) -> Callable[[], CreditVenue]:
    """The venue after a price move that only the feed has seen."""

    def made() -> CreditVenue:
        scene = venue()
        scene.price(**prices)
        return scene

    return made


def half_realised() -> CreditVenue:
    """Losses were paid in collateral, profits minted, and none of it distributed."""
    scene = venue()
    scene.price(BTC=103_000, ETH=1_950)
    scene.trade("others", 1, "BTC", -UNIT, 103_000 * USD)
    scene.trade("loser", 2, "BTC", UNIT, 103_000 * USD)
    scene.price(ETHx=1_900)
    return scene


def worth(scene: CreditVenue, who: str, numbers: tuple[int, ...]) -> int:
    """All an account has in USD: tokens, shares at what its vaults are worth now, margin and open profit."""
    draft = scene.draft()
    total = 0
    for token in ("USDz", "USDC", "ETHx"):
        amount = ledger.balance_of(draft, who, token)
        for number in numbers:
            amount += ledger.balance_of(draft, f"margin:{number}", token)
        total += amount * price_of(draft, token) // 10 ** ledger.token(draft, token).decimals
    for name in VAULTS:
        settings = scene.leaf(CreditVaultSettings, name)
        state = recalculate(draft, settings)
        unit = 10 ** ledger.token(draft, settings.token).decimals
        net = assets(draft, settings) * price_of(draft, settings.token) // unit - debt(draft, state)
        held = ledger.balance_of(draft, who, settings.share)
        total += net * held // max(1, ledger.supply_of(draft, settings.share))
    for number in numbers:
        for name in account_of(draft, number).markets:
            mark = closing(draft, position_of(draft, number, name))
            total += mark.profit + mark.funding
    return total


def deposit(scene: CreditVenue) -> None:
    """Join the second vault."""
    scene.must("attacker", liquidity.Mint(pool="w", token="USDC", amount=400_000 * 10**6))


def leave(name: str, part: int) -> Action:
    """Redeem a part of one's shares."""
    return lambda scene: scene.redeem("attacker", name, scene.balance("attacker", f"zlp-{name}") // part)


def refresh(name: str) -> Action:
    """Choose the moment at which a vault looks at its markets."""
    return lambda scene: scene.refresh(name)


def posted(scene: CreditVenue, asset: str) -> int:
    """The price that stands."""
    return int(scene.leaf(PriceFeed, asset).rounds[-1])


def trade(name: str, delta: int) -> Action:
    """Trade a size, or close what is open (0)."""

    def act(scene: CreditVenue) -> None:
        size = delta or -scene.leaf(CreditPosition, ATTACKER, name).size
        scene.trade("attacker", ATTACKER, name, size, posted(scene, name))

    return act


def swap(name: str) -> Action:
    """Swap stable tokens for collateral of a vault."""
    asset = {"v": "ETHx", "w": "USDC"}[name]
    return lambda scene: scene.swap("attacker", name, 3_000 * UNIT, posted(scene, asset))


def convert(scene: CreditVenue) -> None:
    """Let the keeper convert what losers paid, at the posted price to the unit."""
    amount = scene.balance("deposits:BTC", "ETHx")
    delivered = -(-amount * posted(scene, "ETHx") // (UNIT * USD // 10**6))
    scene.give("keeper", "USDC", delivered)
    scene.must("keeper", credit.ConvertDeposits(market="BTC", token="ETHx", delivered=delivered))


ACTIONS: dict[str, Action] = {
    "deposit": deposit,
    "leave half of v": leave("v", 2),
    "leave all of v": leave("v", 1),
    "leave w": leave("w", 1),
    "refresh v": refresh("v"),
    "refresh w": refresh("w"),
    "close BTC": trade("BTC", 0),
    "buy BTC": trade("BTC", 3 * UNIT),
    "sell ETH": trade("ETH", -100 * UNIT),
    "swap v": swap("v"),
    "swap w": swap("w"),
    "convert": convert,
}


def attempt(scene: CreditVenue, action: Action) -> CreditVenue | None:
    """The venue after an action, the one before it untouched; ``None`` where the engine refuses it."""
    after = copy.copy(scene)
    after.root = Root(scene.root.state.leaves(), chain=scene.root.chain, sequence=scene.root.sequence, time=scene.now)
    try:
        action(after)
    except AssertionError:
        return None
    return after


def gained(scene: CreditVenue) -> tuple[int, int]:
    """What the attacker has, and what the LP who did nothing has."""
    return worth(scene, "attacker", (ATTACKER,)), worth(scene, "victim", ())


@pytest.mark.parametrize("start", [moved(BTC=104_000, ETH=2_100), moved(BTC=97_000, ETHx=1_800), half_realised])
def test_no_order_of_steps_takes_value_from_another_lp(start: Callable[[], CreditVenue]) -> None:
    """Z4: over all orders of three steps, and the most rewarding of those down to seven, the attacker never has
    more than before and the other LP never less, but for dust."""
    scene = start()
    mine, theirs = gained(scene)
    frontier, tried, best = [((), scene)], 0, mine
    for depth in range(7):
        found = []
        for path, state in frontier:
            for name, action in ACTIONS.items():
                after = attempt(state, action)
                if after is None:
                    continue
                tried += 1
                now_mine, now_theirs = gained(after)
                steps = (*path, name)
                assert now_mine - mine <= DUST * len(steps), steps
                assert theirs - now_theirs <= DUST * len(steps), steps
                best = max(best, now_mine)
                found.append((now_mine, len(found), steps, after))
        found.sort(reverse=True, key=lambda item: item[:2])
        frontier = [(steps, after) for _, _, steps, after in (found if depth < 2 else found[:BREADTH])]
        assert frontier
    assert tried > 2_000


def test_the_search_would_find_a_theft() -> None:
    """The measure sees value that moves: debt booked to the wrong vault is one LP's gain and another's loss."""
    scene = moved(BTC=104_000)()
    mine, theirs = gained(scene)
    state = scene.vault("v")
    scene.put(replace(state, realized_debt=state.realized_debt - 1_000 * USD))
    other = scene.vault("w")
    scene.put(replace(other, realized_debt=other.realized_debt + 1_000 * USD))

    now_mine, now_theirs = gained(scene)

    assert now_mine - mine > 100 * USD
    assert theirs - now_theirs > 100 * USD
