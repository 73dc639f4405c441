"""The keeper that converts: fees reach stakers, losses reach vaults, vaults settle against each other (Z7, Z9)."""

from __future__ import annotations

from msgspec.structs import replace

from tests.profiles.zaros.venue import UNIT, CreditVenue, market, vault
from zlp.engine.commands import credit
from zlp.engine.fixed import USD
from zlp.keepers import ConversionKeeper, LocalPort, LocalVenue

BTC = 100_000 * USD
HOUR = 3_600


class Scene(CreditVenue):
    """Vaults of 3 and 1 million USD behind one market, all their shares staked, and a keeper with a stock."""

    def __init__(self, *, stock: int = 10**6) -> None:
        super().__init__([market(), vault("big", "ETHx"), vault("small", "WETH")])
        for account, name, amount in (("lp1", "big", 1_500), ("lp2", "small", 500)):
            shares = self.deposit(account, name, amount * UNIT)
            self.must(account, credit.StakeVaultShares(vault=name, shares=shares))
        self.keeper = ConversionKeeper(LocalPort(LocalVenue(self.root), "keeper", lambda: self.now))
        if stock:
            for token, unit in (("WETH", UNIT), ("USDC", 10**6)):
                self.give("keeper", token, stock * unit)

    def owing(self, name: str, usd: int) -> None:
        """Let a vault owe realised debt, as lopsided swaps would."""
        state = self.vault(name)
        self.put(replace(state, realized_debt=state.realized_debt + usd, redeemed_usd=state.redeemed_usd - usd))

    def unsettled(self, name: str) -> int:
        """Realised debt not covered by settlement tokens (USD), as stored."""
        state = self.vault(name)
        return state.realized_debt - state.settled * USD // 10**6


def test_fees_reach_stakers_and_recipients() -> None:
    """Z7: 82 USD of fees in USDC become WETH, 70 % of it claimable by stakers and 30 % paid to the recipient."""
    scene = Scene()
    scene.trade("t", scene.trader("t", USDC=10**11), "BTC", UNIT, BTC)
    fees = scene.balance("market_fees:BTC", "USDC")
    assert scene.keeper.work() == 2

    worth = -(-fees * UNIT // (2_000 * 10**6))
    assert scene.balance("market_fees:BTC", "USDC") == 0
    assert scene.balance("treasury", "WETH") == worth * 3 // 10
    for account, name in (("lp1", "big"), ("lp2", "small")):
        scene.must(account, credit.ClaimVaultRewards(vault=name))
    assert scene.balance("lp1", "WETH") + scene.balance("lp2", "WETH") == worth - worth * 3 // 10
    assert scene.root.audit() == []


def test_it_rests_between_rounds_and_leaves_what_it_can_not_do() -> None:
    """Z7: an empty stock converts nothing, an hour later a full one does; nothing that fails enters the log."""
    scene = Scene(stock=0)
    scene.trade("t", scene.trader("t", USDC=10**11), "BTC", UNIT, BTC)
    before = scene.root.sequence
    assert scene.keeper.work() == 0
    assert scene.root.sequence == before
    scene.give("keeper", "WETH", UNIT)
    assert scene.keeper.work() == 0
    scene.now += HOUR
    assert scene.keeper.work() == 2


def test_losses_in_collateral_become_settlement_tokens() -> None:
    """Z4, Z9: 1,000 USD of ETHx are converted, and buy the vaults that were credited with them collateral."""
    scene = Scene()
    trader = scene.trader("loser", ETHx=100 * UNIT)
    scene.trade("loser", trader, "BTC", UNIT, BTC)
    scene.price(BTC=99_000)
    scene.trade("loser", trader, "BTC", -UNIT, 99_000 * USD)
    lost = scene.balance("deposits:BTC", "ETHx")
    scene.give("keeper", "ETHx", UNIT)
    scene.keeper.work()

    assert lost > 0
    assert scene.balance("deposits:BTC", "ETHx") == 0
    for name in ("big", "small"):
        assert abs(scene.unsettled(name)) <= 2 * USD
    assert scene.root.audit() == []


def test_vaults_settle_against_each_other_first() -> None:
    """Z9: 4,000 of the 10,000 USD that one owes buy the other collateral, the rest is paid out for holders of USDz;
    nobody's worth changes but by a dollar for each conversion."""
    scene = Scene()
    scene.owing("big", 10_000 * USD)
    scene.owing("small", -4_000 * USD)
    worth = {name: scene.owed(name)[1] for name in ("big", "small")}
    assert scene.keeper.work() == 4

    assert scene.balance("vault:small", "WETH") == 500 * UNIT + 1_999 * UNIT // 1_000
    assert scene.balance("settled:redeemable", "USDC") == 6_000 * 10**6
    assert scene.balance("treasury", "USDC") == 3 * 10**6
    assert [scene.unsettled(name) for name in ("big", "small")] == [USD, -USD]
    assert worth["big"] - scene.owed("big")[1] == 2 * USD
    assert worth["small"] - scene.owed("small")[1] == USD
    scene.now += HOUR
    assert scene.keeper.work() == 0
    assert scene.root.audit() == []
